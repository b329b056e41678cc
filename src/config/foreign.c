/*
 * Options as other IMAP servers call them, where no likeness tells which of ours does the same.  Pure.
 *
 * From Dovecot 2.3 and 2.4 (doc.dovecot.org), Cyrus (imapd.conf(5) of cyrus-imapd) and Courier (imapd and
 * imapd-ssl).
 */
#include "options.h"

#include "base/memory.h"

static const struct {
	const char *foreign, *own;	/* own NULL: none of ours does that, whatever is like it */
} names[] = {
	/* Dovecot */
	{ "protocols", NULL },
	{ "ssl_cert", "tls-certificate" },
	{ "ssl_key", "tls-key" },
	{ "ssl_server_cert_file", "tls-certificate" },
	{ "ssl_server_key_file", "tls-key" },
	{ "ssl_min_protocol", "tls-minimum" },
	{ "mail_location", "data-directory" },
	{ "mail_path", "data-directory" },
	{ "mail_home", "data-directory" },
	{ "mail_uid", "user" },
	{ "mail_gid", "group" },
	{ "login_greeting", "banner" },
	{ "passdb", "directory" },
	{ "userdb", "directory" },
	{ "disable_plaintext_auth", "login-type" },
	{ "auth_allow_cleartext", "login-type" },
	{ "haproxy_trusted_networks", "proxy-trusted" },
	{ "imap_max_line_length", "max-command-size" },
	{ "mail_max_userip_connections", "max-connections-per-user" },
	/* Cyrus */
	{ "tls_server_cert", "tls-certificate" },
	{ "tls_server_key", "tls-key" },
	{ "tls_cert_file", "tls-certificate" },
	{ "tls_key_file", "tls-key" },
	{ "configdirectory", "data-directory" },
	{ "partition-default", "data-directory" },
	{ "servername", "hostname" },
	{ "server_name", "hostname" },
	{ "allowplaintext", "login-type" },
	{ "timeout", "idle-timeout" },
	{ "maxlogins_per_user", "max-connections-per-user" },
	{ "maxlogins_per_host", "max-connections-per-address" },
	{ "maxmessagesize", "message-size-limit" },
	/* Courier */
	{ "TLS_CERTFILE", "tls-certificate" },
	{ "TLS_PRIVATE_KEYFILE", "tls-key" },
	{ "MAXDAEMONS", "max-connections" },
	{ "MAXPERIP", "max-connections-per-address" },
	{ "PORT", "listen" },
	{ "ADDRESS", "listen" },
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
foreign_find(struct span name, const char **own_out)
{
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (is_same(name, span_from_string(names[i].foreign))) {
			*own_out = names[i].own;
			return true;
		}
	return false;
}
