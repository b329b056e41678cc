/*
 * URLs of servers: RFC 5092, and what people write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/imapctl/remote/url.h"
#include "base/memory.h"

static const struct {
	const char *word;
	const char *expected;	/* host, port, user, mechanism, mailbox, and how it is named; NULL: refused */
} cases[] = {
	{ "imap://joe@example.org", "example.org 143 <joe> <> <> imap://example.org" },
	{ "imap://joe@example.org/", "example.org 143 <joe> <> <> imap://example.org" },
	{ "IMAPS://joe@example.org:1993/INBOX", "example.org 1993 <joe> <> <INBOX> imaps://example.org:1993" },
	{ "imaps://example.org", "example.org 993 <> <> <> imaps://example.org" },
	{ "imap://example.org:993", "example.org 993 <> <> <> imap://example.org:993" },
	{ "imap://joe%40example.org@imap.example.org/a%20b/c", "imap.example.org 143 <joe@example.org> <> <a b/c> imap://imap.example.org" },
	{ "imap://joe@example.org@imap.example.org", "imap.example.org 143 <joe@example.org> <> <> imap://imap.example.org" },
	{ "imap://joe*admin@h", "h 143 <joe*admin> <> <> imap://h" },
	{ "imap://joe@example.org*boss@h", "h 143 <joe@example.org*boss> <> <> imap://h" },
	{ "imap://joe;AUTH=SCRAM-SHA-256@h", "h 143 <joe> <SCRAM-SHA-256> <> imap://h" },
	{ "imap://joe;auth=*@h", "h 143 <joe> <*> <> imap://h" },
	{ "imap://;AUTH=*@h", "h 143 <> <*> <> imap://h" },
	{ "imap://joe%3apw@h", "h 143 <joe:pw> <> <> imap://h" },
	{ "imap://joe@[2001:db8::1]", "2001:db8::1 143 <joe> <> <> imap://[2001:db8::1]" },
	{ "imap://joe@[::1]:1143/x", "::1 1143 <joe> <> <x> imap://[::1]:1143" },
	{ "imap://joe@192.0.2.1:65535", "192.0.2.1 65535 <joe> <> <> imap://192.0.2.1:65535" },
	{ "imap://j%C3%B6@h/Entw%C3%BCrfe", "h 143 <j\u00f6> <> <Entw\u00fcrfe> imap://h" },
	{ "imap://joe:secret@h", NULL },	/* a password that others would see */
	{ "imap://joe@h:0", NULL },
	{ "imap://joe@h:65536", NULL },
	{ "imap://joe@h:x", NULL },
	{ "imap://joe@h:1:2", NULL },
	{ "imap://joe@2001:db8::1", NULL },	/* without its brackets */
	{ "imap://joe@[::1", NULL },
	{ "imap://joe@[]", NULL },
	{ "imap://joe@[::1]x", NULL },
	{ "imap://joe@", NULL },
	{ "imap://", NULL },
	{ "imap://joe%4@h", NULL },
	{ "imap://joe%zz@h", NULL },
	{ "imap://joe%00@h", NULL },
	{ "imap://joe%0d%0aa1%20LOGOUT@h", NULL },
	{ "imap://joe@h/a%0a", NULL },
	{ "imap://joe@h/INBOX;UIDVALIDITY=1/;UID=7", NULL },	/* a message */
	{ "imap://joe@h/INBOX?SUBJECT%20x", NULL },
	{ "imap:/joe@h", NULL },
	{ "pop://joe@h", NULL },
	{ "", NULL },
};

static void
reads_urls(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct url url;
		const char *wrong = url_parse(cases[i].word, &url);

		if ((wrong == NULL) != (cases[i].expected != NULL))
			fail_msg("%s: %s", cases[i].word, wrong == NULL ? "was taken" : wrong);
		if (wrong != NULL) {
			assert_null(url.host);
			continue;
		}
		assert_true(url_is_server(cases[i].word));
		buffer_clear(&out);
		buffer_printf(&out, "%s %u <%.*s> <%.*s> <%.*s> ", url.host, url.port, SPAN_ARGS(buffer_span(&url.user)),
		    SPAN_ARGS(buffer_span(&url.mechanism)), SPAN_ARGS(buffer_span(&url.mailbox)));
		url_write_host(&url, &out);
		assert_string_equal(buffer_string(&out), cases[i].expected);
		url_free(&url);
	}
	buffer_free(&out);
}

static void
tells_servers_from_files(void **state)
{
	(void)state;
	assert_true(url_is_server("imap://"));
	assert_true(url_is_server("ImapS://x"));
	assert_false(url_is_server("imap:"));
	assert_false(url_is_server("/imap://"));
	assert_false(url_is_server("imap"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_urls),
		cmocka_unit_test(tells_servers_from_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
