/*
 * BODY and BODYSTRUCTURE, and all that is rendered when a message comes in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/memory.h"
#include "imap/arrival.h"
#include "imap/bodystructure.h"
#include "mime/parts.h"

#define PLAIN "\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\""

static const struct {
	const char *message, *body, *bodystructure;
} cases[] = {
	{ "A: b\r\n\r\nx\r\n", "(" PLAIN " 3 1)", "(" PLAIN " 3 1 NIL NIL NIL NIL)" },
	{ "Content-Type: image/png; name=a\r\nContent-ID: <i>\r\nContent-Description: d\r\n"
	  "Content-Transfer-Encoding: BASE64\r\nContent-MD5: m\r\n"
	  "Content-Disposition: inline; filename=\"f\"\r\nContent-Language: en,de\r\n"
	  "Content-Location: l\r\n\r\nQQ==",
	    "(\"image\" \"png\" (\"name\" \"a\") \"<i>\" \"d\" \"BASE64\" 4)",
	    "(\"image\" \"png\" (\"name\" \"a\") \"<i>\" \"d\" \"BASE64\" 4 \"m\""
	    " (\"inline\" (\"filename\" \"f\")) (\"en\" \"de\") \"l\")" },
	{ "Content-Type: text/html; x=\"\"\r\nContent-Disposition: attachment\r\nContent-Language: ,\r\n\r\n",
	    "(\"text\" \"html\" (\"x\" \"\" \"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)",
	    "(\"text\" \"html\" (\"x\" \"\" \"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL"
	    " (\"attachment\" NIL) NIL NIL)" },
	/* A charset is said once, be it none. */
	{ "Content-Type: text/plain; charset=\"\"\r\n\r\n", "(\"text\" \"plain\" (\"charset\" \"\") NIL NIL \"7bit\" 0 0)",
	    "(\"text\" \"plain\" (\"charset\" \"\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)" },
	{ "Content-Type: text/plain; CHARSET*=us-ascii'en'utf-8\r\n\r\n",
	    "(\"text\" \"plain\" (\"CHARSET*\" \"us-ascii'en'utf-8\") NIL NIL \"7bit\" 0 0)",
	    "(\"text\" \"plain\" (\"CHARSET*\" \"us-ascii'en'utf-8\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: a/b\r\n\r\n"
	  "yy\r\n--b--\r\n",
	    "((" PLAIN " 1 0)(\"a\" \"b\" NIL NIL NIL \"7bit\" 2) \"mixed\")",
	    "((" PLAIN " 1 0 NIL NIL NIL NIL)(\"a\" \"b\" NIL NIL NIL \"7bit\" 2 NIL NIL NIL NIL) \"mixed\""
	    " (\"boundary\" \"b\") NIL NIL NIL)" },
	/* A multipart must have a part: RFC 9051 section 9, "body-type-mpart". */
	{ "Content-Type: multipart/mixed\r\n\r\nx\r\n", "((" PLAIN " 3 1) \"mixed\")",
	    "((" PLAIN " 3 1 NIL NIL NIL NIL) \"mixed\" NIL NIL NIL NIL)" },
	{ "Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n",
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17"
	    " (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) (" PLAIN " 3 1) 3)",
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17"
	    " (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) (" PLAIN " 3 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)" },
	{ "Content-Type: a/b; n=\"\xfc\"\r\n\r\n", "(\"a\" \"b\" (\"n\" {1}\r\n\xfc) NIL NIL \"7bit\" 0)",
	    "(\"a\" \"b\" (\"n\" {1}\r\n\xfc) NIL NIL \"7bit\" 0 NIL NIL NIL NIL)" },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct imap_arrival arrival = { .header_length = 0 };

		imap_arrival_render(span_from_string(cases[i].message), &arrival);
		assert_string_equal(buffer_string(&arrival.body), cases[i].body);
		assert_string_equal(buffer_string(&arrival.bodystructure), cases[i].bodystructure);
		imap_arrival_fini(&arrival);
	}
}

#define GLOBAL "Content-Type: message/GLOBAL; global=\"message\"\r\n\r\nSubject: \")(\r\n\r\nx\r\n"
#define GLOBAL_PART "(\"message\" \"GLOBAL\" (\"global\" \"message\") NIL NIL \"7bit\" "
#define ENVELOPE(subject) " (NIL " subject " NIL NIL NIL NIL NIL NIL NIL NIL)"

/* As IMAP4rev2 and IMAP4rev1 have it. */
static const struct {
	const char *message, *rev2, *rev1;
} globals[] = {
	{ "\r\nx", "(" PLAIN " 1 0)", "(" PLAIN " 1 0)" },
	{ GLOBAL, GLOBAL_PART "19" ENVELOPE("\"\\\")(\"") " (" PLAIN " 3 1) 3)", GLOBAL_PART "19)" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" GLOBAL "\r\n--b\r\n\r\nx\r\n--b--\r\n",
	    "(" GLOBAL_PART "19" ENVELOPE("\"\\\")(\"") " (" PLAIN " 3 1) 3)(" PLAIN " 1 0) \"mixed\")",
	    "(" GLOBAL_PART "19)(" PLAIN " 1 0) \"mixed\")" },
	{ "Content-Type: message/rfc822\r\n\r\n" GLOBAL,
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 69" ENVELOPE("NIL") " " GLOBAL_PART "19"
	    ENVELOPE("\"\\\")(\"") " (" PLAIN " 3 1) 3) 5)",
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 69" ENVELOPE("NIL") " " GLOBAL_PART "19) 5)" },
	{ "Content-Type: message/global\r\n\r\nSubject: {3}\xff\r\n" GLOBAL,
	    "(\"message\" \"global\" NIL NIL NIL \"7bit\" 84" ENVELOPE("{4}\r\n{3}\xff") " " GLOBAL_PART "19"
	    ENVELOPE("\"\\\")(\"") " (" PLAIN " 3 1) 3) 6)",
	    "(\"message\" \"global\" NIL NIL NIL \"7bit\" 84)" },
	/* A parameter is no part. */
	{ "Content-Type: a/b; message=global\r\n\r\n", "(\"a\" \"b\" (\"message\" \"global\") NIL NIL \"7bit\" 0)",
	    "(\"a\" \"b\" (\"message\" \"global\") NIL NIL \"7bit\" 0)" },
};

static void
test_global(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(globals); i++) {
		struct imap_arrival arrival = { .header_length = 0 };
		struct buffer rev1 = { 0 };

		imap_arrival_render(span_from_string(globals[i].message), &arrival);
		assert_string_equal(buffer_string(&arrival.body), globals[i].rev2);
		imap_body_write_rev1(buffer_span(&arrival.body), &rev1);
		assert_string_equal(buffer_string(&rev1), globals[i].rev1);
		buffer_clear(&rev1);
		imap_body_write_rev1(buffer_span(&arrival.bodystructure), &rev1);
		assert_true((rev1.length < arrival.bodystructure.length) == (arrival.body.length > strlen(globals[i].rev1)));
		buffer_free(&rev1);
		imap_arrival_fini(&arrival);
	}
}

/* Damaged, cut at every octet: as it is, and nothing is read behind its end. */
static void
test_global_cut(void **state)
{
	struct imap_arrival arrival = { .header_length = 0 };

	(void)state;
	imap_arrival_render(span_from_string(globals[4].message), &arrival);
	for (size_t length = 0; length < arrival.bodystructure.length; length++) {
		struct span whole = buffer_span(&arrival.bodystructure);
		char *cut = memory_copy_span(span_slice(whole, 0, length));
		struct buffer rev1 = { 0 };

		imap_body_write_rev1(span_of(cut, length), &rev1);
		assert_true(span_equals(buffer_span(&rev1), span_slice(whole, 0, length)));
		buffer_free(&rev1);
		free(cut);
	}
	imap_arrival_fini(&arrival);
}

static void
test_arrival(void **state)
{
	struct span message = SPAN("Date: Fri, 21 Nov 1997 23:55:06 -0600\r\nMessage-ID: (c) <a@b>\r\n\r\nx");
	struct imap_arrival arrival = { .header_length = 0 };
	struct mime_section section;

	(void)state;
	imap_arrival_render(message, &arrival);
	assert_int_equal(arrival.header_length, message.length - 1);
	assert_true(arrival.has_sent_date);
	assert_int_equal(arrival.sent_s, 880178106);
	assert_int_equal(arrival.sent_day, 10186);	/* the 21st, though UTC says 22nd */
	assert_string_equal(buffer_string(&arrival.message_id), "<a@b>");
	assert_true(mime_parts_find(buffer_span(&arrival.parts), (uint32_t[]){ 1 }, 1, &section));
	imap_arrival_fini(&arrival);
	imap_arrival_fini(&arrival);
	imap_arrival_render(SPAN("\r\n"), &arrival);
	assert_int_equal(arrival.header_length, 2);
	assert_false(arrival.has_sent_date);
	assert_int_equal(arrival.message_id.length, 0);
	imap_arrival_fini(&arrival);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_global),
		cmocka_unit_test(test_global_cut),
		cmocka_unit_test(test_arrival),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
