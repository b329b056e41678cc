/*
 * ENVELOPE of header blocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"
#include "imap/envelope.h"

#define NOBODY " NIL NIL NIL NIL NIL NIL NIL NIL)"

static const struct {
	struct span header;
	const char *envelope;
} cases[] = {
	{ SPAN(""), "(NIL NIL" NOBODY },
	{ SPAN("Date: d\r\nSubject: =?utf-8?q?s?=\r\n folded\r\n\r\n"), "(\"d\" \"=?utf-8?q?s?= folded\"" NOBODY },
	{ SPAN("Subject: a \"b\" \\c\r\n"), "(NIL \"a \\\"b\\\" \\\\c\"" NOBODY },
	{ SPAN("Subject: \xfc\r\n"), "(NIL {1}\r\n\xfc" NOBODY },	/* 8 bits fit in no quoted string */
	{ SPAN("Subject: a\0b\r\n"), "(NIL \"a b\"" NOBODY },
	{ SPAN("Subject: one\r\nSubject: two\r\n"), "(NIL \"one\"" NOBODY },
	{ SPAN("Subject:\r\n"), "(NIL \"\"" NOBODY },	/* there, and empty: RFC 9051 section 7.5.2 */
	{ SPAN("Subject: \r\nSubject: two\r\nIn-Reply-To:\r\nMessage-ID: \r\n"),
	    "(NIL \"\" NIL NIL NIL NIL NIL NIL \"\" \"\")" },
	{ SPAN("From: A <a@b>\r\n"),
	    "(NIL NIL ((\"A\" NIL \"a\" \"b\")) ((\"A\" NIL \"a\" \"b\")) ((\"A\" NIL \"a\" \"b\"))"
	    " NIL NIL NIL NIL NIL)" },
	{ SPAN("From: a@b\r\nSender: \r\nReply-To: c@d\r\n"),
	    "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"c\" \"d\"))"
	    " NIL NIL NIL NIL NIL)" },
	{ SPAN("To: g: a@b;\r\nCc: <@r:a@b>\r\nBcc: :;\r\n"),
	    "(NIL NIL NIL NIL NIL ((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))"
	    " ((NIL \"@r\" \"a\" \"b\")) ((NIL NIL \"\" NIL)(NIL NIL NIL NIL)) NIL NIL)" },
	{ SPAN("To: a@b\r\nTo: c@d\r\n"),
	    "(NIL NIL NIL NIL NIL ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL)" },
	/* NIL as host would begin a group. */
	{ SPAN("To: user\r\n"), "(NIL NIL NIL NIL NIL ((NIL NIL \"user\" \"\")) NIL NIL NIL NIL)" },
	{ SPAN("In-Reply-To: <a@b>\r\n <c@d>\r\nMESSAGE-ID: <e@f>\r\n"),
	    "(NIL NIL NIL NIL NIL NIL NIL NIL \"<a@b> <c@d>\" \"<e@f>\")" },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer out = { NULL, 0, 0 };

		imap_envelope_write(cases[i].header, &out);
		assert_string_equal(buffer_string(&out), cases[i].envelope);
		buffer_free(&out);
	}
}

/* One field of two octets an address does not make a reply of ten times its size. */
static void
test_bounded(void **state)
{
	struct buffer header = { NULL, 0, 0 }, out = { NULL, 0, 0 };

	(void)state;
	buffer_add_string(&header, "From: g:");
	for (int i = 0; i < 500000; i++)
		buffer_add_string(&header, "a,");
	imap_envelope_write(buffer_span(&header), &out);
	assert_true(out.length < 4 * 1024 * 1024);
	assert_non_null(strstr(buffer_string(&out), "(NIL NIL NIL NIL)) (("));
	buffer_free(&header);
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
