/*
 * Content-Transfer-Encoding undone: RFC 2045 sections 6.7 and 6.8, and the lines of uuencode.  What waits
 * for the next piece is in decoder->held, so that where pieces are cut changes nothing.  Any thread.
 */
#include "mime/decode.h"

#include "base/memory.h"

enum mime_encoding
mime_encoding_find(struct span name)
{
	static const struct {
		struct span name;
		enum mime_encoding encoding;
	} names[] = {
		{ SPAN(""),		    MIME_7BIT },
		{ SPAN("7bit"),		    MIME_7BIT },
		{ SPAN("8bit"),		    MIME_8BIT },
		{ SPAN("binary"),	    MIME_BINARY },
		{ SPAN("base64"),	    MIME_BASE64 },
		{ SPAN("quoted-printable"), MIME_QUOTED_PRINTABLE },
		{ SPAN("x-uuencode"),	    MIME_UUENCODE },
		{ SPAN("x-uue"),	    MIME_UUENCODE },
		{ SPAN("uuencode"),	    MIME_UUENCODE },
	};

	name = span_trim(name);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (span_equals_nocase(name, names[i].name))
			return names[i].encoding;
	return MIME_UNKNOWN_ENCODING;
}

void
mime_decoder_init(struct mime_decoder *decoder, enum mime_encoding encoding)
{
	*decoder = (struct mime_decoder){ .encoding = encoding };
}

/* mime_decode() has made room for all that a piece can become. */
static inline void
put(struct buffer *out, uint8_t octet)
{
	out->at[out->length++] = octet;
}

static void
put_held(struct mime_decoder *decoder, struct buffer *out)
{
	for (size_t i = 0; i < decoder->held_length; i++)
		put(out, decoder->held[i]);
	decoder->held_length = 0;
}

static inline bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

/* Each character of the alphabet has its value + 1. */
static const uint8_t base64_values[256] = {
	['A'] = 1,  ['B'] = 2,	['C'] = 3,  ['D'] = 4,	['E'] = 5,  ['F'] = 6,	['G'] = 7,  ['H'] = 8,
	['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

/* The end of a group: by padding, or of the body. */
static void
base64_end(struct mime_decoder *decoder, struct buffer *out)
{
	if (decoder->bit_count == 6)
		decoder->is_damaged = true;
	if (decoder->bit_count >= 12)
		put(out, decoder->bits >> (decoder->bit_count - 8));
	if (decoder->bit_count == 18)
		put(out, decoder->bits >> 2);
	decoder->bits = decoder->bit_count = 0;
}

static void
base64_step(struct mime_decoder *decoder, uint8_t octet, struct buffer *out)
{
	if (base64_values[octet] > 0) {
		decoder->bits = decoder->bits << 6 | (base64_values[octet] - 1);
		decoder->bit_count += 6;
		if (decoder->bit_count < 24)
			return;
		put(out, decoder->bits >> 16);
		put(out, decoder->bits >> 8);
		put(out, decoder->bits);
		decoder->bits = decoder->bit_count = 0;
	} else if (octet == '=') {
		/* Not the end of everything: what programs append begins anew. */
		base64_end(decoder, out);
	} else if (!is_blank(octet) && octet != '\r' && octet != '\n') {
		decoder->is_damaged = true;
	}
}

static void
base64_decode_piece(struct mime_decoder *decoder, struct span piece, struct buffer *out)
{
	const uint8_t *at = piece.at, *end = at + piece.length;

	while (at < end) {
		uint32_t a, b, c, d, bits;

		if (decoder->bit_count > 0 || end - at < 4 || (a = base64_values[at[0]]) == 0 ||
		    (b = base64_values[at[1]]) == 0 || (c = base64_values[at[2]]) == 0 ||
		    (d = base64_values[at[3]]) == 0) {
			base64_step(decoder, *at++, out);
			continue;
		}
		bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
		put(out, bits >> 16);
		put(out, bits >> 8);
		put(out, bits);
		at += 4;
	}
}

static void quoted_step(struct mime_decoder *decoder, uint8_t octet, struct buffer *out);

static void
quoted_hold(struct mime_decoder *decoder, uint8_t octet, struct buffer *out)
{
	if (decoder->held_length == sizeof decoder->held)	/* far beyond the 76 of a line */
		put_held(decoder, out);
	decoder->held[decoder->held_length++] = octet;
}

/* Held is "=" and a hexadecimal digit, or "=" and blanks, then perhaps CR: a soft line break. */
static void
escape_step(struct mime_decoder *decoder, uint8_t octet, struct buffer *out)
{
	uint8_t last = decoder->held[decoder->held_length - 1];
	int high = ascii_hex_value(last), low = ascii_hex_value(octet);

	if (last == '\r' || (octet == '\n' && high < 0)) {
		decoder->held_length = 0;
		if (octet != '\n')
			quoted_step(decoder, octet, out);
	} else if (high >= 0 && low >= 0) {
		decoder->held_length = 0;
		put(out, high << 4 | low);
	} else if (high < 0 && ((last == '=' && low >= 0) || is_blank(octet) || octet == '\r')) {
		quoted_hold(decoder, octet, out);
	} else {
		decoder->is_damaged = true;
		put_held(decoder, out);
		quoted_step(decoder, octet, out);
	}
}

/* Held is nothing, blanks that may end the line (RFC 2045 section 6.7, rule 3), or an escape. */
static void
quoted_step(struct mime_decoder *decoder, uint8_t octet, struct buffer *out)
{
	if (decoder->held_length > 0 && decoder->held[0] == '=') {
		escape_step(decoder, octet, out);
		return;
	}
	if (is_blank(octet)) {
		quoted_hold(decoder, octet, out);
		return;
	}
	if (octet == '\r' || octet == '\n')
		decoder->held_length = 0;
	put_held(decoder, out);
	if (octet == '=')
		quoted_hold(decoder, octet, out);
	else
		put(out, octet);
}

/* Octets from here on that stand for themselves, whatever follows the piece. */
static size_t
quoted_plain_length(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *from = at;

	for (; at < end && *at != '='; at++)
		if (is_blank(*at) && (end - at == 1 || at[1] <= ' '))
			break;
	return at - from;
}

static void
quoted_decode_piece(struct mime_decoder *decoder, struct span piece, struct buffer *out)
{
	const uint8_t *at = piece.at, *end = at + piece.length;

	while (at < end) {
		size_t plain = decoder->held_length == 0 ? quoted_plain_length(at, end) : 0;

		if (plain > 0) {
			memcpy(out->at + out->length, at, plain);
			out->length += plain;
			at += plain;
		} else {
			quoted_step(decoder, *at++, out);
		}
	}
}

static void
quoted_end(struct mime_decoder *decoder, struct buffer *out)
{
	if (decoder->held_length == 2 && decoder->held[0] == '=' && ascii_hex_value(decoder->held[1]) >= 0) {
		decoder->is_damaged = true;
		put_held(decoder, out);
	}
	decoder->held_length = 0;
}

/* The value of a character in a line of which trailing spaces may have been cut. */
static uint32_t
uuencode_value(struct span line, size_t offset)
{
	return offset < line.length ? (line.at[offset] - ' ') & 0x3F : 0;
}

static void
uuencode_data(struct span line, struct buffer *out)
{
	size_t length = uuencode_value(line, 0), done = 0;

	for (size_t offset = 1; done < length && offset < line.length; offset += 4) {
		uint32_t bits = uuencode_value(line, offset) << 18 | uuencode_value(line, offset + 1) << 12 |
		    uuencode_value(line, offset + 2) << 6 | uuencode_value(line, offset + 3);

		for (int shift = 16; shift >= 0 && done < length; shift -= 8, done++)
			put(out, bits >> shift);
	}
}

static void
uuencode_line(struct mime_decoder *decoder, struct buffer *out)
{
	struct span line = { decoder->held, decoder->held_length };

	decoder->held_length = 0;
	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	if (!decoder->is_begun)
		decoder->is_begun = span_starts_with(line, SPAN("begin "));
	else if (span_equals(line, SPAN("end")))
		decoder->is_ended = true;
	else if (!decoder->is_ended)
		uuencode_data(line, out);
}

static void
uuencode_decode_piece(struct mime_decoder *decoder, struct span piece, struct buffer *out)
{
	for (size_t i = 0; i < piece.length; i++) {
		if (piece.at[i] == '\n')
			uuencode_line(decoder, out);
		else if (decoder->held_length < sizeof decoder->held)
			decoder->held[decoder->held_length++] = piece.at[i];
	}
}

static void
end(struct mime_decoder *decoder, struct buffer *out)
{
	switch (decoder->encoding) {
	case MIME_BASE64:
		base64_end(decoder, out);
		break;
	case MIME_QUOTED_PRINTABLE:
		quoted_end(decoder, out);
		break;
	case MIME_UUENCODE:
		uuencode_line(decoder, out);
		decoder->is_damaged |= !decoder->is_ended;
		break;
	default:
		break;
	}
}

void
mime_decode(struct mime_decoder *decoder, struct span piece, bool is_last, struct buffer *out)
{
	buffer_reserve(out, piece.length + sizeof decoder->held + 4);
	if (piece.length > 0) {
		switch (decoder->encoding) {
		case MIME_BASE64:
			base64_decode_piece(decoder, piece, out);
			break;
		case MIME_QUOTED_PRINTABLE:
			quoted_decode_piece(decoder, piece, out);
			break;
		case MIME_UUENCODE:
			uuencode_decode_piece(decoder, piece, out);
			break;
		default:
			buffer_add_span(out, piece);
			break;
		}
	}
	if (is_last)
		end(decoder, out);
}

bool
mime_decode_all(enum mime_encoding encoding, struct span body, struct buffer *out)
{
	struct mime_decoder decoder;

	if (encoding == MIME_UNKNOWN_ENCODING)
		return false;
	mime_decoder_init(&decoder, encoding);
	mime_decode(&decoder, body, true, out);
	return true;
}
