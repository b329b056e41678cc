/*
 * Options and words as other IMAP servers call them, where no likeness tells which of ours does the same.  Pure.
 *
 * From Dovecot 2.3 and 2.4 (doc.dovecot.org), Cyrus (imapd.conf(5) of cyrus-imapd), Courier (imapd and imapd-ssl) and
 * Set-ImapSettings of Exchange Server.
 */
#include "options.h"

#include "base/memory.h"

#define OTHER_MAIL  "mail is kept in files of imapd's own below data-directory, and imapctl import brings other mail in"
#define OTHER_USERS "imapctl user import brings users in with the hashes of their passwords, from shadow or Dovecot's passwd-file"

static const struct {
	const char *foreign, *own;	/* own NULL: none of ours does that, whatever is like it */
	const char *note;		/* ... but what is to be known; NULL: nothing */
} names[] = {
	/* Dovecot */
	{ "dovecot_config_version", NULL, "that is a configuration of Dovecot; imapd-tutorial(7) has one to begin with" },
	{ "dovecot_storage_version", NULL, NULL },
	{ "protocols", NULL, "IMAP is served where listen says, LMTP where lmtp-listen does" },
	{ "ssl", NULL, "there is TLS once there are tls-certificate and tls-key" },
	{ "log_path", NULL, "the log goes to standard error, of which systemd keeps it" },
	{ "mail_location", NULL, OTHER_MAIL },
	{ "mail_driver", NULL, OTHER_MAIL },
	{ "mail_path", NULL, OTHER_MAIL },
	{ "mail_home", NULL, OTHER_MAIL },
	{ "postmaster_address", "postmaster", NULL },
	{ "auth_master_user_separator", "master-separator", NULL },
	{ "recipient_delimiter", NULL, "what follows a + in an address is always left out" },
	{ "ssl_client_ca_file", "tls-client-ca", NULL },
	{ "ssl_ca", "tls-client-ca", NULL },
	{ "quota_storage_size", "quota-storage", NULL },
	{ "ssl_cert", "tls-certificate", NULL },
	{ "ssl_key", "tls-key", NULL },
	{ "ssl_server_cert_file", "tls-certificate", NULL },
	{ "ssl_server_key_file", "tls-key", NULL },
	{ "ssl_min_protocol", "tls-minimum", NULL },
	{ "mail_uid", "user", NULL },
	{ "mail_gid", "group", NULL },
	{ "login_greeting", "banner", NULL },
	{ "passdb", "directory", NULL },
	{ "userdb", "directory", NULL },
	{ "disable_plaintext_auth", "login-type", NULL },
	{ "auth_allow_cleartext", "login-type", NULL },
	{ "haproxy_trusted_networks", "proxy-trusted", NULL },
	{ "imap_max_line_length", "max-command-size", NULL },
	{ "mail_max_userip_connections", "max-connections-per-user", NULL },
	/* Cyrus */
	{ "admins", NULL, "root and the members of the group imapd-admin are" },
	{ "unixhierarchysep", NULL, "a slash parts the names of mailboxes" },
	{ "lmtpsocket", "lmtp-listen", NULL },
	{ "sasl_mech_list", "auth-mechanisms", NULL },
	{ "sasl_pwcheck_method", "directory", NULL },
	{ "tls_client_ca_file", "tls-client-ca", NULL },
	{ "tls_versions", "tls-minimum", NULL },
	{ "autocreate_quota", "quota-storage", NULL },
	{ "expunge_mode", "expunge-retention", NULL },
	{ "delete_mode", "expunge-retention", NULL },
	{ "tls_server_cert", "tls-certificate", NULL },
	{ "tls_server_key", "tls-key", NULL },
	{ "tls_cert_file", "tls-certificate", NULL },
	{ "tls_key_file", "tls-key", NULL },
	{ "configdirectory", "data-directory", NULL },
	{ "partition-default", "data-directory", NULL },
	{ "servername", "hostname", NULL },
	{ "server_name", "hostname", NULL },
	{ "allowplaintext", "login-type", NULL },
	{ "timeout", "idle-timeout", NULL },
	{ "maxlogins_per_user", "max-connections-per-user", NULL },
	{ "maxlogins_per_host", "max-connections-per-address", NULL },
	{ "maxmessagesize", "message-size-limit", NULL },
	/* Courier */
	{ "TLS_CERTFILE", "tls-certificate", NULL },
	{ "TLS_PRIVATE_KEYFILE", "tls-key", NULL },
	{ "MAXDAEMONS", "max-connections", NULL },
	{ "MAXPERIP", "max-connections-per-address", NULL },
	{ "PORT", "listen", NULL },
	{ "ADDRESS", "listen", NULL },
	{ "SSLPORT", "listen", NULL },
	{ "SSLADDRESS", "listen", NULL },
	/* Exchange Server: imapd-exchange(7) */
	{ "Set-ImapSettings", NULL, "imapd-exchange(7) has an option for each of its parameters" },
	{ "X509CertificateName", "tls-certificate", NULL },
	{ "UnencryptedOrTLSBindings", "listen", NULL },
	{ "SSLBindings", "listen", NULL },
	{ "AuthenticatedConnectionTimeout", "idle-timeout", NULL },
	{ "PreAuthenticatedConnectionTimeout", "login-timeout", NULL },
	{ "MaxConnectionFromSingleIP", "max-connections-per-address", NULL },
	{ "ProtocolLogEnabled", "protocol-log", NULL },
	{ "LogFileLocation", "protocol-log", NULL },
	{ "LogPerFileSizeQuota", "protocol-log-size", NULL },
	{ "ProxyTargetPort", "mailbox-server", NULL },
	{ "ExternalConnectionSettings", NULL, "programs are told hostname and the ports of listen: autoconfig-listen" },
	{ "InternalConnectionSettings", NULL, "programs are told hostname and the ports of listen: autoconfig-listen" },
};

/* Words of values. */
static const struct {
	const char *option, *foreign, *own;	/* own NULL: none of ours does that */
	const char *note;
} words[] = {
	{ "tls-minimum", "TLSv1", "1.2", NULL },
	{ "tls-minimum", "TLSv1.0", "1.2", NULL },
	{ "tls-minimum", "TLSv1.1", "1.2", NULL },
	{ "tls-minimum", "TLSv1.2", "1.2", NULL },
	{ "tls-minimum", "TLSv1.3", "1.3", NULL },
	{ "tls-minimum", "TLS1.2", "1.2", NULL },
	{ "tls-minimum", "TLS1.3", "1.3", NULL },
	{ "tls-minimum", "TLS1_2", "1.2", NULL },
	{ "tls-minimum", "TLS1_3", "1.3", NULL },
	{ "tls-minimum", "SSLv3", "1.2", NULL },
	{ "login-type", "SecureLogin", "secure", NULL },
	{ "login-type", "PlainTextLogin", "plain", NULL },
	{ "login-type", "PlainTextAuthentication", "plain-auth", NULL },
	{ "directory", "pam", NULL, OTHER_USERS },
	{ "directory", "passwd", NULL, OTHER_USERS },
	{ "directory", "shadow", NULL, OTHER_USERS },
	{ "directory", "passwd-file", NULL, OTHER_USERS },
	{ "directory", "static", NULL, OTHER_USERS },
	{ "directory", "sql", NULL, OTHER_USERS },
	{ "directory", "mysql", NULL, OTHER_USERS },
	{ "directory", "pgsql", NULL, OTHER_USERS },
	{ "directory", "saslauthd", NULL, OTHER_USERS },
	{ "directory", "auxprop", NULL, OTHER_USERS },
};

static uint8_t
spelled(uint8_t octet)
{
	return octet == '_' ? '-' : ascii_lower(octet);
}

static bool
is_same(struct span a, struct span b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (spelled(a.at[i]) != spelled(b.at[i]))
			return false;
	return true;
}

bool
foreign_find(struct span name, const char **own_out, const char **note_out)
{
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (is_same(name, span_from_string(names[i].foreign))) {
			*own_out = names[i].own;
			*note_out = names[i].note;
			return true;
		}
	return false;
}

bool
foreign_find_word(const char *option, struct span word, const char **own_out, const char **note_out)
{
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(option, words[i].option) == 0 && is_same(word, span_from_string(words[i].foreign))) {
			*own_out = words[i].own;
			*note_out = words[i].note;
			return true;
		}
	return false;
}
