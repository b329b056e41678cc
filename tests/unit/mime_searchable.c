/*
 * The texts in which SEARCH looks: RFC 9051 section 6.4.4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "mime/searchable.h"

static const struct {
	const char *header;
	enum mime_searchable_text which;
	const char *expected;		/* NULL: there is no such field */
} cases[] = {
	{ "Subject: Green apples\r\n", MIME_SEARCHABLE_SUBJECT, "GREEN APPLES" },
	{ "Subject: =?utf-8?Q?Gr=C3=BCn?=\r\n =?utf-8?Q?e?= a\r\n\tb\r\n", MIME_SEARCHABLE_SUBJECT, "GRU\314\210NE A B" },
	/* ENVELOPE has the first. */
	{ "SUBJECT: one\r\nSubject: two\r\n", MIME_SEARCHABLE_SUBJECT, "ONE" },
	{ "Subject:\r\n", MIME_SEARCHABLE_SUBJECT, "" },
	{ "From: a@b\r\n", MIME_SEARCHABLE_SUBJECT, NULL },
	{ "From: Ada <ada@example.org>\r\n", MIME_SEARCHABLE_FROM, "ADA <ADA@EXAMPLE.ORG>" },
	{ "From: ada@example.org\r\n", MIME_SEARCHABLE_FROM, "<ADA@EXAMPLE.ORG>" },
	/* No comments, unless there is no other name; no folding, no quotes. */
	{ "From: Ada (at work) <ada@b>\r\n", MIME_SEARCHABLE_FROM, "ADA <ADA@B>" },
	{ "From: ada@b (Ada\r\n Lovelace)\r\n", MIME_SEARCHABLE_FROM, "ADA LOVELACE <ADA@B>" },
	{ "From: \"Doe, \\\"J\\\"\"\r\n <\"j d\"@b>\r\n", MIME_SEARCHABLE_FROM, "DOE, \"J\" <J D@B>" },
	{ "From: Ada <ada @ (x) example . org>\r\n", MIME_SEARCHABLE_FROM, "ADA <ADA@EXAMPLE.ORG>" },
	{ "From: =?iso-8859-1?Q?J=F6rg?= =?utf-8?B?w58=?= <j@b>\r\n", MIME_SEARCHABLE_FROM, "JO\314\210RG\303\237 <J@B>" },
	{ "From: \"=?utf-8?Q?J=C3=B6rg?=\" <j@b>\r\n", MIME_SEARCHABLE_FROM, "JO\314\210RG <J@B>" },
	{ "From: =?utf-8?Q?J=C3=B6rg?=\r\n", MIME_SEARCHABLE_FROM, "<JO\314\210RG>" },
	{ "From: J\303\266rg <j\303\266@b>\r\n", MIME_SEARCHABLE_FROM, "JO\314\210RG <JO\314\210@B>" },
	{ "From: J\366rg <j@b>\r\n", MIME_SEARCHABLE_FROM, "JO\314\210RG <J@B>" },
	{ "To: <@r,@s:a@b>\r\n", MIME_SEARCHABLE_TO, "<@R,@S:A@B>" },
	/* Lists, also of several fields, and groups. */
	{ "To: a@b, C <c@d>\r\nTo: e@f\r\n", MIME_SEARCHABLE_TO, "<A@B>, C <C@D>, <E@F>" },
	{ "Cc: Friends: a@b, c@d; , x@y\r\n", MIME_SEARCHABLE_CC, "FRIENDS: <A@B>, <C@D>;, <X@Y>" },
	{ "Bcc: undisclosed-recipients:;\r\n", MIME_SEARCHABLE_BCC, "UNDISCLOSED-RECIPIENTS:;" },
	{ "Bcc: =?utf-8?Q?=C3=9Cben?=: a@b;\r\n", MIME_SEARCHABLE_BCC, "U\314\210BEN: <A@B>;" },
	/* What is no address. */
	{ "From: Nobody\r\n", MIME_SEARCHABLE_FROM, "<NOBODY>" },
	{ "From: a@@b, <c\r\n", MIME_SEARCHABLE_FROM, "<A@@B>, <C>" },
	{ "From:\r\n", MIME_SEARCHABLE_FROM, "" },
	{ "From: ,,\r\n", MIME_SEARCHABLE_FROM, "" },
	{ "Sender: a@b\r\n", MIME_SEARCHABLE_FROM, NULL },
	/* All of the field, and of all fields. */
	{ "Message-ID: <a@b> (x)\r\nMessage-Id:\r\n <c@d>\r\n", MIME_SEARCHABLE_MESSAGE_ID, "<A@B> (X)\377<C@D>" },
	{ "Message-ID:\r\n", MIME_SEARCHABLE_MESSAGE_ID, "" },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mime_searchable searchable = { .present = 0 };

		assert_true(mime_searchable_read(span_from_string(cases[i].header), MIME_SEARCHABLE_ALL, SIZE_MAX, &searchable));
		assert_int_equal((searchable.present >> cases[i].which) & 1, cases[i].expected != NULL);
		assert_string_equal(buffer_string(&searchable.texts[cases[i].which]),
		    cases[i].expected == NULL ? "" : cases[i].expected);
		mime_searchable_fini(&searchable);
	}
}

static void
test_what_is_wanted(void **state)
{
	struct mime_searchable searchable = { .present = 0 };

	(void)state;
	assert_true(mime_searchable_read(SPAN("From: a@b\r\nTo: c@d\r\n"), 1u << MIME_SEARCHABLE_TO, SIZE_MAX, &searchable));
	assert_int_equal(searchable.present, 1u << MIME_SEARCHABLE_TO);
	mime_searchable_fini(&searchable);
}

static void
test_long(void **state)
{
	struct mime_searchable searchable = { .present = 0 };
	struct buffer header = { 0 };

	(void)state;
	for (unsigned i = 0; i < 8000; i++)
		buffer_printf(&header, "To: user-%u@example.org\r\n", i);
	assert_false(mime_searchable_read(buffer_span(&header), MIME_SEARCHABLE_ALL, MIME_SEARCHABLE_KEPT_MAX, &searchable));
	mime_searchable_fini(&searchable);
	assert_true(mime_searchable_read(buffer_span(&header), MIME_SEARCHABLE_ALL, SIZE_MAX, &searchable));
	assert_non_null(strstr(buffer_string(&searchable.texts[MIME_SEARCHABLE_TO]), ", <USER-7999@EXAMPLE.ORG>"));
	mime_searchable_fini(&searchable);
	buffer_free(&header);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_what_is_wanted),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
