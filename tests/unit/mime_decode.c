/*
 * Transfer encodings, whole and octet by octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "mime/decode.h"

static const struct {
	enum mime_encoding encoding;
	struct span input, expected;
} cases[] = {
	{ MIME_7BIT, SPAN("a\r\n"), SPAN("a\r\n") },
	{ MIME_BINARY, SPAN("a\0\xff"), SPAN("a\0\xff") },
	{ MIME_BASE64, SPAN(""), SPAN("") },
	{ MIME_BASE64, SPAN("aGVsbG8="), SPAN("hello") },
	{ MIME_BASE64, SPAN("aGVs\r\nbG8=\r\n"), SPAN("hello") },
	{ MIME_BASE64, SPAN("aGVsbG8"), SPAN("hello") },		/* no padding */
	{ MIME_BASE64, SPAN("a*G V\ts.bG8="), SPAN("hello") },		/* RFC 2045 section 6.8 */
	{ MIME_BASE64, SPAN("aA==aA=="), SPAN("hh") },			/* two, one after the other */
	{ MIME_BASE64, SPAN("aGVsb"), SPAN("hel") },			/* cut */
	{ MIME_BASE64, SPAN("===="), SPAN("") },
	{ MIME_BASE64, SPAN("+/+/"), SPAN("\xfb\xff\xbf") },
	{ MIME_QUOTED_PRINTABLE, SPAN("a=3Db=C3=bc"), SPAN("a=b\xc3\xbc") },
	{ MIME_QUOTED_PRINTABLE, SPAN("soft=\r\nbreak"), SPAN("softbreak") },
	{ MIME_QUOTED_PRINTABLE, SPAN("soft=\nbreak"), SPAN("softbreak") },
	{ MIME_QUOTED_PRINTABLE, SPAN("soft= \t \r\nbreak"), SPAN("softbreak") },
	{ MIME_QUOTED_PRINTABLE, SPAN("soft =\r\n break"), SPAN("soft  break") },
	{ MIME_QUOTED_PRINTABLE, SPAN("soft="), SPAN("soft") },
	{ MIME_QUOTED_PRINTABLE, SPAN("blanks \t\r\nend \n "), SPAN("blanks\r\nend\n") },
	{ MIME_QUOTED_PRINTABLE, SPAN("kept=20\r\n"), SPAN("kept \r\n") },
	{ MIME_QUOTED_PRINTABLE, SPAN("bad=xy =4 =4"), SPAN("bad=xy =4 =4") },
	{ MIME_QUOTED_PRINTABLE, SPAN("bad==41= x"), SPAN("bad=A= x") },
	{ MIME_QUOTED_PRINTABLE, SPAN("raw \xfc\0z"), SPAN("raw \xfc\0z") },
	{ MIME_UUENCODE, SPAN("junk\r\nbegin 644 a\r\n#86)C\r\n`\r\nend\r\njunk"), SPAN("abc") },
	{ MIME_UUENCODE, SPAN("begin 644 a\n#86)C\nend\n"), SPAN("abc") },
	{ MIME_UUENCODE, SPAN("begin 644 a\n!80\n\"86\nend"), SPAN("aa\x60") },	/* spaces cut */
	{ MIME_UUENCODE, SPAN("no beginning\n#86)C\n"), SPAN("") },
	{ MIME_UNKNOWN_ENCODING, SPAN("a=41"), SPAN("a=41") },
};

static void
assert_octets(struct buffer *found, struct span expected)
{
	assert_int_equal(found->length, expected.length);
	if (expected.length > 0)
		assert_memory_equal(found->at, expected.at, expected.length);
	buffer_clear(found);
}

static void
decodes(void **state)
{
	struct mime_decoder decoder;
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		mime_decoder_init(&decoder, cases[i].encoding);
		mime_decode(&decoder, cases[i].input, true, &out);
		assert_octets(&out, cases[i].expected);

		mime_decoder_init(&decoder, cases[i].encoding);
		for (size_t at = 0; at < cases[i].input.length; at++)
			mime_decode(&decoder, span_slice(cases[i].input, at, 1), false, &out);
		mime_decode(&decoder, SPAN(""), true, &out);
		assert_octets(&out, cases[i].expected);
	}
	buffer_free(&out);
}

static void
decodes_bodies(void **state)
{
	struct buffer out = { 0 };

	(void)state;
	assert_true(mime_decode_all(MIME_BASE64, SPAN("aGVsbG8="), &out));
	assert_octets(&out, SPAN("hello"));
	assert_false(mime_decode_all(MIME_UNKNOWN_ENCODING, SPAN("a"), &out));
	assert_int_equal(out.length, 0);
	buffer_free(&out);
}

static void
tells_damage(void **state)
{
	static const struct {
		enum mime_encoding encoding;
		struct span input;
		bool expected;
	} damages[] = {
		{ MIME_BASE64, SPAN("aGVs\r\n bG8="), false },
		{ MIME_BASE64, SPAN("aGV*s"), true },
		{ MIME_BASE64, SPAN("aGVsb"), true },
		{ MIME_QUOTED_PRINTABLE, SPAN("=41 = \r\n"), false },
		{ MIME_QUOTED_PRINTABLE, SPAN("=4x"), true },
		{ MIME_QUOTED_PRINTABLE, SPAN("=4"), true },
		{ MIME_UUENCODE, SPAN("begin 644 a\nend"), false },
		{ MIME_UUENCODE, SPAN("begin 644 a\n"), true },
	};
	struct mime_decoder decoder;
	struct buffer out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		mime_decoder_init(&decoder, damages[i].encoding);
		mime_decode(&decoder, damages[i].input, true, &out);
		assert_int_equal(decoder.is_damaged, damages[i].expected);
	}
	buffer_free(&out);
}

/* More blanks than the decoder holds are not trailing any more, and nothing overflows. */
static void
holds_long_runs(void **state)
{
	struct mime_decoder decoder;
	struct buffer in = { 0 }, out = { 0 };

	(void)state;
	buffer_add_string(&in, "=");
	for (size_t i = 0; i < 1000; i++)
		buffer_add_octet(&in, ' ');
	buffer_add_string(&in, "x");
	mime_decoder_init(&decoder, MIME_QUOTED_PRINTABLE);
	mime_decode(&decoder, buffer_span(&in), true, &out);
	assert_octets(&out, buffer_span(&in));
	mime_decoder_init(&decoder, MIME_UUENCODE);
	mime_decode(&decoder, buffer_span(&in), true, &out);
	assert_int_equal(out.length, 0);
	buffer_free(&in);
	buffer_free(&out);
}

static void
finds_names(void **state)
{
	static const struct {
		struct span name;
		enum mime_encoding expected;
	} names[] = {
		{ SPAN(""), MIME_7BIT },
		{ SPAN("7BIT"), MIME_7BIT },
		{ SPAN("8bit"), MIME_8BIT },
		{ SPAN("Binary"), MIME_BINARY },
		{ SPAN(" base64 "), MIME_BASE64 },
		{ SPAN("Quoted-Printable"), MIME_QUOTED_PRINTABLE },
		{ SPAN("x-uue"), MIME_UUENCODE },
		{ SPAN("7-bit"), MIME_UNKNOWN_ENCODING },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(mime_encoding_find(names[i].name), names[i].expected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes),
		cmocka_unit_test(decodes_bodies),
		cmocka_unit_test(tells_damage),
		cmocka_unit_test(holds_long_runs),
		cmocka_unit_test(finds_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
