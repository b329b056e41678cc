/*
 * The zone of a domain, as programs see it that look for their settings: the host's addresses, SRV (RFC 6186, RFC 8314),
 * autoconfig.  Asks the resolver of this host.
 */
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "config/config.h"
#include "finding.h"

#define ANSWER_MAX 4096

struct service {
	unsigned port;
	char target[NS_MAXDNAME];
};

/* The first of the records of a service.  False: there is none. */
static bool
find_service(const char *name, struct service *service_out)
{
	unsigned char answer[ANSWER_MAX];
	int length = res_query(name, ns_c_in, ns_t_srv, answer, sizeof answer);
	ns_msg message;
	ns_rr record;

	if (length < 0 || ns_initparse(answer, length, &message) != 0)
		return false;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (ns_parserr(&message, ns_s_an, i, &record) != 0 || ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) < 7)
			continue;
		service_out->port = ns_get16(ns_rr_rdata(record) + 4);
		if (dn_expand(ns_msg_base(message), ns_msg_end(message), ns_rr_rdata(record) + 6, service_out->target,
			sizeof service_out->target) >= 0)
			return true;
	}
	return false;
}

static bool
has_address(const char *name)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *all = NULL;
	bool is_there = getaddrinfo(name, NULL, &hints, &all) == 0;

	if (is_there)
		freeaddrinfo(all);
	return is_there;
}

/* A record as it should be in the zone. */
static const char *
line(struct doctor *doctor, const char *format, const char *name, unsigned port)
{
	return doctor_text(doctor, format, name, port, doctor->config->hostname);
}

static void
examine_service(struct doctor *doctor, const char *domain, const char *kind, unsigned port, enum severity severity)
{
	const char *name = doctor_text(doctor, "_%s._tcp.%s", kind, domain);
	const char *wanted = line(doctor, "%s. IN SRV 0 1 %u %s.   # in the zone", name, port);
	struct service found;

	if (!find_service(name, &found))
		finding(doctor, severity, wanted, "the zone of %s has no SRV record %s: programs cannot find the server by it", domain,
		    name);
	else if (strcasecmp(found.target, doctor->config->hostname) != 0 || found.port != port)
		finding(doctor, WARNING, wanted, "%s leads to %s port %u, and not to %s port %u", name,
		    found.target[0] == '\0' ? "nowhere" : found.target, found.port, doctor->config->hostname, port);
}

static void
examine_services(struct doctor *doctor, const char *domain)
{
	const struct config_listeners *listen = &doctor->config->listen;
	bool has_imaps = false, has_imap = false;

	for (size_t i = 0; i < listen->count; i++) {
		bool *is_done = listen->at[i].is_tls ? &has_imaps : &has_imap;

		if (*is_done || listen->at[i].port == 0)
			continue;
		*is_done = true;
		examine_service(doctor, domain, listen->at[i].is_tls ? "imaps" : "imap", listen->at[i].port,
		    listen->at[i].is_tls ? WARNING : NOTE);
		if (has_address(doctor->config->hostname) && doctor->is_running &&
		    !doctor_reaches(doctor->config->hostname, doctor_text(doctor, "%u", listen->at[i].port)))
			finding(doctor, WRONG, doctor_text(doctor, "ss -ltn sport = :%u", listen->at[i].port),
			    "nobody answers at %s port %u: is a packet filter in the way, or another host meant?",
			    doctor->config->hostname, listen->at[i].port);
	}
}

static void
examine_autoconfig(struct doctor *doctor, const char *domain)
{
	const char *name = doctor_text(doctor, "autoconfig.%s", domain);

	if (!has_address(name))
		finding(doctor, NOTE, doctor_imapctl(doctor, doctor_text(doctor, "clientconfig %s --out=FOLDER", domain)),
		    "there is no %s: Thunderbird and others cannot find their settings there", name);
}

void
doctor_names(struct doctor *doctor, const char *domain)
{
	const char *host = doctor->config->hostname, *dot = strchr(host, '.');

	if (domain[0] == '\0')
		domain = dot != NULL && strchr(dot + 1, '.') != NULL ? dot + 1 : host;
	if ((doctor->config->role & CONFIG_ROLE_CAS) == 0)
		return;
	if (!has_address(host))
		finding(doctor, WRONG, doctor_text(doctor, "%s. IN A ADDRESS   # in the zone", host),
		    "there is no address for the name %s: clients cannot find the server", host);
	examine_services(doctor, domain);
	examine_autoconfig(doctor, domain);
}
