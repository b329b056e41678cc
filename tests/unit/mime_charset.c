/*
 * Charsets, whole and octet by octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "mime/charset.h"

#define REPLACED "\xef\xbf\xbd"

static const struct {
	struct span label, input, expected;
} cases[] = {
	{ SPAN(""), SPAN("plain"), SPAN("plain") },
	{ SPAN("utf-8"), SPAN("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), SPAN("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80") },
	{ SPAN("UTF8"), SPAN("a\xffz"), SPAN("a" REPLACED "z") },
	{ SPAN("utf-8"), SPAN("\xc0\x80"), SPAN(REPLACED REPLACED) },		/* overlong */
	{ SPAN("utf-8"), SPAN("\xed\xa0\x80"), SPAN(REPLACED REPLACED REPLACED) },	/* a surrogate */
	{ SPAN("utf-8"), SPAN("\xf4\x90\x80\x80"), SPAN(REPLACED REPLACED REPLACED REPLACED) },
	{ SPAN("utf-8"), SPAN("\xe2\x82z"), SPAN(REPLACED "z") },
	{ SPAN("utf-8"), SPAN("a\xe2\x82"), SPAN("a" REPLACED) },			/* cut */
	{ SPAN("us-ascii"), SPAN("\xc3\xbc \xfc"), SPAN("\xc3\xbc \xc3\xbc") },
	{ SPAN("badcharset"), SPAN("\xe2\x82\xac \x80 \xe2\x82"), SPAN("\xe2\x82\xac \xe2\x82\xac \xc3\xa2\xe2\x80\x9a") },
	{ SPAN("\"iso-8859-1\""), SPAN("gr\xfc\xdf\x80"), SPAN("gr\xc3\xbc\xc3\x9f\xe2\x82\xac") },
	{ SPAN("windows-1252"), SPAN("\x93q\x94"), SPAN("\xe2\x80\x9cq\xe2\x80\x9d") },
	{ SPAN("iso-8859-15*de"), SPAN("\xa4"), SPAN("\xe2\x82\xac") },
	{ SPAN("koi8-r"), SPAN("\xd0\xd2\xc9"), SPAN("\xd0\xbf\xd1\x80\xd0\xb8") },
	{ SPAN("ISO-2022-JP"), SPAN("\x1b$B4A;z\x1b(B."), SPAN("\xe6\xbc\xa2\xe5\xad\x97.") },
	{ SPAN("ISO-2022-JP"), SPAN("\x1b$B-!-j\x1b(B x \x1b(I6E\x1b(B"),
	    SPAN("\xe2\x91\xa0\xe3\x88\xb1 x \xef\xbd\xb6\xef\xbe\x85") },	/* of Windows */
	{ SPAN("ISO-2022-JP"), SPAN("\x1b(J\\5\x1b$(D0\"\x1b$(B4A\x0e" "6\x0f."),
	    SPAN("\xef\xbf\xa5" "5\xe4\xb8\x84\xe6\xbc\xa2\xef\xbd\xb6.") },
	{ SPAN("ISO-2022-JP"), SPAN("\x1b$B4A\nabc"), SPAN("\xe6\xbc\xa2\nabc") },	/* a line begins in ASCII */
	{ SPAN("ISO-2022-JP"), SPAN("\x1b$B4A;"), SPAN("\xe6\xbc\xa2" REPLACED) },
	{ SPAN("ISO-2022-JP"), SPAN("a\x1b$"), SPAN("a" REPLACED) },
	/* Places that no character has: one each, and what follows is read as it was written. */
	{ SPAN("ISO-2022-JP"), SPAN("\x1b$B)!4A\x1b(B."), SPAN(REPLACED "\xe6\xbc\xa2.") },
	{ SPAN("ISO-2022-JP"), SPAN("\x1b$(D!!4A\x1b$B4A"), SPAN(REPLACED "\xe5\x8d\xb9\xe6\xbc\xa2") },
	{ SPAN("ISO-2022-JP"), SPAN("\x1b(I6gE"), SPAN("\xef\xbd\xb6" REPLACED "\xef\xbe\x85") },
	{ SPAN("ISO-2022-JP"), SPAN("a\x1b[1m\xe4z"), SPAN("a" REPLACED "[1m" REPLACED "z") },
	{ SPAN("ISO-2022-JP"), SPAN("\x1b$B4\x1b(Bz"), SPAN(REPLACED "z") },
	{ SPAN("HZ-GB-2312"), SPAN("~{::~}~~ a~\nb~{::\nc~x"), SPAN("\xe6\xb1\x89~ ab\xe6\xb1\x89\nc~x") },
	{ SPAN("hz"), SPAN("~{:"), SPAN(REPLACED) },
	{ SPAN("shift_jis"), SPAN("\x8a\xbf\x8e\x9a"), SPAN("\xe6\xbc\xa2\xe5\xad\x97") },
	{ SPAN("euc-kr"), SPAN("\xc7\xd1"), SPAN("\xed\x95\x9c") },
	{ SPAN("gb2312"), SPAN("\xba\xba"), SPAN("\xe6\xb1\x89") },
	{ SPAN("big5"), SPAN("\xa6r"), SPAN("\xe5\xad\x97") },
	{ SPAN("big5"), SPAN("z\xa6"), SPAN("z" REPLACED) },
	{ SPAN("utf-16le"), SPAN("\xac\x20z\0"), SPAN("\xe2\x82\xacz") },
	{ SPAN("utf-16be"), SPAN("\x20\xac\0z\xd8\0\0z"), SPAN("\xe2\x82\xacz" REPLACED "z") },
	{ SPAN("utf-7"), SPAN("Hi +Jjo-!"), SPAN("Hi \xe2\x98\xba!") },
	{ SPAN("utf-16"), SPAN("\xfe\xff\x20\xac"), SPAN("\xe2\x82\xac") },
	{ SPAN("utf-16"), SPAN("\xff\xfe\xac\x20"), SPAN("\xe2\x82\xac") },
	{ SPAN("utf-16"), SPAN("\x20\xac\0z"), SPAN("\xe2\x82\xacz") },		/* RFC 2781 section 4.3 */
	{ SPAN("iso-10646-ucs-2"), SPAN("\x20\xac\0z"), SPAN("\xe2\x82\xacz") },
	{ SPAN("utf-16"), SPAN("\x20"), SPAN(REPLACED) },
	{ SPAN("utf-32"), SPAN("\xff\xfe\0\0\xac\x20\0\0"), SPAN("\xe2\x82\xac") },
	{ SPAN("utf-32"), SPAN("\0\1\xf6\0"), SPAN("\xf0\x9f\x98\x80") },
};

static void
assert_octets(struct buffer *found, struct span expected)
{
	assert_int_equal(found->length, expected.length);
	assert_memory_equal(found->at, expected.at, expected.length);
	buffer_clear(found);
}

static void
converts(void **state)
{
	struct mime_converter *converter;
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		converter = mime_converter_new(cases[i].label);
		mime_convert(converter, cases[i].input, true, &out);
		assert_octets(&out, cases[i].expected);
		for (size_t at = 0; at < cases[i].input.length; at++)
			mime_convert(converter, span_slice(cases[i].input, at, 1), false, &out);
		mime_convert(converter, SPAN(""), true, &out);
		assert_octets(&out, cases[i].expected);
		mime_converter_free(&converter);
		assert_null(converter);
	}
	buffer_free(&out);
}

static void
converts_strictly(void **state)
{
	static const struct {
		struct span label, input, expected;
		bool is_valid;
	} keys[] = {
		{ SPAN("utf-8"), SPAN("\xc3\xbc"), SPAN("\xc3\xbc"), true },
		{ SPAN("utf-8"), SPAN("a\xfc"), SPAN(""), false },
		{ SPAN("us-ascii"), SPAN("a"), SPAN("a"), true },
		{ SPAN("us-ascii"), SPAN("a\xfc"), SPAN(""), false },
		{ SPAN("iso-8859-1"), SPAN("a\xfc"), SPAN("a\xc3\xbc"), true },
		{ SPAN("shift_jis"), SPAN("\x8a"), SPAN(""), false },
		{ SPAN("koi8-r"), SPAN("\xd0"), SPAN("\xd0\xbf"), true },
		{ SPAN("x-nobody"), SPAN("a"), SPAN(""), false },
		{ SPAN(""), SPAN("a"), SPAN(""), false },
	};
	struct buffer out = { 0 };

	(void)state;
	buffer_add_octet(&out, '!');
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		assert_int_equal(mime_convert_strict(keys[i].label, keys[i].input, &out), keys[i].is_valid);
		assert_true(span_equals(span_from(buffer_span(&out), 1), keys[i].expected));
		out.length = 1;
	}
	buffer_free(&out);
}

static void
knows_labels(void **state)
{
	static const struct {
		struct span label;
		bool expected;
	} labels[] = {
		{ SPAN("US-ASCII"), true }, { SPAN("ansi_x3.4-1968"), true }, { SPAN("utf-8"), true },
		{ SPAN("ks_c_5601-1987"), true }, { SPAN("unicode-1-1-utf-7"), true },
		{ SPAN("chinesebig5"), true }, { SPAN(""), false }, { SPAN("iso-4444-5"), false },
		{ SPAN("a-label-that-is-longer-than-any"), false }, { SPAN("//TRANSLIT"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(labels); i++)
		assert_int_equal(mime_charset_is_known(labels[i].label), labels[i].expected);
	assert_true(mime_charset_is_utf8(SPAN("UTF8")));
	assert_true(mime_charset_is_utf8(SPAN("ascii")));
	assert_false(mime_charset_is_utf8(SPAN("ISO-8859-1")));
	assert_false(mime_charset_is_utf8(SPAN("x-none")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts),
		cmocka_unit_test(converts_strictly),
		cmocka_unit_test(knows_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
