/*
 * Transfer encodings, charsets, header text, dates and folding over any octets: the first octet chooses the
 * encoding, the second the charset, the third where the rest is cut in two.  What is cut must come out as
 * what is whole, as valid UTF-8, and no longer than the doors say.
 */
#include <assert.h>

#include "base/memory.h"
#include "mime/charset.h"
#include "mime/date.h"
#include "mime/decode.h"
#include "mime/encoded_word.h"
#include "mime/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static const char *const charsets[] = {
	"", "utf-8", "us-ascii", "iso-8859-1", "utf-7", "utf-16", "utf-16le", "utf-32", "iso-8859-15",
	"windows-1251", "windows-1258", "koi8-u", "windows-874", "iso-2022-jp", "iso-2022-jp-2", "iso-2022-kr",
	"euc-jp", "shift_jis", "euc-kr", "gb18030", "big5", "macintosh",
};

static void
assert_utf8(struct span text)
{
	struct buffer copy = { 0 };

	assert(mime_convert_strict(SPAN("utf-8"), text, &copy));
	assert(span_equals(buffer_span(&copy), text));
	buffer_free(&copy);
}

static void
decode(enum mime_encoding encoding, struct span body, size_t cut, struct buffer *whole)
{
	struct mime_decoder decoder;
	struct buffer pieces = { 0 };

	mime_decoder_init(&decoder, encoding);
	mime_decode(&decoder, body, true, whole);
	assert(whole->length <= body.length + 128);
	mime_decoder_init(&decoder, encoding);
	mime_decode(&decoder, span_slice(body, 0, cut), false, &pieces);
	mime_decode(&decoder, span_from(body, cut), true, &pieces);
	assert(span_equals(buffer_span(whole), buffer_span(&pieces)));
	buffer_free(&pieces);
}

/* glibc's UTF-7 loses its shift state at a mistake, and then it matters where the text was cut. */
static bool
is_damaged_utf7(struct span label, struct span text)
{
	struct buffer copy = { 0 };
	bool is_damaged = span_equals(label, SPAN("utf-7")) && !mime_convert_strict(label, text, &copy);

	buffer_free(&copy);
	return is_damaged;
}

static void
convert(struct span label, struct span text, size_t cut, struct buffer *whole)
{
	struct mime_converter *converter = mime_converter_new(label);
	struct buffer pieces = { 0 };

	mime_convert(converter, text, true, whole);
	assert(whole->length <= 4 * text.length + 64);
	assert_utf8(buffer_span(whole));
	mime_convert(converter, span_slice(text, 0, cut), false, &pieces);
	mime_convert(converter, span_from(text, cut), true, &pieces);
	assert(span_equals(buffer_span(whole), buffer_span(&pieces)) || is_damaged_utf7(label, text));
	mime_converter_free(&converter);
	buffer_free(&pieces);
}

static void
read_header(struct span value)
{
	struct mime_parameter parameters[] = { { SPAN("a*"), value }, { SPAN("b"), value } };
	static const struct span names[] = { SPAN("a"), SPAN("b") };
	struct buffer text = { 0 };
	struct mime_date date;

	mime_header_decode(value, &text);
	assert_utf8(buffer_span(&text));
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		buffer_clear(&text);
		assert(mime_parameter_decode((struct mime_parameters){ parameters, COUNT_OF(parameters) },
		    names[i], &text));
		assert_utf8(buffer_span(&text));
	}
	if (mime_date_parse(value, &date))
		assert(date.day >= -720000 && date.day <= 2932896);
	buffer_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct buffer decoded = { 0 }, converted = { 0 }, folded = { 0 };
	struct span input;

	if (size < 3)
		return 0;
	input = span_of(octets + 3, size - 3);
	decode(octets[0] % MIME_ENCODING_COUNT, input, octets[2], &decoded);
	convert(span_from_string(charsets[octets[1] % COUNT_OF(charsets)]), buffer_span(&decoded), octets[2],
	    &converted);
	mime_fold(buffer_span(&converted), &folded);
	assert_utf8(buffer_span(&folded));
	assert(folded.length <= 11 * converted.length);
	read_header(input);
	buffer_free(&decoded);
	buffer_free(&converted);
	buffer_free(&folded);
	return 0;
}
