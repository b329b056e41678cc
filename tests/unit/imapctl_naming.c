/* Names of other servers' mailboxes, and what they are called here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/imapctl/pull/naming.h"

static const struct {
	const char *prefix, *sent;
	int separator;
	bool is_utf8;
	const char *expected;		/* NULL: none */
} cases[] = {
	{ "", "INBOX", '/', false, "INBOX" },
	{ "", "inbox", '.', false, "INBOX" },
	{ "", "Lists.r-devel", '.', false, "Lists/r-devel" },
	{ "INBOX.", "INBOX", '.', false, "INBOX" },
	{ "INBOX.", "INBOX.Sent", '.', false, "Sent" },
	{ "INBOX.", "Inbox.Sent.2020", '.', false, "Sent/2020" },
	{ "INBOX/", "INBOX/Sent", '/', false, "Sent" },
	{ "", "INBOX.Sent", '.', false, "INBOX/Sent" },
	{ "", "Entw&APw-rfe", '/', false, "Entw\xc3\xbcrfe" },
	{ "", "Entw\xc3\xbcrfe", '/', false, "Entw\xc3\xbcrfe" },		/* a server that sends UTF-8 unasked */
	{ "", "Entw\xc3\xbcrfe", '/', true, "Entw\xc3\xbcrfe" },
	{ "", "A &- B", '/', true, "A &- B" },
	{ "", "A &- B", '/', false, "A & B" },
	{ "", "Caf\x65\xcc\x81", '/', true, "Caf\xc3\xa9" },		/* normalization form C */
	{ "", "A & B", '/', false, "A & B" },					/* broken modified UTF-7 stays */
	{ "", "a/b.c", '.', false, "a_b/c" },
	{ "", "a/b", -1, false, "a_b" },
	{ "", "a\\b", '\\', false, "a/b" },
	{ "", "a^b.c", '/', false, "a^b.c" },
	{ "", "a//b/", '/', false, "a/b" },
	{ "", "a\tb", '/', false, "a_b" },
	{ "", "Other Users/bob", '/', false, "Other Users_/bob" },
	{ "", "other users", '/', false, "other users_" },
	{ "", "Mine/Other Users", '/', false, "Mine/Other Users" },
	{ "", "Shared", '/', false, "Shared_" },
	{ "", "100%*", '/', false, "100%*" },
	{ "", "..", '/', false, ".." },
	{ "", "", '/', false, NULL },
	{ "", "//", '/', false, NULL },
};

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct naming naming = { span_from_string(cases[i].prefix), cases[i].is_utf8, SPAN("Other Users"), SPAN("Shared") };
		struct buffer out = { 0 };
		enum imap_name_status status = naming_translate(&naming, span_from_string(cases[i].sent), cases[i].separator, &out);

		assert_int_equal(status == IMAP_NAME_OK, cases[i].expected != NULL);
		assert_string_equal(buffer_string(&out), cases[i].expected == NULL ? "" : cases[i].expected);
		buffer_free(&out);
	}
}

static void
test_too_long_and_too_deep(void **state)
{
	struct naming naming = { 0 };
	struct buffer sent = { 0 }, out = { 0 };

	(void)state;
	for (size_t i = 0; i < 600; i++)
		buffer_add_string(&sent, "a.");
	assert_int_equal(naming_translate(&naming, buffer_span(&sent), '.', &out), IMAP_NAME_TOO_LONG);
	assert_int_equal(naming_translate(&naming, span_slice(buffer_span(&sent), 0, 400), '.', &out), IMAP_NAME_TOO_DEEP);
	assert_int_equal(out.length, 0);
	buffer_free(&sent);
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_too_long_and_too_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
