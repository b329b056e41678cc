/*
 * LIST patterns, against a table and against the obvious matcher that tries everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imap/list_match.h"

static const struct {
	const char *pattern, *name;
	bool is_match, is_below;
} cases[] = {
	{ "*", "a/b", true, true },
	{ "%", "a", true, false },
	{ "%", "a/b", false, false },
	{ "%/%", "a", false, true },
	{ "%/%", "a/b", true, false },
	{ "a*", "a", true, true },
	{ "a*", "b", false, false },
	{ "a/%/c", "a/b/c", true, false },
	{ "a/%/c", "a", false, true },
	{ "*c", "a/b/c", true, true },
	{ "%*", "a/b", true, true },
	{ "*%", "a/b", true, true },
	{ "*a%b", "xayyab", true, true },
	{ "*a%b", "a/b", false, true },
	{ "inbox", "INBOX", true, false },
	{ "InB%", "INBOX", true, false },
	{ "inbox/X", "INBOX/X", true, false },
	{ "inbox/x", "INBOX/X", false, false },
	{ "inbox", "inboxes", false, false },
	{ "FOO", "foo", false, false },
	{ "", "a", false, false },
	{ "a/", "a", false, false },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span pattern = span_from_string(cases[i].pattern), name = span_from_string(cases[i].name);

		assert_int_equal(imap_pattern_matches(pattern, name), cases[i].is_match);
		assert_int_equal(imap_pattern_matches_below(pattern, name), cases[i].is_below);
	}
}

/* Tries everything; the inputs are short. */
static bool
matches_slowly(const char *pattern, const char *name)
{
	if (*pattern == 0)
		return *name == 0;
	if (*pattern != '*' && *pattern != '%')
		return *pattern == *name && matches_slowly(pattern + 1, name + 1);
	return matches_slowly(pattern + 1, name) ||
	    (*name != 0 && (*pattern == '*' || *name != '/') && matches_slowly(pattern, name + 1));
}

static void
fill(char *text, unsigned number, size_t length, const char *alphabet, size_t alphabet_length)
{
	for (size_t i = 0; i < length; i++, number /= (unsigned)alphabet_length)
		text[i] = alphabet[number % alphabet_length];
	text[length] = 0;
}

static void
test_all_short_ones(void **state)
{
	char pattern[6], name[6];
	struct span whole, prefix;

	(void)state;
	for (unsigned p = 0; p < 5 * 5 * 5 * 5; p++)
		for (unsigned n = 0; n < 3 * 3 * 3 * 3 * 3; n++) {
			fill(pattern, p, 4, "*%a/b", 5);
			fill(name, n, 5, "a/b", 3);
			assert_int_equal(imap_pattern_matches(span_from_string(pattern), span_from_string(name)),
			    matches_slowly(pattern, name));
			whole = span_from_string(pattern);
			prefix = imap_pattern_prefix(&whole, 1);
			assert_true(span_starts_with(span_from_string(name), prefix) || !matches_slowly(pattern, name));
		}
}

static void
test_long_ones(void **state)
{
	struct buffer pattern = { 0 }, name = { 0 };

	(void)state;
	for (int i = 0; i < 500; i++) {
		buffer_add_string(&pattern, "*a");
		buffer_add_string(&name, "aa");
	}
	name.at[999] = 'b';
	assert_false(imap_pattern_matches(buffer_span(&pattern), buffer_span(&name)));
	buffer_add_octet(&pattern, '*');
	assert_false(imap_pattern_matches(buffer_span(&pattern), SPAN("a")));	/* too long for any */
	buffer_free(&pattern);
	buffer_free(&name);
}

static void
test_prefix(void **state)
{
	static const struct { const char *patterns[3]; size_t count; const char *prefix; } wanted[] = {
		{ { NULL }, 0, "" }, { { "" }, 1, "" }, { { "a/b" }, 1, "a/b" }, { { "a/%" }, 1, "a/" }, { { "a*b" }, 1, "a" },
		{ { "*" }, 1, "" }, { { "%/a" }, 1, "" }, { { "ab", "ac*" }, 2, "a" }, { { "ab", "x" }, 2, "" },
		{ { "abc", "ab", "abcd" }, 3, "ab" }, { { "abc", "a%", "abcd" }, 3, "a" },
		{ { "inbox" }, 1, "" }, { { "INBOX" }, 1, "" }, { { "InBox/a" }, 1, "" }, { { "inb%" }, 1, "" }, { { "i*" }, 1, "" },
		{ { "in/box" }, 1, "in/box" }, { { "item" }, 1, "item" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		struct span patterns[3];

		for (size_t j = 0; j < wanted[i].count; j++)
			patterns[j] = span_from_string(wanted[i].patterns[j]);
		assert_true(span_equals(imap_pattern_prefix(patterns, wanted[i].count), span_from_string(wanted[i].prefix)));
	}
}

static void
test_join(void **state)
{
	struct buffer out = { 0 }, long_one = { 0 };

	(void)state;
	assert_true(imap_pattern_join(SPAN("~/x/"), SPAN("%"), &out));
	assert_string_equal(buffer_string(&out), "~/x/%");
	buffer_clear(&out);
	assert_true(imap_pattern_join(SPAN("a/"), SPAN("/b"), &out));
	assert_string_equal(buffer_string(&out), "/b");
	buffer_clear(&out);
	/* Composed as names are, also where the two meet; what is no UTF-8 stays. */
	assert_true(imap_pattern_join(SPAN("Cafe"), SPAN("\xcc\x81/%e\xcc\x81*"), &out));
	assert_string_equal(buffer_string(&out), "Caf\xc3\xa9/%\xc3\xa9*");
	buffer_clear(&out);
	assert_true(imap_pattern_join(SPAN("e\xcc\x81"), SPAN("\xff"), &out));
	assert_string_equal(buffer_string(&out), "e\xcc\x81\xff");
	buffer_clear(&out);
	for (int i = 0; i < 500; i++)
		buffer_add_string(&long_one, "e\xcc\x81");
	assert_true(imap_pattern_join(SPAN(""), buffer_span(&long_one), &out));
	assert_int_equal(out.length, IMAP_PATTERN_OCTETS_MAX);
	assert_false(imap_pattern_join(SPAN("x"), buffer_span(&long_one), &out));
	assert_int_equal(out.length, IMAP_PATTERN_OCTETS_MAX);
	buffer_free(&long_one);
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_all_short_ones),
		cmocka_unit_test(test_long_ones),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
