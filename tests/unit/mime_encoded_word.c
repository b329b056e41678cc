/*
 * Header text beyond ASCII.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "mime/encoded_word.h"

static void
decodes_headers(void **state)
{
	static const struct {
		struct span input, expected;
	} cases[] = {
		/* RFC 2047 section 8. */
		{ SPAN("(=?ISO-8859-1?Q?a?=)"), SPAN("(a)") },
		{ SPAN("(=?ISO-8859-1?Q?a?= b)"), SPAN("(a b)") },
		{ SPAN("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)"), SPAN("(ab)") },
		{ SPAN("(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)"), SPAN("(ab)") },
		{ SPAN("(=?ISO-8859-1?Q?a_b?=)"), SPAN("(a b)") },
		{ SPAN("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)"), SPAN("(a b)") },
		{ SPAN("=?utf-8?B?w7xi?= plain"), SPAN("\xc3\xbc" "b plain") },
		{ SPAN("=?utf-8?q?=c3?= =?utf-8?b?vA==?="), SPAN("\xc3\xbc") },	/* cut in two */
		{ SPAN("=?utf-8?q?=c3?= x =?utf-8?q?=bc?="), SPAN("\xef\xbf\xbd x \xef\xbf\xbd") },
		{ SPAN("=?utf-8*en?Q?x?="), SPAN("x") },
		{ SPAN("=?utf-8?Q?\?="), SPAN("") },
		{ SPAN("=?utf-8?Q?two words?="), SPAN("two words") },
		{ SPAN("a=?utf-8?Q?b?=c"), SPAN("abc") },
		{ SPAN("=?utf-8?X?b?="), SPAN("=?utf-8?X?b?=") },
		{ SPAN("=?utf-8?Q?never ends"), SPAN("=?utf-8?Q?never ends") },
		{ SPAN("=?=?utf-8?Q?b?="), SPAN("=?b") },
		{ SPAN("=?"), SPAN("=?") },
		{ SPAN("=?utf-8?Q?=zz=4?="), SPAN("=zz=4") },
		{ SPAN("raw \xc3\xbc"), SPAN("raw \xc3\xbc") },
		{ SPAN("raw \xfc"), SPAN("raw \xc3\xbc") },
		{ SPAN(" folded\r\n\tline"), SPAN("folded line") },
		{ SPAN(""), SPAN("") },
	};
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buffer_clear(&out);
		mime_header_decode(cases[i].input, &out);
		assert_string_equal(buffer_string(&out), (const char *)cases[i].expected.at);
	}
	buffer_free(&out);
}

static void
decodes_parameters(void **state)
{
	static const struct {
		struct mime_parameter parameters[2];
		size_t count;
		struct span expected;
		bool is_found;
	} cases[] = {
		{ { { SPAN("x"), SPAN("y") } }, 1, SPAN(""), false },
		{ { { SPAN("Title"), SPAN("plain") } }, 1, SPAN("plain"), true },
		{ { { SPAN("title"), SPAN("=?utf-8?q?=c3=bc?=") } }, 1, SPAN("\xc3\xbc"), true },
		/* RFC 2231 section 4. */
		{ { { SPAN("title"), SPAN("old") }, { SPAN("title*"),
		    SPAN("us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A") } }, 2, SPAN("This is ***fun***"), true },
		{ { { SPAN("title*"), SPAN("no%20charset%") } }, 1, SPAN("no charset%"), true },
		{ { { SPAN("title*"), SPAN("iso-8859-1''%fc") } }, 1, SPAN("\xc3\xbc"), true },
	};
	struct mime_parameters parameters;
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buffer_clear(&out);
		parameters = (struct mime_parameters){ cases[i].parameters, cases[i].count };
		assert_int_equal(mime_parameter_decode(parameters, SPAN("title"), &out), cases[i].is_found);
		assert_string_equal(buffer_string(&out), (const char *)cases[i].expected.at);
	}
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_headers),
		cmocka_unit_test(decodes_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
