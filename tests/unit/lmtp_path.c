/*
 * Addresses of the envelope and the names they may stand for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../src/lmtp/path.h"
#include "base/memory.h"

static const struct {
	const char *input;
	const char *names[5];	/* NULL first: no path */
	const char *rest;
} cases[] = {
	{ "<a@b.c> SIZE=1", { "a@b.c", "a" }, " SIZE=1" },
	{ "<a>", { "a" }, "" },
	{ "<a+d@b>", { "a+d@b", "a@b", "a+d", "a" }, "" },
	{ "<a+d>", { "a+d", "a" }, "" },
	{ "<+d>", { "+d" }, "" },
	{ "<\"a b\\\"\"@x>", { "a b\"@x", "a b\"" }, "" },
	{ "<@one,@two:a@b>", { "a@b", "a" }, "" },
	{ "<a@[IPv6:::1]>", { "a@[IPv6:::1]", "a" }, "" },
	{ "<\xc3\xa4@x>", { "\xc3\xa4@x", "\xc3\xa4" }, "" },
	{ "a@b", { NULL }, "" },
	{ "<a@b", { NULL }, "" },
	{ "<a b@c>", { NULL }, "" },
	{ "<@b>", { NULL }, "" },
	{ "<a@>", { NULL }, "" },
	{ "<a@b@c>", { NULL }, "" },
	{ "<\xc3@x>", { NULL }, "" },
	{ "<\"a@b>", { NULL }, "" },
	{ "<\"a\\", { NULL }, "" },
	{ "<@one>", { NULL }, "" },
	{ "", { NULL }, "" },
};

static void
test_names(void **state)
{
	uint8_t name[LMTP_NAME_MAX + 1];
	size_t length, index;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span input = span_from_string(cases[i].input);
		struct lmtp_path path;

		assert_int_equal(lmtp_path_parse(&input, &path), cases[i].names[0] != NULL);
		if (cases[i].names[0] == NULL)
			continue;
		for (index = 0; lmtp_path_candidate(&path, index, name, &length); index++) {
			name[length] = '\0';
			assert_string_equal((char *)name, cases[i].names[index]);
		}
		assert_null(cases[i].names[index]);
		assert_true(span_equals(input, span_from_string(cases[i].rest)));
	}
}

static void
test_limits(void **state)
{
	char text[2 * LMTP_NAME_MAX];
	struct lmtp_path path;
	struct span input;

	(void)state;
	memset(text, 'a', sizeof text);
	text[0] = '<';
	text[LMTP_LOCAL_MAX + 1] = '>';
	input = span_of(text, LMTP_LOCAL_MAX + 2);
	assert_true(lmtp_path_parse(&input, &path));
	text[LMTP_LOCAL_MAX + 1] = 'a';
	text[LMTP_LOCAL_MAX + 2] = '>';
	input = span_of(text, LMTP_LOCAL_MAX + 3);
	assert_false(lmtp_path_parse(&input, &path));
}

/* The text is what was written, so that quoted text stays so. */
static void
test_text(void **state)
{
	static const struct { const char *input, *text; } texts[] = {
		{ "<>", "" },
		{ "<a> X", "a" },
		{ "<A+d@B.c>", "A+d@B.c" },
		{ "<@one,@two:a@b>", "a@b" },
		{ "<\"a \\\"b\"@x>", "\"a \\\"b\"@x" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct span input = span_from_string(texts[i].input);
		struct lmtp_path path;

		assert_true(lmtp_path_parse(&input, &path));
		assert_true(span_equals(path.text, span_from_string(texts[i].text)));
	}
}

static void
test_null_sender(void **state)
{
	struct span input = SPAN("<>");
	struct lmtp_path path;

	(void)state;
	assert_true(lmtp_path_parse(&input, &path));
	assert_int_equal(path.local_length + path.domain_length, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_null_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
