/*
 * Conversion to UTF-8.  The charsets that nearly all mail is written in are converted here, for iconv_open()
 * costs more than most texts; the others by iconv(3).  A character cut by the end of a piece waits in
 * converter->held, so that where pieces are cut changes nothing.  Any thread.
 */
#include "mime/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#include "base/memory.h"
#include "charset_name.h"
#include "charset_shift.h"
#include "utf8.h"

#define HELD_MAX 16	/* no charset of the list has longer characters or shift sequences */
#define ICONV_NONE ((iconv_t)-1)

struct mime_converter {
	enum charset_kind kind;
	unsigned unit_octets;
	bool has_mark;
	bool is_begun;		/* the byte order is known */
	iconv_t iconv;
	bool is_cut;		/* iconv waits for the rest of a character */
	bool is_damaged;	/* something was replaced or guessed */
	size_t held_length;
	uint8_t held[HELD_MAX];
	struct charset_shift shift;
	struct buffer shifted;
};

bool
mime_charset_is_known(struct span label)
{
	return charset_name_find(label).kind != CHARSET_UNKNOWN;
}

bool
mime_charset_is_utf8(struct span label)
{
	enum charset_kind kind = charset_name_find(label).kind;

	return kind == CHARSET_UTF_8 || kind == CHARSET_ASCII;
}

struct mime_converter *
mime_converter_new(struct span label)
{
	struct mime_converter *converter = NEW(struct mime_converter);
	struct charset_name name = charset_name_find(label);

	converter->kind = name.kind;
	converter->unit_octets = name.unit_octets;
	converter->has_mark = name.has_mark;
	converter->iconv = ICONV_NONE;
	if (name.iconv_name != NULL) {
		converter->iconv = iconv_open("UTF-8", name.iconv_name);
		if (converter->iconv == ICONV_NONE)	/* a system without its tables */
			converter->kind = CHARSET_UNKNOWN;
	}
	return converter;
}

void
mime_converter_free(struct mime_converter **converter)
{
	if (*converter == NULL)
		return;
	if ((*converter)->iconv != ICONV_NONE)
		iconv_close((*converter)->iconv);
	buffer_free(&(*converter)->shifted);
	free(*converter);
	*converter = NULL;
}

static void
replace(struct mime_converter *converter, struct buffer *out)
{
	converter->is_damaged = true;
	utf8_add(out, UTF8_REPLACEMENT);
}

/* windows-1252 from 128 to 159; the five it leaves open stay controls, as everywhere. */
static const uint16_t windows_1252_upper[32] = {
	0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
	0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
	0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

static void
add_windows_1252(struct buffer *out, uint8_t octet)
{
	utf8_add(out, octet >= 0x80 && octet < 0xA0 ? windows_1252_upper[octet - 0x80] : octet);
}

static void
convert_windows_1252(struct span text, struct buffer *out)
{
	while (text.length > 0) {
		size_t length = utf8_ascii_length(text);

		if (length > 0) {
			buffer_add(out, text.at, length);
		} else {
			add_windows_1252(out, text.at[0]);
			length = 1;
		}
		text = span_from(text, length);
	}
}

/* What is no UTF-8: a mistake in UTF-8, but windows-1252 in a text of unknown charset. */
static void
add_malformed(struct mime_converter *converter, struct span octets, struct buffer *out)
{
	if (converter->kind == CHARSET_UTF_8) {
		replace(converter, out);
		return;
	}
	converter->is_damaged = true;
	convert_windows_1252(octets, out);
}

/* Convert what is whole; return what waits for more. */
static struct span
convert_utf8(struct mime_converter *converter, struct span text, struct buffer *out)
{
	while (text.length > 0) {
		size_t length = utf8_ascii_length(text);
		uint32_t code_point;

		if (length > 0) {
			buffer_add(out, text.at, length);
			text = span_from(text, length);
			continue;
		}
		switch (utf8_read(text, &code_point, &length)) {
		case UTF8_VALID:
			buffer_add(out, text.at, length);
			break;
		case UTF8_MALFORMED:
			add_malformed(converter, span_slice(text, 0, length), out);
			break;
		case UTF8_CUT:
			return text;
		}
		text = span_from(text, length);
	}
	return text;
}

/*
 * RFC 2781 section 4.3: without a mark UTF-16 is big-endian, and so is UTF-32; glibc takes the machine's order.  False:
 * more octets must come first.
 */
static bool
begin(struct mime_converter *converter, struct span text)
{
	static const uint8_t big[] = { 0, 0, 0xFE, 0xFF }, little[] = { 0xFF, 0xFE, 0, 0 };
	size_t unit = converter->unit_octets, to_left = 8;
	const uint8_t *mark = big + sizeof big - unit;
	char *from = (char *)(uintptr_t)mark, nothing[8], *to = nothing;

	if (converter->is_begun || !converter->has_mark)
		return true;
	if (text.length < unit)
		return false;
	converter->is_begun = true;
	if (memcmp(text.at, mark, unit) != 0 && memcmp(text.at, little, unit) != 0)
		iconv(converter->iconv, &from, &unit, &to, &to_left);
	return true;
}

/* How long a character is that is none: what charset_shift() has made of two octets was one, and counts as one. */
static size_t
unit_at(const struct mime_converter *converter, struct span text)
{
	if (converter->kind == CHARSET_ICONV || text.at[0] == CHARSET_SHIFT_INVALID)
		return converter->unit_octets;
	return text.at[0] < 0x80 ? 1 : text.at[0] == 0x8F ? 3 : 2;
}

/* The same by iconv. */
static struct span
convert_iconv(struct mime_converter *converter, struct span text, struct buffer *out)
{
	if (text.length > 0 && !begin(converter, text)) {
		converter->is_cut = true;
		return text;
	}
	while (text.length > 0) {
		char *from = (char *)text.at, *to;
		size_t from_left = text.length, to_length = 4 * text.length + 16, to_left = to_length, result;
		int error;

		to = (char *)buffer_reserve(out, to_length);
		result = iconv(converter->iconv, &from, &from_left, &to, &to_left);
		error = result == (size_t)-1 ? errno : 0;
		out->length += to_length - to_left;
		text = span_from(text, text.length - from_left);
		converter->is_cut = error == EINVAL || (error == EILSEQ && unit_at(converter, text) > text.length);
		if (converter->is_cut)
			return text;
		if (error == EILSEQ) {
			replace(converter, out);
			text = span_from(text, unit_at(converter, text));
		}
	}
	return text;
}

static struct span
convert(struct mime_converter *converter, struct span text, struct buffer *out)
{
	switch (converter->kind) {
	case CHARSET_ICONV:
	case CHARSET_ISO_2022_JP:
	case CHARSET_HZ:
		return convert_iconv(converter, text, out);
	case CHARSET_WINDOWS_1252:
		convert_windows_1252(text, out);
		return span_from(text, text.length);
	default:
		return convert_utf8(converter, text, out);
	}
}

/* Keep what waits; a malformed text can leave more than any character is long. */
static void
hold(struct mime_converter *converter, struct span rest, struct buffer *out)
{
	while (rest.length > HELD_MAX) {
		replace(converter, out);
		rest = convert(converter, span_from(rest, converter->unit_octets), out);
	}
	if (rest.length > 0)
		memmove(converter->held, rest.at, rest.length);
	converter->held_length = rest.length;
}

/* Convert what is held together with the beginning of a piece; return the rest of the piece. */
static struct span
convert_held(struct mime_converter *converter, struct span piece, struct buffer *out)
{
	uint8_t joined[2 * HELD_MAX];
	size_t before, taken;
	struct span rest;

	while (converter->held_length > 0 && piece.length > 0) {
		before = converter->held_length;
		taken = piece.length < HELD_MAX ? piece.length : HELD_MAX;
		memcpy(joined, converter->held, before);
		memcpy(joined + before, piece.at, taken);
		rest = convert(converter, span_of(joined, before + taken), out);
		if (rest.length <= taken) {
			converter->held_length = 0;
			return span_from(piece, taken - rest.length);
		}
		hold(converter, rest, out);
		piece = span_from(piece, taken);
	}
	return piece;
}

/* The end of a text: what still waits is damaged, and shift states begin anew. */
static void
end(struct mime_converter *converter, struct buffer *out)
{
	struct span rest = { converter->held, converter->held_length };

	if (converter->iconv != ICONV_NONE) {
		size_t to_length = 64, to_left = to_length;
		char *to;

		if (rest.length > 0 || converter->is_cut)
			replace(converter, out);
		to = (char *)buffer_reserve(out, to_length);
		iconv(converter->iconv, NULL, NULL, &to, &to_left);
		out->length += to_length - to_left;
		iconv(converter->iconv, NULL, NULL, NULL, NULL);
	} else if (rest.length > 0) {
		add_malformed(converter, rest, out);
	}
	converter->held_length = 0;
	converter->is_cut = converter->is_begun = false;
}

void
mime_convert(struct mime_converter *converter, struct span piece, bool is_last, struct buffer *out)
{
	if (converter->kind == CHARSET_ISO_2022_JP || converter->kind == CHARSET_HZ) {
		buffer_clear(&converter->shifted);
		charset_shift(&converter->shift, converter->kind, piece, is_last, &converter->shifted);
		piece = buffer_span(&converter->shifted);
	}
	piece = convert_held(converter, piece, out);
	if (piece.length > 0)
		hold(converter, convert(converter, piece, out), out);
	if (is_last)
		end(converter, out);
}

bool
mime_convert_strict(struct span label, struct span text, struct buffer *out)
{
	struct mime_converter *converter;
	size_t before = out->length;
	bool is_valid;

	if (!mime_charset_is_known(label))
		return false;
	converter = mime_converter_new(label);
	mime_convert(converter, text, true, out);
	/* UTF-7 that is cut says nothing, and no key may be found everywhere for that. */
	is_valid = converter->kind != CHARSET_UNKNOWN && !converter->is_damaged &&
	    (out->length > before || text.length == 0);
	mime_converter_free(&converter);
	if (!is_valid)
		out->length = before;
	return is_valid;
}
