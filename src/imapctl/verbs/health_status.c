/*
 * What the server says of itself, as health understands it.
 */
#include "health.h"

#include <stdio.h>
#include <string.h>

#include "../ctl/record.h"
#include "base/memory.h"
#include "store/store.h"

#define DAYS_FEW 14	/* until a certificate expires */

static uint64_t
number(const char *text)
{
	uint64_t value = 0;

	return text != NULL && span_to_number(span_from_string(text), INT64_MAX, &value) ? value : 0;
}

static void
take_role(struct health *health, struct span line)
{
	const char *name = health_field(health, line, "role", "name"), *state = health_field(health, line, "role", "state");
	bool is_cas = name != NULL && strcmp(name, "cas") == 0;

	if (name == NULL)
		return;
	snprintf(is_cas ? health->cas : health->mailbox, sizeof health->cas, "%s", state);
	health_add_component(health, is_cas ? "ImapProxy" : "ImapBackEnd", state);
	health_add(health, is_cas ? SET_IMAP : SET_PROTOCOL, is_cas ? "ImapServiceMonitor" : "ImapSelfTestProbe", name,
	    strcmp(state, "running") == 0 ? HEALTHY : UNHEALTHY, 0, strcmp(state, "running") == 0 ? "" : state);
}

static void
take_listener(struct health *health, struct span line)
{
	const char *role = health_field(health, line, "listener", "role");

	if (role == NULL || strcmp(role, "cas") != 0)
		return;
	health->listeners = memory_resize(health->listeners, health->listener_count + 1, sizeof health->listeners[0]);
	health->listeners[health->listener_count++] = span_from_string(health_field(health, line, "listener", "address"));
}

static void
take_certificate(struct health *health, struct span line)
{
	const char *name = health_field(health, line, "certificate", "name");
	const char *trouble = health_field(health, line, "certificate", "trouble");
	const char *days = health_field(health, line, "certificate", "days");
	bool is_over = days != NULL && days[0] == '-', is_short = number(days) < DAYS_FEW;
	char text[64];

	if (name == NULL)
		return;
	snprintf(text, sizeof text, "expires in %s days", days);
	health_add(health, SET_IMAP, "CertificateMonitor", name, is_over ? UNHEALTHY : is_short || trouble[0] != '\0' ? DEGRADED : HEALTHY,
	    0, trouble[0] != '\0' ? trouble : is_short ? text : "");
}

/* How long it took for its last answer; 0: not known. */
static uint64_t
rtt_of(const struct health *health, const char *server)
{
	const struct rtt *rtt = health->rtts;

	while (rtt != NULL && (strncmp(rtt->labels, "backend=", 8) != 0 || strcmp(rtt->labels + 8, server) != 0))
		rtt = rtt->next;
	return rtt == NULL ? 0 : rtt->us;
}

static void
take_server(struct health *health, struct span line)
{
	const char *name = health_field(health, line, "mailbox-server", "name");
	const char *state = health_field(health, line, "mailbox-server", "state");
	bool is_up = name != NULL && strcmp(state, "up") == 0;

	if (name != NULL)
		health_add(health, SET_PROXY, "ImapProxyTestProbe", name, is_up ? HEALTHY : UNHEALTHY, is_up ? rtt_of(health, name) : 0,
		    is_up ? "" : health_field(health, line, "mailbox-server", "reason"));
}

/* What hurts one user leaves the others well. */
static void
take_problem(struct health *health, struct span line)
{
	const char *kind = health_field(health, line, "problem", "kind"), *service = health_field(health, line, "problem", "service");
	const char *user = health_field(health, line, "problem", "user"), *text = health_field(health, line, "problem", "text");

	if (kind == NULL || strcmp(kind, "certificate") == 0)
		return;
	health_add(health, strcmp(service, "cas") == 0 ? SET_IMAP : SET_STORE, "ProblemMonitor", user[0] != '\0' ? user : kind,
	    user[0] != '\0' || strcmp(kind, "crash") == 0 ? DEGRADED : UNHEALTHY, 0, text[0] != '\0' ? text : kind);
}

void
health_take_status(struct health *health, const struct answer *answer)
{
	for (size_t i = 0; i < answer->line_count; i++) {
		take_role(health, answer->lines[i]);
		take_listener(health, answer->lines[i]);
		take_certificate(health, answer->lines[i]);
		take_server(health, answer->lines[i]);
		take_problem(health, answer->lines[i]);
	}
}

static void
take_series(struct health *health, struct span line)
{
	const char *name = health_field(health, line, "series", "name");
	struct rtt *rtt;

	if (name == NULL)
		return;
	if (strcmp(name, "imapd_storage_free_bytes") == 0)
		health->free_octets = number(health_field(health, line, "series", "value"));
	if (strcmp(name, "imapd_backend_rtt_seconds") != 0)
		return;
	rtt = ARENA_NEW(health->arena, struct rtt);
	*rtt = (struct rtt){ health->rtts, health_field(health, line, "series", "labels"),
		number(health_field(health, line, "series", "value-us")) };
	health->rtts = rtt;
}

void
health_take_stats(struct health *health, const struct answer *answer)
{
	health->free_octets = UINT64_MAX;
	for (size_t i = 0; i < answer->line_count; i++)
		take_series(health, answer->lines[i]);
}

/* The reserve is what imapd-metrics(7) says of /readyz; below ten times as much somebody should look. */
void
health_look_at_disk(struct health *health)
{
	uint64_t free_octets = health->free_octets, reserve = STORE_KEPT_FREE_OCTETS;
	char text[64];

	if (health->mailbox[0] == '\0' || free_octets == UINT64_MAX)
		return;
	snprintf(text, sizeof text, "%llu MiB are free", (unsigned long long)(free_octets >> 20));
	health_add(health, SET_STORE, "DiskSpaceMonitor", "data-directory",
	    free_octets < reserve ? UNHEALTHY : free_octets < 10 * reserve ? DEGRADED : HEALTHY, 0,
	    free_octets < 10 * reserve ? text : "");
}
