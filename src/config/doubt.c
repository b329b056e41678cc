/*
 * What has the right form and is hardly meant: it is told, and kept to.  Pure.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

#define SMALL_OCTETS   65536	/* for a user's mail */
#define SMALL_PERIOD_S 3600

static void
doubt(const struct config *config, struct config_problems *problems, const char *option, const char *text)
{
	config_complain(problems, CONFIG_WARNING, config_place(config, option), 1, "%s: %s", option, text);
}

/* RFC 1918, RFC 4193, and what is never routed: loopback and link-local. */
static const char *const inner_networks[] = { "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1",
	"fc00::/7", "fe80::/10" };

static bool
is_inner(const char *host)
{
	struct config_networks networks = { NULL, COUNT_OF(inner_networks) };
	char *address = memory_copy_span(span_slice(span_from_string(host), 0, span_find(span_from_string(host), '%')));
	bool is_in;

	networks.at = memory_new_array(COUNT_OF(inner_networks), sizeof *networks.at);
	for (size_t i = 0; i < COUNT_OF(inner_networks); i++)
		network_parse(span_from_string(inner_networks[i]), &networks.at[i]);
	is_in = config_networks_have(&networks, address);
	free(networks.at);
	free(address);
	return is_in;
}

/* LMTP has no passwords (RFC 2033). */
static void
doubt_deliveries(const struct config *config, struct config_problems *problems)
{
	for (size_t i = 0; i < config->lmtp_listen.count && (config->role & CONFIG_ROLE_MAILBOX) != 0; i++) {
		const struct config_listener *listener = &config->lmtp_listen.at[i];

		if (listener->path == NULL && listener->host != NULL && !is_inner(listener->host))
			config_complain(problems, CONFIG_WARNING, listener->place, 1, "lmtp-listen: LMTP asks for no password, so that "
			    "whoever reaches %s writes to all users; let it be an address of an inner network, or a socket",
			    listener->host);
	}
}

static void
doubt_networks(const struct config *config, struct config_problems *problems)
{
	for (size_t i = 0; i < config->proxy_trusted.count; i++)
		if (config->proxy_trusted.at[i].bits == 0 || config->proxy_trusted.at[i].bits == 96)
			doubt(config, problems, "proxy-trusted", "it is everybody, who then may come as any address");
}

/* A number without its unit. */
static void
doubt_amounts(const struct config *config, struct config_problems *problems)
{
	if (config->quota_storage_octets > 0 && config->quota_storage_octets < SMALL_OCTETS)
		doubt(config, problems, "quota-storage", "no user could keep any mail to speak of; is a unit missing, as in 5G?");
	if (config->expunge_retention_s > 0 && config->expunge_retention_s < SMALL_PERIOD_S)
		doubt(config, problems, "expunge-retention", "it is less than an hour; is a unit missing, as in 14d?");
	if (config->idle_timeout_s < 1800 && (config->role & CONFIG_ROLE_MAILBOX) != 0)
		doubt(config, problems, "idle-timeout", "clients rely on 1800 seconds (RFC 9051 section 5.4), and come again and again");
}

/* The folder of all others would hide a mailbox that every user has. */
static void
doubt_namespace(const struct config *config, struct config_problems *problems, const char *option, const char *name)
{
	static const char *const mailboxes[] = { "Archive", "Drafts", "Junk", "Sent", "Trash" };

	for (size_t i = 0; i < COUNT_OF(mailboxes); i++)
		if (strcasecmp(name, mailboxes[i]) == 0)
			doubt(config, problems, option, "each user has a mailbox of this name already");
}

/* Users' passwords go there in a bind. */
static void
doubt_ldap(const struct config *config, struct config_problems *problems)
{
	for (size_t i = 0; i < config->ldap_servers.count && !config->ldap_starttls; i++) {
		struct span host = span_from(span_from_string(config->ldap_servers.at[i]), strlen("ldap://"));
		char *name;

		if (!span_starts_with(span_from_string(config->ldap_servers.at[i]), SPAN("ldap://")))
			continue;
		name = memory_copy_span(span_slice(host, 0, strcspn((const char *)host.at, ":/")));
		if (strcmp(name, "localhost") != 0 && strncmp(name, "127.", 4) != 0 && name[0] != '[')
			config_complain(problems, CONFIG_WARNING, config_place(config, "directory"), (unsigned)i + 2,
			    "directory: without ldap-starttls, passwords go to %s for everybody on the way to read", name);
		free(name);
	}
}

static void
doubt_servers(const struct config *config, struct config_problems *problems)
{
	const struct config_servers *servers = &config->mailbox_server;

	for (size_t i = 0; i < servers->count; i++)
		for (size_t j = 0; j < i; j++)
			if (servers->at[i].address != NULL && servers->at[j].address != NULL &&
			    strcmp(servers->at[i].address, servers->at[j].address) == 0)
				config_complain(problems, CONFIG_WARNING, servers->at[i].place, 2, "mailbox-server: %s is the address of "
				    "%s, too", servers->at[i].address, servers->at[j].name);
	for (size_t i = 0; i < config->relay_insecure.count; i++) {
		unsigned word = 1;
		const struct config_place *place = config_name_place(config, "relay-insecure", i, &word);

		if (strpbrk(config->relay_insecure.at[i], ":/") != NULL)
			config_complain(problems, CONFIG_WARNING, place, word, "relay-insecure: no server is called \"%s\"; it takes "
			    "names of hosts alone", config->relay_insecure.at[i]);
	}
}

void
config_check_doubts(const struct config *config, struct config_problems *problems)
{
	doubt_deliveries(config, problems);
	doubt_networks(config, problems);
	doubt_amounts(config, problems);
	doubt_namespace(config, problems, "namespace-others", config->namespace_others);
	doubt_namespace(config, problems, "namespace-shared", config->namespace_shared);
	if (config->directory == CONFIG_DIRECTORY_LDAP)
		doubt_ldap(config, problems);
	doubt_servers(config, problems);
	if (config->user != NULL && strcmp(config->user, "root") == 0)
		doubt(config, problems, "user", "the server would go on as root; let it be a user of its own, such as imapd");
	if (config->tls_client_ca != NULL && !config_has_mechanism(config, "EXTERNAL") && config_is_usable(config, "auth-mechanisms"))
		doubt(config, problems, "tls-client-ca", "it proves nobody without EXTERNAL among auth-mechanisms");
}
