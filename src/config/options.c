/*
 * All options, one row each; imapd.conf(5) describes them in the same order.
 */
#include "options.h"

#include "base/memory.h"

static const struct option_word roles[] = {
	{ "cas", CONFIG_ROLE_CAS }, { "mailbox", CONFIG_ROLE_MAILBOX }, { "both", CONFIG_ROLE_BOTH },
	{ NULL, 0 },
};
static const struct option_word directories[] = {
	{ "sqlite", CONFIG_DIRECTORY_SQLITE }, { "ldap", CONFIG_DIRECTORY_LDAP },
	{ "link", CONFIG_DIRECTORY_LINK }, { NULL, 0 },
};
static const struct option_word levels[] = {
	{ "error", LOG_LEVEL_ERROR }, { "warning", LOG_LEVEL_WARNING }, { "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG }, { NULL, 0 },
};
static const struct option_word login_types[] = {
	{ "plain", CONFIG_LOGIN_PLAIN }, { "plain-auth", CONFIG_LOGIN_PLAIN_AUTH }, { "secure", CONFIG_LOGIN_SECURE },
	{ NULL, 0 },
};
static const struct option_word mechanisms[] = {
	{ "PLAIN", 0 }, { "LOGIN", 0 }, { "SCRAM-SHA-1", 0 }, { "SCRAM-SHA-1-PLUS", 0 }, { "SCRAM-SHA-256", 0 },
	{ "SCRAM-SHA-256-PLUS", 0 }, { "OAUTHBEARER", 0 }, { "XOAUTH2", 0 }, { "EXTERNAL", 0 }, { NULL, 0 },
};
static const struct option_word user_fields[] = {	/* as RFC 5280 calls them */
	{ "rfc822Name", CONFIG_USER_RFC822_NAME }, { "otherName", CONFIG_USER_OTHER_NAME },
	{ "commonName", CONFIG_USER_COMMON_NAME }, { NULL, 0 },
};
static const struct option_word tls_versions[] = {
	{ "1.2", CONFIG_TLS_1_2 }, { "1.3", CONFIG_TLS_1_3 }, { NULL, 0 },
};
static const struct option_word quota_units[] = { { "octets", 1 }, { "kilobytes", 1024 }, { NULL, 0 } };
static const struct option_word seen_sharings[] = {
	{ "private", CONFIG_SEEN_PRIVATE }, { "shared", CONFIG_SEEN_SHARED }, { NULL, 0 }
};
static const struct option_word upgrades[] = {
	{ "weak", CONFIG_UPGRADE_WEAK }, { "all", CONFIG_UPGRADE_ALL }, { "none", CONFIG_UPGRADE_NONE }, { NULL, 0 },
};
static const struct option_word over_quotas[] = {
	{ "temporary", CONFIG_OVER_QUOTA_TEMPORARY }, { "permanent", CONFIG_OVER_QUOTA_PERMANENT }, { NULL, 0 },
};
static const struct option_word autoconfig_users[] = {
	{ "address", CONFIG_AUTOCONFIG_ADDRESS }, { "local-part", CONFIG_AUTOCONFIG_LOCAL_PART }, { NULL, 0 },
};
static const struct option_word compressions[] = {
	{ "zstd", CONFIG_COMPRESSION_ZSTD }, { "none", CONFIG_COMPRESSION_NONE }, { NULL, 0 },
};
static const struct option_word flag_syncs[] = {
	{ "lazy", CONFIG_FLAG_SYNC_LAZY }, { "always", CONFIG_FLAG_SYNC_ALWAYS }, { NULL, 0 },
};

#define AT(member) offsetof(struct config, member)
#define DAY 86400
#define MiB (UINT64_C(1) << 20)

/* clang-format off */
const struct option options[OPTION_COUNT] = {
	/* name			kind	     member			default	    applies    least most words */
	{ "config-version",	NUMBER,	     AT(config_version),	"1",	    AT_START,  1, 1, NULL },
	{ "hostname",		HOST,	     AT(hostname),		NULL,	    AT_START,  0, 0, NULL },
	{ "role",		WORD,	     AT(role),			"both",	    AT_START,  0, 0, roles },
	{ "start-services",	BOOL,	     AT(start_services),	"yes",	    AT_START,  0, 0, NULL },
	{ "data-directory",	PATH,	     AT(data_directory),	"/var/lib/imapd", AT_START, 0, 0, NULL },
	{ "control-socket",	PATH,	     AT(control_socket),	"/run/imapd/control", AT_START, 0, 0, NULL },
	{ "admin-listen",	LOCAL_LISTEN, AT(admin_listen),		"none",	    AT_RELOAD,  0, 0, NULL },
	{ "metrics-listen",	LOCAL_LISTEN, AT(metrics_listen),	"none",	    AT_RELOAD,  0, 0, NULL },
	{ "listen",		LISTEN,	     AT(listen),		"imaps [::]:993;imap [::]:143", AT_RELOAD, 0, 0, NULL },
	{ "proxy-trusted",	NETWORK,     AT(proxy_trusted),		NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "lmtp-listen",	LMTP_LISTEN, AT(lmtp_listen),		"none",	    AT_START,  0, 0, NULL },
	{ "autoconfig-listen",	WEB_LISTEN,  AT(autoconfig_listen),	"none",	    AT_RELOAD, 0, 0, NULL },
	{ "autoconfig-smtp",	OUTGOING,    AT(autoconfig_smtp),	NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "autoconfig-user",	WORD,	     AT(autoconfig_user),	"address",  AT_RELOAD, 0, 0, autoconfig_users },
	{ "postmaster",		STRING,	     AT(postmaster),		NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "link-listen",	LINK_LISTEN, AT(link_listen),		"none",	    AT_START,  0, 0, NULL },
	{ "mailbox-server",	SERVER,	     AT(mailbox_server),	NULL,	    AT_START,  0, 0, NULL },
	{ "login-referral",	SERVER,	     AT(login_referral),	NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "relay-ca",		PATH,	     AT(relay_ca),		NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "relay-insecure",	NAMES,	     AT(relay_insecure),	NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "relay-timeout",	SECONDS,     AT(relay_timeout_s),	"30",	    AT_RELOAD, 1, 600, NULL },
	{ "relay-learn-passwords", BOOL,     AT(relay_learn_passwords),	"no",	    AT_RELOAD, 0, 0, NULL },
	{ "upgrade-passwords",	WORD,	     AT(upgrade_passwords),	"weak",	    AT_RELOAD, 0, 0, upgrades },
	{ "link-key",		PATH,	     AT(link_key),		NULL,	    AT_START,  0, 0, NULL },
	{ "link-certificate",	PATH,	     AT(link_certificate),	NULL,	    AT_START,  0, 0, NULL },
	{ "link-private-key",	PATH,	     AT(link_private_key),	NULL,	    AT_START,  0, 0, NULL },
	{ "link-ca",		PATH,	     AT(link_ca),		NULL,	    AT_START,  0, 0, NULL },
	{ "link-timeout",	SECONDS,     AT(link_timeout_s),	"20",	    AT_START,  2, 3600, NULL },
	{ "mailbox-server-timeout", SECONDS, AT(mailbox_server_timeout_s), "10",    AT_START,  1, 60, NULL },
	{ "tls-certificate",	PATH,	     AT(tls_certificate),	NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "tls-key",		PATH,	     AT(tls_key),		NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "tls-certificate-for", CERTIFICATE, AT(tls_certificate_for),	NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "tls-minimum",	WORD,	     AT(tls_minimum),		"1.2",	    AT_RELOAD, 0, 0, tls_versions },
	{ "tls-client-ca",	PATH,	     AT(tls_client_ca),		NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "tls-client-user",	WORD,	     AT(tls_client_user),	"rfc822Name", AT_RELOAD, 0, 0, user_fields },
	{ "directory",		DIRECTORY,   AT(directory),		"sqlite",   AT_START,  0, 0, directories },
	{ "ldap-base",		DN,	     AT(ldap_base),		NULL,	    AT_START,  0, 0, NULL },
	{ "ldap-filter",	STRING,	     AT(ldap_filter),		"(uid=%u)", AT_START,  0, 0, NULL },
	{ "ldap-user-attribute", ATTRIBUTE,  AT(ldap_user_attribute),	"uid",	    AT_START,  0, 0, NULL },
	{ "ldap-home-attribute", ATTRIBUTE,  AT(ldap_home_attribute),	NULL,	    AT_START,  0, 0, NULL },
	{ "ldap-delegate-attribute", ATTRIBUTE, AT(ldap_delegate_attribute), NULL,  AT_START,  0, 0, NULL },
	{ "ldap-master-group",	TEXT,	     AT(ldap_master_group),	NULL,	    AT_START,  0, 0, NULL },
	{ "ldap-quota-attribute", ATTRIBUTE, AT(ldap_quota_attribute),	NULL,	    AT_START,  0, 0, NULL },
	{ "ldap-quota-unit",	WORD,	     AT(ldap_quota_unit),	"octets",   AT_START,  0, 0, quota_units },
	{ "ldap-group-attribute", ATTRIBUTE, AT(ldap_group_attribute),	NULL,	    AT_START,  0, 0, NULL },
	{ "ldap-group-base",	DN,	     AT(ldap_group_base),	NULL,	    AT_START,  0, 0, NULL },
	{ "ldap-group-filter",	STRING,	     AT(ldap_group_filter),	NULL,	    AT_START,  0, 0, NULL },
	{ "ldap-bind-dn",	DN,	     AT(ldap_bind_dn),		NULL,	    AT_START,  0, 0, NULL },
	{ "ldap-password-file",	PATH,	     AT(ldap_password_file),	NULL,	    AT_START,  0, 0, NULL },
	{ "ldap-tls-ca",	PATH,	     AT(ldap_tls_ca),		NULL,	    AT_START,  0, 0, NULL },
	{ "ldap-starttls",	BOOL,	     AT(ldap_starttls),		"yes",	    AT_START,  0, 0, NULL },
	{ "ldap-timeout",	SECONDS,     AT(ldap_timeout_s),	"5",	    AT_START,  1, 60, NULL },
	{ "ldap-retry-time",	SECONDS,     AT(ldap_retry_time_s),	"10",	    AT_START,  1, 3600, NULL },
	{ "ldap-cache-time",	SECONDS,     AT(ldap_cache_time_s),	"300",	    AT_START,  0, 3600, NULL },
	{ "master-separator",	TEXT,	     AT(master_separator),	"*",	    AT_RELOAD, 0, 0, NULL },
	{ "user",		STRING,	     AT(user),			NULL,	    AT_START,  0, 0, NULL },
	{ "group",		STRING,	     AT(group),			NULL,	    AT_START,  0, 0, NULL },
	{ "log-level",		WORD,	     AT(log_level),		"info",	    AT_RELOAD, 0, 0, levels },
	{ "protocol-log",	PATH,	     AT(protocol_log),		NULL,	    AT_START,  0, 0, NULL },
	{ "protocol-log-size",	SIZE,	     AT(protocol_log_size_octets), "250M",  AT_START,  20 * MiB, UINT64_C(1) << 50, NULL },
	{ "protocol-log-time",	SECONDS,     AT(protocol_log_time_s),	"2592000",  AT_START,  DAY, 3650 * (uint64_t)DAY, NULL },
	{ "banner",		TEXT,	     AT(banner),		NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "login-type",		WORD,	     AT(login_type),		"secure",   AT_RELOAD, 0, 0, login_types },
	{ "auth-mechanisms",	WORDS,	     AT(auth_mechanisms),
	    "PLAIN;LOGIN;SCRAM-SHA-1;SCRAM-SHA-1-PLUS;SCRAM-SHA-256;SCRAM-SHA-256-PLUS;OAUTHBEARER;XOAUTH2;EXTERNAL",
	    AT_RELOAD, 0, 0, mechanisms },
	{ "oauth-issuer",	ISSUER,	     AT(oauth_issuer),		NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "oauth-audience",	NAMES,	     AT(oauth_audience),	NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "oauth-scope",	TEXT,	     AT(oauth_scope),		NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "oauth-user-claim",	STRING,	     AT(oauth_user_claim),	"email",    AT_RELOAD, 0, 0, NULL },
	{ "oauth-clock-skew",	SECONDS,     AT(oauth_clock_skew_s),	"60",	    AT_RELOAD, 0, 3600, NULL },
	{ "oauth-openid-configuration", TEXT, AT(oauth_openid_configuration), NULL, AT_RELOAD, 0, 0, NULL },
	{ "capability-mask",	MASK,	     AT(capability_mask),	NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "uidonly",		BOOL,	     AT(uidonly),		"no",	    AT_RELOAD, 0, 0, NULL },
	{ "deny-users",		NAMES,	     AT(deny_users),		NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "login-timeout",	SECONDS,     AT(login_timeout_s),	"60",	    AT_RELOAD, 1, DAY, NULL },
	{ "handshake-timeout",	SECONDS,     AT(handshake_timeout_s),	"30",	    AT_RELOAD, 1, DAY, NULL },
	{ "idle-timeout",	SECONDS,     AT(idle_timeout_s),	"1800",	    AT_RELOAD, 1, DAY, NULL },
	{ "drain-time",		SECONDS,     AT(drain_time_s),		"60",	    AT_RELOAD, 1, DAY, NULL },
	{ "auth-cache-time",	SECONDS,     AT(auth_cache_time_s),	"300",	    AT_START,  0, 3600, NULL },
	{ "max-connections",	NUMBER,	     AT(max_connections),	"2000",	    AT_RELOAD, 1, 1000000, NULL },
	{ "max-connections-per-user", NUMBER, AT(max_connections_per_user), "16",   AT_RELOAD, 1, 1000000, NULL },
	{ "max-connections-per-address", NUMBER, AT(max_connections_per_address), "200", AT_RELOAD, 1, 1000000, NULL },
	{ "max-command-size",	SIZE,	     AT(max_command_size_octets), "64K",    AT_RELOAD, 1024, MiB, NULL },
	{ "message-size-limit",	SIZE,	     AT(message_size_limit_octets), "64M",  AT_RELOAD, 1024, 4095 * MiB, NULL },
	{ "message-limit",	NUMBER,	     AT(message_limit),		"0",	    AT_RELOAD, 0, 1000000, NULL },
	{ "save-limit",		NUMBER,	     AT(save_limit),		"0",	    AT_RELOAD, 0, 1000000, NULL },
	{ "command-cpu-limit",	NUMBER,	     AT(command_cpu_limit_ms),	"60000",    AT_RELOAD, 1, DAY * 1000, NULL },
	{ "quota-storage",	SIZE,	     AT(quota_storage_octets),	"0",	    AT_RELOAD, 0, UINT64_C(1) << 50, NULL },
	{ "quota-messages",	NUMBER,	     AT(quota_messages),	"0",	    AT_RELOAD, 0, UINT32_MAX, NULL },
	{ "quota-mailboxes",	NUMBER,	     AT(quota_mailboxes),	"0",	    AT_RELOAD, 0, 10000, NULL },
	{ "quota-warning",	NUMBER,	     AT(quota_warning_percent), "90",	    AT_RELOAD, 0, 100, NULL },
	{ "lmtp-over-quota",	WORD,	     AT(lmtp_over_quota),	"temporary", AT_RELOAD, 0, 0, over_quotas },
	{ "expunge-retention",	PERIOD,	     AT(expunge_retention_s),	"14d",	    AT_RELOAD, 0, 3650 * DAY, NULL },
	{ "shared-seen",	WORD,	     AT(shared_seen),		"private",  AT_START, 0, 0, seen_sharings },
	{ "server-comment",	STRING,	     AT(server_comment),	NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "server-admin",	URI,	     AT(server_admin),		NULL,	    AT_RELOAD, 0, 0, NULL },
	{ "namespace-others",	FOLDER,	     AT(namespace_others),	"Other Users", AT_RELOAD, 0, 0, NULL },
	{ "namespace-shared",	FOLDER,	     AT(namespace_shared),	"Shared",   AT_RELOAD, 0, 0, NULL },
	{ "storage-threads",	NUMBER,	     AT(storage_threads),	"16",	    AT_START,  1, 1024, NULL },
	{ "compute-threads",	AUTO_NUMBER, AT(compute_threads),	"auto",	    AT_START,  1, 1024, NULL },
	{ "open-databases",	NUMBER,	     AT(open_databases),	"1000",	    AT_START,  1, 20000, NULL },
	{ "storage-compression", WORD,	     AT(storage_compression),	"zstd",	    AT_RELOAD, 0, 0, compressions },
	{ "flag-sync",		WORD,	     AT(flag_sync),		"lazy",	    AT_RELOAD, 0, 0, flag_syncs },
};
/* clang-format on */

size_t
option_find(struct span name)
{
	size_t i = 0;

	while (i < OPTION_COUNT && !span_equals(name, span_from_string(options[i].name)))
		i++;
	return i;
}

const struct option_word *
option_find_word(const char *name, struct span text)
{
	const struct option_word *word = options[option_find(span_from_string(name))].words;

	while (word->text != NULL && !span_equals_nocase(text, span_from_string(word->text)))
		word++;
	return word->text == NULL ? NULL : word;
}

void
setting_blame(struct setting *setting, size_t word)
{
	if (setting->problems != NULL && setting->reason->length > 0)
		config_complain(setting->problems, CONFIG_WRONG, setting->place, (unsigned)setting->word, "%s",
		    buffer_string(setting->reason));
	buffer_clear(setting->reason);
	setting->word = word;
}

bool
option_refuse(struct setting *setting, size_t word, const char *expected)
{
	struct span value = setting->values[word - 1];

	setting_blame(setting, word);
	config_quote(setting->reason, value);
	buffer_printf(setting->reason, " is not %s", expected);
	hint_quotes(value, setting->reason);
	return false;
}

bool
option_are_paths(struct setting *setting, size_t first)
{
	bool is_good = true;

	for (size_t i = first; i < setting->count; i++)
		if (setting->values[i].length == 0 || setting->values[i].at[0] != '/') {
			is_good = option_refuse(setting, i + 1, "an absolute path, which begins with \"/\"");
			hint_path(setting->values[i], setting->reason);
		}
	return is_good;
}

bool
option_is_said(const struct config *config, const char *name)
{
	return config->places->at[option_find(span_from_string(name))].place != NULL;
}

bool
config_is_usable(const struct config *config, const char *name)
{
	return !config->places->at[option_find(span_from_string(name))].is_wrong;
}

const struct config_place *
config_place(const struct config *config, const char *name)
{
	return config->places->at[option_find(span_from_string(name))].place;
}

const struct config_place *
config_name_place(const struct config *config, const char *option, size_t index, unsigned *word_out)
{
	size_t number = option_find(span_from_string(option));

	for (const struct config_place *place = config->places->all; place != NULL; place = place->next) {
		if (place->option != number)
			continue;
		*word_out = (unsigned)index + 1;
		if (*word_out < place->count)
			return place;
		index -= place->count - 1;
	}
	return NULL;
}

const char *
config_file(const struct config *config, size_t index)
{
	return index < config->places->file_count ? config->places->files[index] : NULL;
}

const char *
config_option_name(size_t index)
{
	return index < OPTION_COUNT ? options[index].name : NULL;
}
