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
read_from_table(void *context, const char *path, struct buffer *text_out, const char **reason_out)
{
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
load(const char *text, const char *included, struct buffer *errors)
{
	struct file files[] = {
		{ "/etc/imapd/imapd.conf", text }, { "/etc/imapd/more.conf", included }, { NULL, NULL },
	};

	return config_load("/etc/imapd/imapd.conf", read_from_table, files, errors);
}

static void
has_defaults(void **state)
{
	struct buffer errors = { 0 };
	struct config *config = load("# nothing\n\n", "", &errors);

	(void)state;
	assert_non_null(config);
	assert_int_equal(errors.length, 0);
	assert_int_equal(config->role, CONFIG_ROLE_BOTH);
	assert_string_equal(config->data_directory, "/var/lib/imapd");
	assert_int_equal(config->listen.count, 2);
	assert_true(config->listen.at[0].is_tls);
	assert_string_equal(config->listen.at[0].host, "::");
	assert_int_equal(config->listen.at[0].port, 993);
	assert_int_equal(config->listen.at[1].port, 143);
	assert_int_equal(config->lmtp_listen.count, 0);
	assert_int_equal(config->auth_mechanisms.count, 6);
	assert_int_equal(config->message_size_limit_octets, 64 << 20);
	assert_int_equal(config->compute_threads, 0);
	assert_int_equal(config->open_databases, 1000);
	assert_non_null(config->hostname);
	config_free(&config);
	assert_null(config);
	config_free(&config);
	buffer_free(&errors);
}

#ifdef HAVE_LDAP
#define DIRECTORY "directory ldap ldaps://a ldap://b:1389\n"
#else
#define DIRECTORY ""
#endif

static void
reads(void **state)
{
	struct buffer errors = { 0 }, one = { 0 }, two = { 0 };
	struct config *config = load("hostname \"mail \\\"x\\\"\"  # a comment\r\n"
	    "\tlisten imap 127.0.0.1:1143\nlisten imaps [::1]:0 proxy\ninclude more.conf\n"
	    "proxy-trusted 10.0.0.0/8\nproxy-trusted 2001:db8::/32\nproxy-trusted ::1\nbanner \"Ready, \\\"so to say\\\"\"\n"
	    "tls-certificate-for *.example.org \"/a b\" /k\ndeny-users eve mallory\ndeny-users trudy\n"
	    "auth-mechanisms PLAIN scram-sha-256\nauth-mechanisms LOGIN\n"
	    "capability-mask IDLE,MOVE user=a* address=10.0.0.0/8 \"id=a \\\"phone\\\"\"\ncapability-mask ID\n"
	    "login-type plain\nmessage-size-limit 512k\nlog-level debug", "role mailbox\n"
	    "lmtp-listen /run/lmtp\nlmtp-listen localhost:24\nflag-sync always\n" DIRECTORY, &errors);
	struct config *again;

	(void)state;
	assert_non_null(config);
	assert_string_equal(config->hostname, "mail \"x\"");
	assert_int_equal(config->listen.count, 2);
	assert_string_equal(config->listen.at[0].host, "127.0.0.1");
	assert_false(config->listen.at[0].is_tls);
	assert_string_equal(config->listen.at[1].host, "::1");
	assert_true(config->listen.at[1].is_proxy);
	assert_false(config->listen.at[0].is_proxy);
	assert_int_equal(config->deny_users.count, 3);
	assert_int_equal(config->auth_mechanisms.count, 3);
	assert_int_equal(config->capability_mask.count, 2);
	assert_string_equal(config->capability_mask.at[0].capabilities[1], "MOVE");
	assert_string_equal(config->capability_mask.at[0].id, "a \"phone\"");
	assert_true(config_has_mechanism(config, "SCRAM-SHA-256"));	/* as the table writes it */
	assert_false(config_has_mechanism(config, "SCRAM-SHA-1"));
	assert_string_equal(config->banner, "Ready, \"so to say\"");
	assert_string_equal(config->tls_certificate_for.at[0].certificate, "/a b");
	assert_int_equal(config->role, CONFIG_ROLE_MAILBOX);
	assert_string_equal(config->lmtp_listen.at[0].path, "/run/lmtp");
	assert_string_equal(config->lmtp_listen.at[1].host, "localhost");
	assert_int_equal(config->message_size_limit_octets, 512 << 10);
	assert_int_equal(config->flag_sync, CONFIG_FLAG_SYNC_ALWAYS);
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
#ifdef HAVE_LDAP
	assert_int_equal(config->directory, CONFIG_DIRECTORY_LDAP);
	assert_int_equal(config->ldap_servers.count, 2);
	assert_string_equal(config->ldap_servers.at[1], "ldap://b:1389");
#endif
	assert_true(config_set_role(config, SPAN("cas")));
	assert_false(config_set_role(config, SPAN("case")));
	assert_int_equal(config->role, CONFIG_ROLE_CAS);

	/* What is printed reads back as the same. */
	config_print(config, &one);
	again = load(buffer_string(&one), "", &errors);
	assert_non_null(again);
	config_print(again, &two);
	assert_true(span_equals(buffer_span(&one), buffer_span(&two)));
	buffer_clear(&one);
	again->idle_timeout_s++;
	again->storage_threads++;
	config_list_restart_needed(config, again, &one);
	assert_string_equal(buffer_string(&one), "storage-threads\n");
	config_free(&config);
	config_free(&again);
	buffer_free(&errors);
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
		{ "lisen imap x:1\n  role bot\n", "",
		    F "1:1: there is no option \"lisen\"; did you mean \"listen\"?\n"
		    F "2:8: role cannot be \"bot\"; did you mean \"both\"?\n" },
		{ "listen imap\n", "", F "1:1: listen takes imap or imaps, an address, and perhaps proxy\n" },
		{ "listen pop3 [::]:1\n", "", F "1:8: \"pop3\" is not \"imap\" or \"imaps\"\n" },
		{ "listen imap ::1:1\n", "", F "1:13: \"::1:1\" is not ADDRESS:PORT or [IPV6]:PORT\n" },
		{ "listen imap [::]:65536\n", "",
		    F "1:13: \"[::]:65536\" is not ADDRESS:PORT or [IPV6]:PORT\n" },
		{ "hostname a b\n", "",
		    F "1:1: the option takes one value; put quotation marks around spaces\n" },
		{ "hostname \"a\n", "", F "1:10: the quotation mark is not closed\n" },
		{ "hostname" TEN TEN TEN TEN TEN TEN " a b c d e f\n", "", F "1:138: too many words\n" },
		{ "directory\n", "", F "1:1: directory takes sqlite, or ldap and its servers, or link and a mailbox server\n" },
		{ "directory sqlite x\n", "", F "1:11: directory takes sqlite, or ldap and its servers, or link and a mailbox server\n" },
		{ "directory ldap\n", "", F "1:11: directory takes sqlite, or ldap and its servers, or link and a mailbox server\n" },
		{ "directory lap x\n", "",
		    F "1:11: directory cannot be \"lap\"; did you mean \"ldap\"?\n" },
#ifdef HAVE_LDAP
		{ "directory ldap ldap://a http://b\n", "",
		    F "1:25: \"http://b\" is not ldap://HOST, ldaps://HOST or ldapi://PATH\n" },
#else
		{ "directory ldap ldap://a\n", "", F "1:11: this imapd was built without LDAP\n" },
#endif
		{ "hostname a\1\n", "", F "1:11: a control character\n" },
		{ "link-listen /run/link\n", "", F "1:13: \"/run/link\" is not ADDRESS:PORT or \"none\"\n" },
		{ "mailbox-server mbx1\n", "", F "1:1: mailbox-server takes a name and an address\n" },
		{ "mailbox-server mbx1 10.0.0.5\n", "",
		    F "1:21: \"10.0.0.5\" is not HOST:PORT or [IPV6]:PORT\n" },
		{ "mailbox-server a x:1\nmailbox-server a x:2\n", "",
		    F "2:16: \"a\" is not a name of its own: there is one before\n" },
		{ "data-directory mail\n", "", F "1:16: \"mail\" is not an absolute path\n" },
		{ "login-timeout 0\n", "", F "1:15: 0 is not between 1 and 86400\n" },
		{ "login-timeout -1\n", "", F "1:15: \"-1\" is not a whole number\n" },
		{ "message-size-limit 99999999999999999999G\n", "",
		    F "1:20: \"99999999999999999999G\" is not a size such as 512K, 64M or 1G\n" },
		{ "listen imap 127.0.0.1:143 proxi\n", "", F "1:27: \"proxi\" is not \"proxy\"\n" },
		{ "proxy-trusted 10.0.0.1/8\n", "", F "1:15: \"10.0.0.1/8\" is not a network such as "
		    "192.0.2.0/24, 2001:db8::/32 or 127.0.0.1\n" },
		{ "proxy-trusted 10.0.0.0/33\nproxy-trusted 1.2.3\n", "",
		    F "1:15: \"10.0.0.0/33\" is not a network such as 192.0.2.0/24, 2001:db8::/32 or 127.0.0.1\n"
		    F "2:15: \"1.2.3\" is not a network such as 192.0.2.0/24, 2001:db8::/32 or 127.0.0.1\n" },
		{ "tls-certificate-for *.a_b.example /c /k\ntls-certificate-for *.A_B.example /c /k\n", "",
		    F "2:21: \"*.A_B.example\" is not a name of its own: there is one before\n" },
		{ "tls-certificate-for a.*.example /c /k\n", "",
		    F "1:21: \"a.*.example\" is not a server's name, or \"*.\" and a domain\n" },
		{ "tls-certificate-for a.example /c k\n", "", F "1:34: \"k\" is not an absolute path\n" },
		{ "tls-certificate-for a.example /c\n", "",
		    F "1:1: tls-certificate-for takes a server's name, a certificate and its key\n" },
		{ "banner \"bl\xc3\xa4h\"\n", "",
		    F "1:8: \"bl\xc3\xa4h\" is not a text of printable ASCII characters\n" },
		{ "login-type secured\n", "",
		    F "1:12: login-type cannot be \"secured\"; did you mean \"secure\"?\n" },
		{ "auth-mechanisms PLAIN SCRAM-SHA-265 CRAM-MD5\nauth-mechanisms\n", "",
		    F "1:23: auth-mechanisms cannot be \"SCRAM-SHA-265\"; did you mean \"SCRAM-SHA-256\"?\n"
		    F "2:1: the option takes one or more of its words\n" },
		{ "capability-mask\ncapability-mask IDLE user=\ncapability-mask IDLE,,MOVE\n", "",
		    F "1:1: capability-mask takes capabilities, and perhaps user=, address= and id=\n"
		    F "2:22: \"user=\" is not user=PATTERN, address=NETWORK or id=WORD, each at most once\n"
		    F "3:17: \"IDLE,,MOVE\" is not a list of capabilities such as IDLE,MOVE\n" },
		{ "max-command-size 512\n", "", F "1:18: 512 is not between 1024 and 1048576\n" },
		{ "deny-users\n", "", F "1:1: deny-users takes names of users, up to 64 in a line\n" },
		{ "ldap-starttls on\n", "", F "1:15: \"on\" is not \"yes\" or \"no\"\n" },
		{ "role cas\nrole both\n", "", F "2:1: role is set in /etc/imapd/imapd.conf:1 already\n" },
		{ "include more.conf\nx y\n", "\nrole x\n",
		    "/etc/imapd/more.conf:2:6: role cannot be \"x\"; there is cas, mailbox, both\n"
		    F "2:1: there is no option \"x\"\n" },
		{ "include more.conf\n", "include imapd.conf\n",
		    "/etc/imapd/more.conf:1:9: the file includes itself\n" },
		{ "include none.conf\n", "",
		    F "1:9: /etc/imapd/none.conf: No such file or directory\n" },
		{ "include\n", "", F "1:1: include takes the name of one file\n" },
		{ "config-version 2\n", "", F "1:16: 2 is not between 1 and 1\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer errors = { 0 };

		assert_null(load(cases[i].text, cases[i].included, &errors));
		assert_string_equal(buffer_string(&errors), cases[i].errors);
		buffer_free(&errors);
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
		{ "listen imap [::]:143\nlogin-type plain", true },
		{ "listen imap [::]:143\nlogin-type plain-auth", true },
		{ "listen imap [::]:143\nlogin-type plain-auth\nauth-mechanisms PLAIN SCRAM-SHA-256-PLUS", false },
		{ "listen imap [::]:143\nlogin-type secure", false },
		{ "listen imap [::]:143 proxy\nlogin-type plain", false },
		{ "listen imap [::]:143 proxy\nlogin-type plain\nproxy-trusted ::1", true },
		{ "listen imap [::]:143\nlogin-type plain\ntls-certificate-for a /c /k", false },
		{ "tls-certificate /a\ntls-key /b", true },
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
		struct buffer errors = { 0 };
		struct config *config = load(cases[i].text, "", &errors);

		assert_non_null(config);
		assert_int_equal(config_check(config, &errors), cases[i].is_good);
		assert_int_equal(errors.length == 0, cases[i].is_good);
		config_free(&config);
		buffer_free(&errors);
	}
}

static void
checks_the_environment(void **state)
{
	struct buffer errors = { 0 };
	struct config *config = load("tls-certificate /none/c\ntls-key /none/k\n"
	    "data-directory /none\ncontrol-socket /tmp/control\nuser no-such-user-here\n", "", &errors);

	(void)state;
	assert_false(config_check_environment(config, &errors));
	assert_string_equal(buffer_string(&errors),
	    F "1:1: tls-certificate: /none/c: No such file or directory\n"
	    F "2:1: tls-key: /none/k: No such file or directory\n"
	    F "3:1: data-directory: /none: No such file or directory; "
	    "try install -d -m 700 -o no-such-user-here /none\n"
	    F "5:1: user: no such user; systemd-sysusers makes imapd, useradd --system any\n");
	config_free(&config);
	buffer_free(&errors);
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
		struct buffer text = { 0 }, errors = { 0 };
		struct config *config;

		buffer_printf(&text, "proxy-trusted %s\n", cases[i].network);
		config = load(buffer_string(&text), "", &errors);
		assert_non_null(config);
		if (config_networks_have(&config->proxy_trusted, cases[i].address) != cases[i].is_in)
			fail_msg("%s in %s", cases[i].address, cases[i].network);
		config_free(&config);
		buffer_free(&text);
		buffer_free(&errors);
	}
}

/* The page has one item per option, in the order of the table, and no other. */
static void
manual_agrees(void **state)
{
	struct buffer page = { 0 };
	const char *reason;
	struct span rest;
	size_t index = 0;

	(void)state;
	if (!config_read_file(NULL, "man/imapd.conf.5", &page, &reason))
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
	struct buffer errors = { 0 };
	struct config *config;

	(void)state;
	if (access("etc/imapd.conf", R_OK) != 0)
		skip();
	config = config_load("etc/imapd.conf", config_read_file, NULL, &errors);
	assert_non_null(config);
	assert_true(config_check(config, &errors));
	config_free(&config);
	buffer_free(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_defaults),
		cmocka_unit_test(reads),
		cmocka_unit_test(reports_errors),
		cmocka_unit_test(checks_what_must_fit),
		cmocka_unit_test(checks_the_environment),
		cmocka_unit_test(networks_have),
		cmocka_unit_test(manual_agrees),
		cmocka_unit_test(sample_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
