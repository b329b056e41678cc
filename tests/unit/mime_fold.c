/*
 * i;unicode-casemap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "mime/fold.h"

static void
folds(void **state)
{
	static const struct {
		struct span input, expected;
	} cases[] = {
		{ SPAN(""), SPAN("") },
		{ SPAN("@AZ[`az{ 0123456789 the quick brown fox"), SPAN("@AZ[`AZ{ 0123456789 THE QUICK BROWN FOX") },
		{ SPAN("\xc7\x84"), SPAN("Dz\xcc\x8c") },		/* U+01C4, RFC 5051 section 2 */
		{ SPAN("\xc3\xbc"), SPAN("U\xcc\x88") },
		{ SPAN("u\xcc\x88"), SPAN("U\xcc\x88") },
		{ SPAN("\xc3\x9f"), SPAN("\xc3\x9f") },		/* sharp s has no title case */
		{ SPAN("\xcf\x83\xcf\x82"), SPAN("\xce\xa3\xce\xa3") },	/* both small sigmas */
		{ SPAN("\xef\xbd\x81"), SPAN("A") },		/* full width */
		{ SPAN("\xed\x95\x9c"), SPAN("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab") },	/* Hangul */
		{ SPAN("a\xff" "b"), SPAN("A\xef\xbf\xbd" "B") },
		{ SPAN("a\xe2\x82"), SPAN("A\xef\xbf\xbd\xef\xbf\xbd") },
		{ SPAN("a\0b"), SPAN("A\0B") },
	};
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buffer_clear(&out);
		mime_fold(cases[i].input, &out);
		assert_true(span_equals(buffer_span(&out), cases[i].expected));
	}
	buffer_free(&out);
}

/* Whatever the tables say of a character, it fits: every code point once. */
static void
folds_everything(void **state)
{
	struct buffer out = { 0 };
	uint8_t octets[4];

	(void)state;
	for (uint32_t point = 0x10000; point < 0x110000; point++) {
		octets[0] = 0xF0 | point >> 18;
		octets[1] = 0x80 | (point >> 12 & 0x3F);
		octets[2] = 0x80 | (point >> 6 & 0x3F);
		octets[3] = 0x80 | (point & 0x3F);
		buffer_clear(&out);
		mime_fold(span_of(octets, 4), &out);
		assert_in_range(out.length, 1, 44);
	}
	for (uint32_t point = 0x800; point < 0x10000; point++) {
		octets[0] = 0xE0 | point >> 12;
		octets[1] = 0x80 | (point >> 6 & 0x3F);
		octets[2] = 0x80 | (point & 0x3F);
		buffer_clear(&out);
		mime_fold(span_of(octets, 3), &out);
		assert_in_range(out.length, 1, 33);
	}
	buffer_free(&out);
}

static void
finds_keys(void **state)
{
	static const struct {
		struct span text, key;
		bool expected;
	} cases[] = {
		{ SPAN(""), SPAN(""), true },
		{ SPAN("ABC"), SPAN(""), true },
		{ SPAN("ABC"), SPAN("BC"), true },
		{ SPAN("ABC"), SPAN("BCD"), false },
		{ SPAN("AB"), SPAN("ABC"), false },
		{ SPAN("A\0B"), SPAN("\0B"), true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(mime_fold_contains(cases[i].text, cases[i].key), cases[i].expected);
	assert_true(mime_fold_contains((struct span){ NULL, 0 }, SPAN("")));
	assert_false(mime_fold_contains((struct span){ NULL, 0 }, SPAN("A")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds),
		cmocka_unit_test(folds_everything),
		cmocka_unit_test(finds_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
