/*
 * imapd.conf: what is read, what is refused and how it is said, and that imapd.conf(5) knows it all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/config.h"

struct file {
	const char *path, *text;
};

static bool
read_from_table(void *context, const char *path, struct buffer *text_out, struct config_file_id *id_out,
    const char **reason_out)
{
	(void)id_out;
	for (const struct file *file = context; file->path != NULL; file++) {
		if (strcmp(file->path, path) != 0)
			continue;
		buffer_add_string(text_out, file->text);
		return true;
	}
	*reason_out = "No such file or directory";
	return false;
}

static struct config *
load(const char *text, const char *included, struct config_problems *problems)
{
	struct file files[] = {
		{ "/etc/imapd/imapd.conf", text }, { "/etc/imapd/more.conf", included }, { NULL, NULL },
	};

	return config_load("/etc/imapd/imapd.conf", read_from_table, files, problems);
}

static void
has_defaults(void **state)
{
	struct config_problems problems = { 0 };
	struct config *config = load("# nothing\n\n", "", &problems);

	(void)state;
	assert_non_null(config);
	assert_int_equal(problems.count, 0);
	assert_int_equal(config->role, CONFIG_ROLE_BOTH);
	assert_string_equal(config->data_directory, "/var/lib/imapd");
	assert_int_equal(config->listen.count, 2);
	assert_true(config->listen.at[0].is_tls);
	assert_string_equal(config->listen.at[0].host, "::");
	assert_int_equal(config->listen.at[0].port, 993);
	assert_int_equal(config->listen.at[1].port, 143);
	assert_int_equal(config->lmtp_listen.count, 0);
	assert_int_equal(config->message_size_limit_octets, 64 << 20);
	assert_int_equal(config->compute_threads, 0);
	assert_int_equal(config->auth_mechanisms.count, 9);
	assert_int_equal(config->open_databases, 1000);
	assert_non_null(config->hostname);
	config_free(&config);
	assert_null(config);
	config_free(&config);
	config_problems_free(&problems);
}

#ifdef HAVE_LDAP
#define DIRECTORY "directory ldap ldaps://a ldap://b:1389\n"
#else
#define DIRECTORY ""
#endif

static void
print(const struct config *config, struct buffer *out)
{
	for (size_t i = 0; config_option_name(i) != NULL; i++)
		config_print_option(config, i, out);
}

static void
reads(void **state)
{
	struct config_problems problems = { 0 };
	struct buffer one = { 0 }, two = { 0 };
	struct config *config = load("hostname mail.example.org  # a comment\r\n"
	    "\tlisten imap 127.0.0.1:1143\nlisten imaps [::1]:0 proxy\ninclude more.conf\n"
	    "proxy-trusted 10.0.0.0/8\nproxy-trusted 2001:db8::/32\nproxy-trusted ::1\nbanner \"Ready, \\\"so to say\\\"\"\n"
	    "tls-certificate-for *.example.org \"/a b\" /k\ndeny-users eve mallory\ndeny-users trudy\n"
	    "auth-mechanisms PLAIN scram-sha-256\nauth-mechanisms LOGIN\n"
	    "capability-mask IDLE,MOVE user=a* address=10.0.0.0/8 \"id=a \\\"phone\\\"\"\ncapability-mask ID\n"
	    "oauth-issuer https://a.example /a \"/b c\"\noauth-issuer https://b.example /d\noauth-audience imap mail\n"
	    "tls-client-ca /ca\ntls-client-user commonName\n"
	    "login-type plain\nmessage-size-limit 512k\nlog-level debug", "role mailbox\n"
	    "lmtp-listen /run/lmtp\nlmtp-listen *:24\nstorage-compression none\nflag-sync always\n" DIRECTORY, &problems);
	struct config *again;

	(void)state;
	assert_non_null(config);
	assert_string_equal(config->hostname, "mail.example.org");
	assert_int_equal(config->listen.count, 2);
	assert_string_equal(config->listen.at[0].host, "127.0.0.1");
	assert_false(config->listen.at[0].is_tls);
	assert_string_equal(config->listen.at[1].host, "::1");
	assert_true(config->listen.at[1].is_proxy);
	assert_false(config->listen.at[0].is_proxy);
	assert_int_equal(config->deny_users.count, 3);
	assert_int_equal(config->oauth_issuer.count, 2);
	assert_string_equal(config->oauth_issuer.at[0].files[1], "/b c");
	assert_int_equal(config->oauth_audience.count, 2);
	assert_int_equal(config->tls_client_user, CONFIG_USER_COMMON_NAME);
	assert_int_equal(config->capability_mask.count, 2);
	assert_string_equal(config->capability_mask.at[0].capabilities[1], "MOVE");
	assert_string_equal(config->capability_mask.at[0].id, "a \"phone\"");
	assert_int_equal(config->auth_mechanisms.count, 3);
	assert_true(config_has_mechanism(config, "SCRAM-SHA-256"));	/* as the table writes it */
	assert_false(config_has_mechanism(config, "SCRAM-SHA-1"));
	assert_string_equal(config->banner, "Ready, \"so to say\"");
	assert_string_equal(config->tls_certificate_for.at[0].certificate, "/a b");
	assert_int_equal(config->role, CONFIG_ROLE_MAILBOX);
	assert_string_equal(config->lmtp_listen.at[0].path, "/run/lmtp");
	assert_string_equal(config->lmtp_listen.at[1].host, "*");
	assert_int_equal(config->message_size_limit_octets, 512 << 10);
	assert_int_equal(config->flag_sync, CONFIG_FLAG_SYNC_ALWAYS);
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
#ifdef HAVE_LDAP
	assert_int_equal(config->directory, CONFIG_DIRECTORY_LDAP);
	assert_int_equal(config->ldap_servers.count, 2);
	assert_string_equal(config->ldap_servers.at[1], "ldap://b:1389");
#endif
	assert_int_equal(problems.count, 0);
	assert_true(config_set_role(config, SPAN("cas"), &problems));
	assert_false(config_set_role(config, SPAN("case"), &problems));
	assert_int_equal(config->role, CONFIG_ROLE_CAS);
	assert_int_equal(problems.count, 1);

	/* What is printed reads back as the same. */
	print(config, &one);
	again = load(buffer_string(&one), "", &problems);
	assert_non_null(again);
	print(again, &two);
	assert_true(span_equals(buffer_span(&one), buffer_span(&two)));
	buffer_clear(&one);
	again->idle_timeout_s++;
	again->storage_threads++;
	config_list_restart_needed(config, again, &one);
	assert_string_equal(buffer_string(&one), "storage-threads: applies at the next start\n");
	config_free(&config);
	config_free(&again);
	config_problems_free(&problems);
	buffer_free(&one);
	buffer_free(&two);
}

static void
reports_errors(void **state)
{
#define F "/etc/imapd/imapd.conf:"
#define TEN " a b c d e f g h i j"
	static const struct {
		const char *text, *included, *errors;
	} cases[] = {
		/* Words and their number. */
		{ "lisen imap [::]:1\n  role bot\n", "",
		    F "1:1: there is no option \"lisen\"; did you mean \"listen\"?\n"
		    F "2:8: role cannot be \"bot\"; did you mean \"both\"?\n" },
		{ "x y\n", "", F "1:1: there is no option \"x\"; imapd.conf(5) has all that there are\n" },
		{ "tls_cert etc\n", "", F "1:1: there is no option \"tls_cert\"; did you mean \"tls-certificate\"?\n"
		    F "1:10: \"etc\" is not an absolute path, which begins with \"/\"\n" },
		{ "hostname a b\n", "",
		    F "1:10: hostname takes one value; put quotation marks (\") around one with spaces\n" },
		{ "\thostname\n", "", F "1:2: hostname takes one value, and there is none\n" },
		{ "hostname \"a\n", "", F "1:10: the quotation mark is not closed\n" },
		{ "hostname" TEN TEN TEN TEN TEN TEN " a b c d e f\n", "", F "1:138: too many words\n" },
		{ "hostname a\1\n", "", F "1:11: a control character cannot be in a configuration\n" },
		{ "role cas\nrole both\n", "", F "2:1: role is set in /etc/imapd/imapd.conf:1 already\n" },
		{ "hostname = a.b # c\n", "", F "1:10: there is no \"=\" between an option and its value; "
		    "did you mean \"hostname a.b\"?\n" },
		{ "  hostnam =a.b\n", "", F "1:3: there is no option \"hostnam\"; did you mean \"hostname\"?\n"
		    F "1:11: there is no \"=\" between an option and its value; did you mean \"hostname a.b\"?\n" },
		{ "log-level=deubg\n", "", F "1:1: there is no \"=\" between an option and its value; "
		    "did you mean \"log-level deubg\"?\n" F "1:11: log-level cannot be \"deubg\"; did you mean \"debug\"?\n" },
		{ "hostname: a.b\n", "", F "1:1: there is no \":\" between an option and its value; "
		    "did you mean \"hostname a.b\"?\n" },
		{ "imap {\n}\n", "", F "1:6: there are no sections: each line is an option and its value\n"
		    F "2:1: there are no sections: each line is an option and its value\n" },
		{ "; x\n// y\n", "", F "1:1: a comment begins with \"#\"\n" F "2:1: a comment begins with \"#\"\n" },
		{ "\xff\xfeh\0o", "", F "1:1: the file is in UTF-16; save it as UTF-8\n" },
		{ "\xef\xbb\xbfrole x\r\n", "", F "1:1: warning: the file begins with a byte order mark, which is skipped; "
		    "save it without\n" F "1:6: role cannot be \"x\"; there is cas, mailbox, both\n" },

		/* Addresses. */
		{ "listen imap\n", "", F "1:1: listen takes imap or imaps, an address, and perhaps proxy; "
		    "did you mean \"listen imap [::]:143\"?\n" },
		{ "listen [::1]:993\n", "", F "1:1: listen takes imap or imaps, an address, and perhaps proxy; "
		    "did you mean \"listen imaps [::1]:993\"?\n" },
		{ "listen imap ::1:1 proxy x\n", "", F "1:25: listen takes imap or imaps, an address, and perhaps proxy\n" },
		{ "listen pop3 [::]:1\n", "", F "1:8: \"pop3\" is not \"imap\" or \"imaps\"\n" },
		{ "listen smtp [::]:1\n", "", F "1:8: \"smtp\" is not \"imap\" or \"imaps\"\n" },
		{ "listen inaps [::]:1\n", "", F "1:8: \"inaps\" is not \"imap\" or \"imaps\"; did you mean \"imaps\"?\n" },
		{ "listen 993 imaps\n", "", F "1:8: \"993\" is not \"imap\" or \"imaps\", which comes before the address\n" },
		{ "listen imaps 993\n", "", F "1:14: \"993\" is not ADDRESS:PORT; did you mean \"[::]:993\"?\n" },
		{ "listen imaps :993\n", "", F "1:14: \":993\" has no address before the colon; did you mean \"[::]:993\"?\n" },
		{ "listen imap ::1:1\n", "", F "1:13: \"::1:1\" has an IPv6 address without brackets; "
		    "did you mean \"[::1]:1\"?\n" },
		{ "listen imaps fe80::1\n", "", F "1:14: \"fe80::1\" has an IPv6 address without brackets; "
		    "did you mean \"[fe80::1]:993\"?\n" },
		{ "listen imap [::]:65536\n", "", F "1:13: \"[::]:65536\" has no port from 1 to 65535\n" },
		{ "listen imap 127.0.0.1:imap2\n", "", F "1:13: \"127.0.0.1:imap2\" has no port that is a number; "
		    "did you mean \"127.0.0.1:143\"?\n" },
		{ "listen imap 10.0.0.1\n", "", F "1:13: \"10.0.0.1\" has no port; did you mean \"10.0.0.1:143\"?\n" },
		{ "listen imap 10.0.0.1:\n", "", F "1:13: \"10.0.0.1:\" has no port behind the colon\n" },
		{ "listen imap 10.0.1:143\n", "", F "1:13: \"10.0.1:143\" has no IPv4 address, which is four numbers from 0 to 255\n" },
		{ "listen imap [10.0.0.1]:143\n", "", F "1:13: \"[10.0.0.1]:143\" has brackets, which are for IPv6; "
		    "did you mean \"10.0.0.1:143\"?\n" },
		{ "listen imap [fe80::g]:143\n", "", F "1:13: \"[fe80::g]:143\" has no IPv6 address in its brackets\n" },
		{ "listen imap localhost:143\n", "", F "1:13: \"localhost:143\" has a name, where an address of this host "
		    "has to be; did you mean \"127.0.0.1:143\"?\n" },
		{ "listen imap 127.0.0.1:143 proxi\n", "", F "1:27: \"proxi\" is not \"proxy\"\n" },
		{ "lmtp-listen 24\n", "", F "1:13: \"24\" is not ADDRESS:PORT; did you mean \"127.0.0.1:24\"?\n" },
		{ "lmtp-listen run/lmtp\n", "", F "1:13: \"run/lmtp\" is not an absolute path, ADDRESS:PORT or \"none\"\n" },
		{ "link-listen /run/link\n", "", F "1:13: \"/run/link\" is not ADDRESS:PORT or \"none\"\n" },
		{ "mailbox-server mbx1\n", "", F "1:1: mailbox-server takes a name and an address\n" },
		{ "mailbox-server mbx1 10.0.0.5\n", "",
		    F "1:21: \"10.0.0.5\" has no port; did you mean \"10.0.0.5:1993\"?\n" },
		{ "mailbox-server mbx1 b:0\n", "", F "1:21: \"b:0\" is not HOST:PORT or [IPV6]:PORT\n" },
		{ "mailbox-server a x:1\nmailbox-server a x:2\n", "",
		    F "2:16: \"a\" is not a name of its own: there is one before\n" },
		{ "proxy-trusted 10.0.0.1/8\n", "", F "1:15: \"10.0.0.1/8\" is not a network: it has bits behind those that "
		    "count; did you mean \"10.0.0.0/8\"?\n" },
		{ "proxy-trusted 10.0.0.0/33\nproxy-trusted 1.2.3\n", "",
		    F "1:15: \"10.0.0.0/33\" is not a network such as 192.0.2.0/24, 2001:db8::/32 or 127.0.0.1\n"
		    F "2:15: \"1.2.3\" is not a network such as 192.0.2.0/24, 2001:db8::/32 or 127.0.0.1\n" },

		/* The directory. */
		{ "directory\n", "", F "1:1: directory takes sqlite, or ldap and its servers, or link and a mailbox server, "
		    "and there is none\n" },
		{ "directory sqlite x\n", "", F "1:18: sqlite takes no more words\n" },
		{ "directory link\n", "", F "1:11: link needs the name of a mailbox-server behind it\n" },
		{ "directory link a b\n", "", F "1:18: link takes the name of one mailbox-server\n" },
		{ "directory ldap\n", "", F "1:11: ldap needs servers behind it, such as ldaps://ldap.example.org\n" },
		{ "directory linq x\n", "", F "1:11: directory cannot be \"linq\"; did you mean \"link\"?\n" },
#ifdef HAVE_LDAP
		{ "directory lap x\n", "", F "1:11: directory cannot be \"lap\"; did you mean \"ldap\"?\n"
		    F "1:15: \"x\" is not ldap://HOST, ldaps://HOST or ldapi://PATH; did you mean \"ldap://x\"?\n" },
		{ "directory ldap ldap://a http://b\n", "",
		    F "1:25: \"http://b\" is not ldap://HOST, ldaps://HOST or ldapi://PATH\n" },
		{ "directory ldap ldap.example.org\n", "", F "1:16: \"ldap.example.org\" is not ldap://HOST, ldaps://HOST or "
		    "ldapi://PATH; did you mean \"ldap://ldap.example.org\"?\n" },
		{ "directory ldap ldap://a,ldap://b\n", "", F "1:16: \"ldap://a,ldap://b\" is not one LDAP server: a space "
		    "parts them, and no comma\n" },
		{ "directory ldap ldap://a:99999\n", "", F "1:16: \"ldap://a:99999\" is not an LDAP server, since it has no "
		    "port from 1 to 65535\n" },
		{ "directory ldap ldaps:///dc=a\n", "", F "1:16: \"ldaps:///dc=a\" is not an LDAP server, since it has no host\n" },
		{ "directory ldap ldapi:///run/ldapi\n", "", F "1:16: \"ldapi:///run/ldapi\" is not ldapi://PATH with %2F for "
		    "each slash of the path\n" },
#else
		{ "directory ldap ldap://a\n", "", F "1:11: this imapd was built without LDAP\n" },
#endif

		/* Numbers, sizes and durations. */
		{ "login-timeout 0\n", "", F "1:15: 0 is not between 1 and 86400\n" },
		{ "login-timeout -1\n", "", F "1:15: \"-1\" is not a whole number of seconds; the most is 86400\n" },
		{ "login-timeout 60s\nidle-timeout 1h\n", "",
		    F "1:15: \"60s\" is not a whole number of seconds; did you mean \"60\"?\n"
		    F "2:14: \"1h\" is not a whole number of seconds; did you mean \"3600\"?\n" },
		{ "max-connections unlimited\n", "", F "1:17: \"unlimited\" is not a whole number; the most is 1000000\n" },
		{ "max-connections 10,000\n", "", F "1:17: \"10,000\" is not a whole number; did you mean \"10000\"?\n" },
		{ "message-size-limit 99999999999999999999G\n", "",
		    F "1:20: \"99999999999999999999G\" is not a size such as 512K, 64M or 1G\n" },
		{ "message-size-limit 64MB\n", "",
		    F "1:20: \"64MB\" is not a size such as 512K, 64M or 1G; did you mean \"64M\"?\n" },
		{ "message-size-limit 1.5G\n", "",
		    F "1:20: \"1.5G\" is not a size such as 512K, 64M or 1G; did you mean \"1536M\"?\n" },
		{ "max-command-size 512\n", "", F "1:18: 512 is not between 1K and 1M\n" },
		{ "config-version 2\n", "", F "1:16: 2 is not what this imapd knows, which is 1\n" },

		/* Other values. */
		{ "hostname mail_1.a,b\n", "", F "1:10: \"mail_1.a,b\" is not the name of a host\n" },
		{ "hostname a.b;\n", "", F "1:10: \"a.b;\" is not the name of a host; did you mean \"a.b\"?\n" },
		{ "hostname 'a.b'\n", "", F "1:10: \"'a.b'\" is not the name of a host; the quotation mark is \"\n" },
		{ "data-directory mail\n", "", F "1:16: \"mail\" is not an absolute path, which begins with \"/\"\n" },
		{ "tls-certificate-for *.a_b.example /c /k\ntls-certificate-for *.A_B.example /c /k\n", "",
		    F "2:21: \"*.A_B.example\" is not a name of its own: there is one before\n" },
		{ "tls-certificate-for a.*.example /c /k\n", "",
		    F "1:21: \"a.*.example\" is not a server's name, or \"*.\" and a domain\n" },
		{ "tls-certificate-for a.example /c k\n", "", F "1:34: \"k\" is not an absolute path, which begins with \"/\"\n" },
		{ "tls-certificate-for a.example /c\n", "",
		    F "1:1: tls-certificate-for takes a server's name, a certificate and its key\n" },
		{ "server-admin postmaster\n", "",
		    F "1:14: \"postmaster\" is not a URI such as mailto:postmaster@example.org\n" },
		{ "server-admin mailto:\n", "",
		    F "1:14: \"mailto:\" is not a URI such as mailto:postmaster@example.org\n" },
		{ "server-admin \"tel:1 2\"\n", "",
		    F "1:14: \"tel:1 2\" is not a URI such as mailto:postmaster@example.org\n" },
		{ "banner \"bl\xc3\xa4h\"\n", "",
		    F "1:8: \"bl\xc3\xa4h\" is not a text of printable ASCII characters\n" },
		{ "login-type secured\n", "",
		    F "1:12: login-type cannot be \"secured\"; did you mean \"secure\"?\n" },
		{ "auth-mechanisms PLAIN SCRAM-SHA-265 CRAM-MD5\nauth-mechanisms\n", "",
		    F "1:23: auth-mechanisms cannot be \"SCRAM-SHA-265\"; did you mean \"SCRAM-SHA-256\"?\n"
		    F "1:37: auth-mechanisms cannot be \"CRAM-MD5\"; there is PLAIN, LOGIN, SCRAM-SHA-1, SCRAM-SHA-1-PLUS, "
		    "SCRAM-SHA-256, SCRAM-SHA-256-PLUS, OAUTHBEARER, XOAUTH2, EXTERNAL\n"
		    F "2:1: auth-mechanisms takes one or more of its words, and there is none\n" },
		{ "oauth-issuer https://a.example\noauth-issuer a b\noauth-issuer c /c\noauth-issuer c /d\n", "",
		    F "1:1: oauth-issuer takes the name that tokens have for it, and files of keys\n"
		    F "2:16: \"b\" is not an absolute path, which begins with \"/\"\n"
		    F "4:14: \"c\" is not a name of its own: there is one before\n" },
		{ "capability-mask\ncapability-mask IDLE user=\ncapability-mask IDLE,,MOVE\n", "",
		    F "1:1: capability-mask takes capabilities, and perhaps user=, address= and id=, and there is none\n"
		    F "2:22: \"user=\" is not user=PATTERN, address=NETWORK or id=WORD, each at most once\n"
		    F "3:17: \"IDLE,,MOVE\" is not a list of capabilities such as IDLE,MOVE\n" },
		{ "deny-users\n", "", F "1:1: deny-users takes names, up to 64 in a line, and there is none\n" },
		{ "ldap-starttls on\n", "", F "1:15: \"on\" is not \"yes\" or \"no\"; did you mean \"yes\"?\n" },

		/* Files. */
		{ "include more.conf\nx y\n", "\nrole x\n",
		    "/etc/imapd/more.conf:2:6: role cannot be \"x\"; there is cas, mailbox, both\n"
		    F "2:1: there is no option \"x\"; imapd.conf(5) has all that there are\n" },
		{ "include more.conf\n", "include imapd.conf\n",
		    "/etc/imapd/more.conf:1:9: /etc/imapd/imapd.conf: the file includes itself\n" },
		{ "include none.conf\nincldue *.conf\n", "",
		    F "1:9: /etc/imapd/none.conf: No such file or directory\n"
		    F "2:1: there is no option \"incldue\"; did you mean \"include\"?\n"
		    F "2:9: /etc/imapd/*.conf: No such file or directory; include reads one file and knows no patterns\n" },
		{ "include\n", "", F "1:1: include takes the name of one file\n" },
		{ "include more.conf less.conf\n", "", F "1:19: include takes the name of one file\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct config_problems problems = { 0 };
		struct buffer errors = { 0 };
		struct config *config = load(cases[i].text, cases[i].included, &problems);

		assert_non_null(config);
		config_problems_print(&problems, &errors);
		assert_string_equal(buffer_string(&errors), cases[i].errors);
		buffer_free(&errors);
		config_problems_free(&problems);
		config_free(&config);
	}
}

#define MAILBOX "role mailbox\nlink-listen 10.0.0.5:1993\nlink-key /k\n"
#define CAS "role cas\ntls-certificate /a\ntls-key /b\n"

static void
checks_what_must_fit(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} cases[] = {
		{ "", false },
		{ "role mailbox", false },
		{ "role mailbox\nlink-listen 10.0.0.5:1993", false },
		{ MAILBOX, true },
		{ "role mailbox\nlink-listen 10.0.0.5:1993\nlink-certificate /c\nlink-ca /a", false },
		{ "role mailbox\nlink-listen 10.0.0.5:1993\nlink-certificate /c\nlink-ca /a\n"
		    "link-private-key /k", true },
		{ MAILBOX "link-certificate /c\nlink-ca /a\nlink-private-key /k", false },
		{ MAILBOX "directory link a\nmailbox-server a b:1", false },
		{ CAS, false },
		{ CAS "mailbox-server mbx1 10.0.0.5:1993", false },
		{ CAS "mailbox-server mbx1 10.0.0.5:1993\nlink-key /k", true },
		{ CAS "mailbox-server mbx1 10.0.0.5:1993\nlink-key /k\ndirectory link mbx1", true },
		{ CAS "mailbox-server mbx1 10.0.0.5:1993\nlink-key /k\ndirectory link mbx2", false },
		{ CAS "mailbox-server mbx1 10.0.0.5:1993\nlink-key /k\ndirectory link mbx1\nauth-mechanisms SCRAM-SHA-256",
		    false },
		{ CAS "mailbox-server mbx1 10.0.0.5:1993\nlink-key /k\nauth-mechanisms SCRAM-SHA-256", true },
		{ "listen imap [::]:143", false },
		{ "listen imap [::]:143\nlogin-type plain-auth\nauth-mechanisms PLAIN SCRAM-SHA-256-PLUS", false },
		{ "listen imap [::]:143\nlogin-type plain", true },
		{ "listen imap [::]:143\nlogin-type plain-auth", true },
		{ "listen imap [::]:143\nlogin-type secure", false },
		{ "listen imap [::]:143 proxy\nlogin-type plain", false },
		{ "listen imap [::]:143 proxy\nlogin-type plain\nproxy-trusted ::1", true },
		{ "listen imap [::]:143\nlogin-type plain\ntls-certificate-for a /c /k", false },
		{ "tls-certificate /a\ntls-key /b", true },
		{ "tls-certificate /a\ntls-key /b\nmessage-limit 999", false },
		{ "tls-certificate /a\ntls-key /b\nmessage-limit 1000\nsave-limit 0", true },
		{ "tls-certificate /a\ntls-key /b\nmessage-limit 0\nsave-limit 1000", true },
		{ "tls-certificate /a\ntls-key /b\nsave-limit 1", false },
		{ "tls-certificate /a\ntls-key /b\nmessage-limit 1000\nsave-limit 1000", false },
		{ "tls-certificate /a", false },
		{ MAILBOX "tls-key /b", false },
#ifdef HAVE_LDAP
#define LDAP MAILBOX "directory ldap ldap://a ldaps://b\n"
		{ LDAP, false },
		{ LDAP "ldap-base dc=org", true },
		{ LDAP "ldap-base dc=org\nldap-filter (uid=tim)", false },
		{ LDAP "ldap-base uid=%n,dc=%d\nldap-filter (uid=*)", true },
		{ LDAP "ldap-base dc=org\nldap-filter (uid=%x)", false },
		{ LDAP "ldap-base dc=%\n", false },
		{ LDAP "ldap-base dc=org\nldap-filter uid=%u", false },
		{ LDAP "ldap-base dc=org\nldap-bind-dn cn=imapd", false },
		{ LDAP "ldap-base dc=org\nldap-password-file /a", false },
		{ LDAP "ldap-base dc=org\nldap-bind-dn cn=imapd\nldap-password-file /a", true },
#endif
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct config_problems problems = { 0 };
		struct config *config = load(cases[i].text, "", &problems);

		assert_int_equal(problems.count, 0);
		config_check(config, &problems);
		if ((config_problems_count(&problems, CONFIG_WRONG) == 0) != cases[i].is_good)
			fail_msg("%s", cases[i].text);
		config_free(&config);
		config_problems_free(&problems);
	}
}

static void
networks_have(void **state)
{
	static const struct {
		const char *network, *address;
		bool is_in;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.0.1", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.0/8", "::ffff:10.1.2.3", true },
		{ "10.0.0.0/8", "unix", false },
		{ "0.0.0.0/0", "192.0.2.1", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "192.0.2.1", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "2001:db8::/31", "2001:db9::1", true },
		{ "2001:db8::/32", "2001:db9::1", false },
		{ "2001:db8::/32", "fe80::1%lo", false },
		{ "2001:db8::1", "2001:db8:0:0::1", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct config_problems problems = { 0 };
		struct buffer text = { 0 };
		struct config *config;

		buffer_printf(&text, "proxy-trusted %s\n", cases[i].network);
		config = load(buffer_string(&text), "", &problems);
		assert_non_null(config);
		if (config_networks_have(&config->proxy_trusted, cases[i].address) != cases[i].is_in)
			fail_msg("%s in %s", cases[i].address, cases[i].network);
		config_free(&config);
		buffer_free(&text);
		config_problems_free(&problems);
	}
}

/* The page has one item per option, in the order of the table, and no other. */
static void
manual_agrees(void **state)
{
	struct buffer page = { 0 };
	struct config_file_id id;
	const char *reason;
	struct span rest;
	size_t index = 0;

	(void)state;
	if (!config_read_file(NULL, "man/imapd.conf.5", &page, &id, &reason))
		skip();		/* run from another folder */
	for (rest = buffer_span(&page); rest.length > 0;) {
		struct span line = span_slice(rest, 0, span_find(rest, '\n'));

		rest = span_from(rest, line.length + 1);
		if (!span_starts_with(line, SPAN(".It Ic ")))
			continue;
		line = span_from(line, 7);
		line = span_slice(line, 0, span_find(line, ' '));
		if (span_equals(line, SPAN("include")))
			continue;
		assert_non_null(config_option_name(index));
		assert_true(span_equals(line, span_from_string(config_option_name(index))));
		index++;
	}
	assert_null(config_option_name(index));
	buffer_free(&page);
}

/* The sample that is installed reads without errors. */
static void
sample_is_good(void **state)
{
	struct config_problems problems = { 0 };
	struct config *config;

	(void)state;
	if (access("etc/imapd.conf", R_OK) != 0)
		skip();
	config = config_load("etc/imapd.conf", config_read_file, NULL, &problems);
	assert_non_null(config);
	config_check(config, &problems);
	assert_int_equal(problems.count, 0);
	config_free(&config);
	config_problems_free(&problems);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_defaults),
		cmocka_unit_test(reads),
		cmocka_unit_test(reports_errors),
		cmocka_unit_test(checks_what_must_fit),
		cmocka_unit_test(networks_have),
		cmocka_unit_test(manual_agrees),
		cmocka_unit_test(sample_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
