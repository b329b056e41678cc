/*
 * Options that are set and that nothing uses: whoever wrote them expects something of them.  Pure.
 */
#include "options.h"

#include "base/memory.h"

enum use { OF_TOKENS, OF_CERTIFICATES, OF_CAS, OF_MAILBOX, OF_SQLITE, OF_LDAP, OF_LINK, OF_SERVERS, OF_REFERRALS, OF_PROXY };

static const struct {
	const char *option;
	enum use use;
} uses[] = {
	{ "listen", OF_CAS }, { "mailbox-server", OF_CAS }, { "tls-certificate", OF_CAS }, { "tls-key", OF_CAS },
	{ "tls-certificate-for", OF_CAS }, { "tls-minimum", OF_CAS }, { "banner", OF_CAS }, { "login-type", OF_CAS },
	{ "tls-client-ca", OF_CAS }, { "tls-client-user", OF_CERTIFICATES }, { "oauth-issuer", OF_CAS },
	{ "oauth-audience", OF_TOKENS }, { "oauth-scope", OF_TOKENS }, { "oauth-user-claim", OF_TOKENS },
	{ "oauth-clock-skew", OF_TOKENS }, { "oauth-openid-configuration", OF_TOKENS },
	{ "auth-mechanisms", OF_CAS }, { "deny-users", OF_CAS }, { "login-timeout", OF_CAS }, { "handshake-timeout", OF_CAS },
	{ "auth-cache-time", OF_CAS }, { "max-connections", OF_CAS }, { "max-connections-per-user", OF_CAS },
	{ "max-connections-per-address", OF_CAS },
	{ "relay-ca", OF_CAS }, { "relay-insecure", OF_CAS }, { "relay-timeout", OF_CAS },
	{ "relay-learn-passwords", OF_SQLITE }, { "upgrade-passwords", OF_SQLITE },
	{ "autoconfig-listen", OF_CAS },
	{ "lmtp-listen", OF_MAILBOX }, { "link-listen", OF_MAILBOX }, { "idle-timeout", OF_MAILBOX },
	{ "uidonly", OF_MAILBOX }, { "message-limit", OF_MAILBOX }, { "save-limit", OF_MAILBOX },
	{ "command-cpu-limit", OF_MAILBOX },
	{ "quota-storage", OF_MAILBOX }, { "quota-messages", OF_MAILBOX }, { "quota-mailboxes", OF_MAILBOX },
	{ "quota-warning", OF_MAILBOX }, { "lmtp-over-quota", OF_MAILBOX },
	{ "shared-seen", OF_MAILBOX }, { "expunge-retention", OF_MAILBOX },
	{ "server-comment", OF_MAILBOX }, { "server-admin", OF_MAILBOX },
	{ "namespace-others", OF_MAILBOX }, { "namespace-shared", OF_MAILBOX },
	{ "open-databases", OF_MAILBOX }, { "flag-sync", OF_MAILBOX },
	{ "storage-compression", OF_MAILBOX },
	{ "ldap-base", OF_LDAP }, { "ldap-filter", OF_LDAP }, { "ldap-user-attribute", OF_LDAP },
	{ "ldap-home-attribute", OF_LDAP }, { "ldap-delegate-attribute", OF_LDAP }, { "ldap-master-group", OF_LDAP },
	{ "ldap-quota-attribute", OF_LDAP }, { "ldap-quota-unit", OF_LDAP },
	{ "ldap-group-attribute", OF_LDAP }, { "ldap-group-base", OF_LDAP },
	{ "ldap-group-filter", OF_LDAP }, { "ldap-bind-dn", OF_LDAP }, { "ldap-password-file", OF_LDAP },
	{ "ldap-tls-ca", OF_LDAP }, { "ldap-starttls", OF_LDAP }, { "ldap-timeout", OF_LDAP },
	{ "ldap-retry-time", OF_LDAP }, { "ldap-cache-time", OF_LDAP },
	{ "link-key", OF_LINK }, { "link-certificate", OF_LINK }, { "link-private-key", OF_LINK }, { "link-ca", OF_LINK },
	{ "link-timeout", OF_LINK },
	{ "mailbox-server-timeout", OF_SERVERS }, { "login-referral", OF_REFERRALS },
	{ "proxy-trusted", OF_PROXY },
};

static bool
has_proxy(const struct config *config)
{
	for (size_t i = 0; i < config->listen.count; i++)
		if (config->listen.at[i].is_proxy)
			return true;
	return !config_is_usable(config, "listen");
}

/* Of relays there need be no server that is named. */
static bool
has_relay_referral(const struct config *config)
{
	for (size_t i = 0; i < config->login_referral.count; i++)
		if (option_is_foreign_home(config->login_referral.at[i].name))
			return true;
	return false;
}

/* NULL: it is used. */
static const char *
why_not(const struct config *config, enum use use)
{
	/* A file that several hosts share says more than one of them needs. */
	bool is_shared = config->places->is_role_given;
	bool is_cas = (config->role & CONFIG_ROLE_CAS) != 0 || is_shared;
	bool is_mailbox = (config->role & CONFIG_ROLE_MAILBOX) != 0 || is_shared;
	bool has_servers = is_cas && option_is_said(config, "mailbox-server");
	bool has_ports = is_mailbox && option_is_said(config, "link-listen");

	switch (use) {
	case OF_TOKENS:
		return option_is_said(config, "oauth-issuer") ? NULL : "is about tokens, and there is no oauth-issuer";
	case OF_CERTIFICATES:
		return option_is_said(config, "tls-client-ca") ? NULL : "is about certificates of clients, and there is no "
			"tls-client-ca";
	case OF_CAS:
		return is_cas ? NULL : "is for role cas, which this host does not have";
	case OF_MAILBOX:
		return is_mailbox ? NULL : "is for role mailbox, which this host does not have";
	case OF_SQLITE:
		if (config->directory != CONFIG_DIRECTORY_SQLITE && config_is_usable(config, "directory"))
			return "is for directory sqlite";
		return is_cas ? NULL : "is for role cas, which this host does not have";
	case OF_LDAP:
		return config->directory == CONFIG_DIRECTORY_LDAP || !config_is_usable(config, "directory") ? NULL :
			"is for directory ldap";
	case OF_LINK:
		return has_servers || has_ports ? NULL : "is for the link between two hosts, of which neither "
			"mailbox-server nor link-listen makes one";
	case OF_SERVERS:
		return has_servers ? NULL : "is about a mailbox-server, and there is none";
	case OF_REFERRALS:
		return has_servers || (is_cas && has_relay_referral(config)) ? NULL :
			"is about a mailbox-server, and there is none";
	case OF_PROXY:
		return has_proxy(config) ? NULL : "is for a listen with the word proxy, and there is none";
	}
	return NULL;
}

void
config_check_use(const struct config *config, struct config_problems *problems)
{
	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		const char *reason = why_not(config, uses[i].use);

		if (reason != NULL && option_is_said(config, uses[i].option))
			config_complain(problems, CONFIG_WARNING, config_place(config, uses[i].option), 0,
			    "%s has no effect: it %s", uses[i].option, reason);
	}
}
