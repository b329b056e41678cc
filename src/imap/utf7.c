/*
 * Modified UTF-7, strictly: decoding accepts exactly what encoding writes, but where a server's names are read.  RFC 3501
 * section 5.1.3.  Pure.
 */
#include <unistr.h>

#include "imap/mailbox_name.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* UTF-16 units to base64 with "," and no padding. */
struct shift {
	struct buffer *out;
	uint32_t bits;
	int bit_count;
	bool is_open;
};

static void
shift_add_unit(struct shift *shift, uint16_t unit)
{
	if (!shift->is_open)
		buffer_add_octet(shift->out, '&');
	shift->is_open = true;
	shift->bits = shift->bits << 16 | unit;
	shift->bit_count += 16;
	while (shift->bit_count >= 6) {
		shift->bit_count -= 6;
		buffer_add_octet(shift->out, (uint8_t)alphabet[shift->bits >> shift->bit_count & 63]);
	}
	shift->bits &= (1u << shift->bit_count) - 1;
}

static void
shift_close(struct shift *shift)
{
	if (!shift->is_open)
		return;
	if (shift->bit_count > 0)
		buffer_add_octet(shift->out, (uint8_t)alphabet[shift->bits << (6 - shift->bit_count) & 63]);
	buffer_add_octet(shift->out, '-');
	*shift = (struct shift){ .out = shift->out };
}

static void
encode_character(struct shift *shift, ucs4_t character)
{
	if (character >= ' ' && character <= '~') {
		shift_close(shift);
		buffer_add_octet(shift->out, (uint8_t)character);
		if (character == '&')
			buffer_add_octet(shift->out, '-');
	} else if (character < 0x10000) {
		shift_add_unit(shift, (uint16_t)character);
	} else {
		shift_add_unit(shift, (uint16_t)(0xd800 + ((character - 0x10000) >> 10)));
		shift_add_unit(shift, (uint16_t)(0xdc00 + ((character - 0x10000) & 0x3ff)));
	}
}

void
imap_utf7_encode(struct span utf8, struct buffer *out)
{
	struct shift shift = { .out = out };

	for (size_t at = 0; at < utf8.length;) {
		ucs4_t character;
		int length = u8_mbtouc(&character, utf8.at + at, utf8.length - at);

		encode_character(&shift, character);
		at += (size_t)length;
	}
	shift_close(&shift);
}

bool
imap_utf8_is_valid(struct span text)
{
	return (text.length == 0 || u8_check(text.at, text.length) == NULL) && span_find(text, 0) == text.length;
}

static int
value_of(uint8_t octet)
{
	const char *found = octet == 0 ? NULL : strchr(alphabet, octet);

	return found == NULL ? -1 : (int)(found - alphabet);
}

/* False on what has no place in base64: printable ASCII, unless is_lax, controls, a lone half of a pair. */
static bool
decode_unit(uint16_t unit, bool is_lax, uint16_t *high, struct buffer *out)
{
	ucs4_t character = unit;
	uint8_t utf8[4];
	int length;

	if ((unit & 0xfc00) == 0xd800) {
		if (*high != 0)
			return false;
		*high = unit;
		return true;
	}
	if ((unit & 0xfc00) == 0xdc00) {
		if (*high == 0)
			return false;
		character = 0x10000 + ((ucs4_t)(*high & 0x3ff) << 10 | (unit & 0x3ff));
		*high = 0;
	}
	if (*high != 0 || (character < 128 && (!is_lax || character < ' ' || character > '~')))
		return false;
	length = u8_uctomb(utf8, character, sizeof utf8);
	if (length <= 0)
		return false;
	buffer_add(out, utf8, (size_t)length);
	return true;
}

/* What stands between "&" and "-". */
static bool
decode_shift(struct span text, bool is_lax, struct buffer *out)
{
	uint32_t bits = 0;
	int bit_count = 0;
	uint16_t high = 0;

	for (size_t i = 0; i < text.length; i++) {
		int value = value_of(text.at[i]);

		if (value < 0)
			return false;
		bits = (bits << 6 | (uint32_t)value) & 0x3fffff;
		bit_count += 6;
		if (bit_count < 16)
			continue;
		bit_count -= 16;
		if (!decode_unit((uint16_t)(bits >> bit_count), is_lax, &high, out))
			return false;
	}
	/* At most five bits may be left over, all zero, and no half of a pair. */
	return high == 0 && (is_lax || (bit_count < 6 && (bits & ((1u << bit_count) - 1)) == 0));
}

static bool
decode(struct span utf7, struct buffer *out)
{
	bool was_shift = false;

	for (size_t at = 0; at < utf7.length;) {
		uint8_t octet = utf7.at[at];
		size_t length;

		if (octet < ' ' || octet > '~')
			return false;
		at++;
		if (octet != '&') {
			buffer_add_octet(out, octet);
			was_shift = false;
			continue;
		}
		length = span_find(span_from(utf7, at), '-');
		if (at + length == utf7.length)
			return false;
		if (length == 0)
			buffer_add_octet(out, '&');
		else if (was_shift || !decode_shift(span_slice(utf7, at, length), false, out))
			return false;	/* two shifts in a row would be one, had we written them */
		was_shift = length > 0;
		at += length + 1;
	}
	return true;
}

bool
imap_utf7_decode(struct span utf7, struct buffer *out)
{
	size_t length = out->length;

	if (decode(utf7, out))
		return true;
	out->length = length;
	return false;
}

/* The octets of one shift, from "&" to "-", decoded; 0, with nothing appended, if none begins here. */
static size_t
decode_lax_shift(struct span text, struct buffer *out)
{
	size_t end = span_find(text, '-'), before = out->length;

	if (end == 1) {
		buffer_add_octet(out, '&');
		return 2;
	}
	if (end < text.length && decode_shift(span_slice(text, 1, end - 1), true, out))
		return end + 1;
	out->length = before;
	return 0;
}

void
imap_utf7_decode_lax(struct span name, bool is_utf8, struct buffer *out)
{
	bool is_valid = imap_utf8_is_valid(name);

	for (size_t at = 0; at < name.length;) {
		uint8_t octet = name.at[at];
		size_t length = octet == '&' && !is_utf8 ? decode_lax_shift(span_from(name, at), out) : 0;

		if (length == 0 && octet >= 128 && !is_valid) {
			buffer_add_octet(out, (uint8_t)(0xc0 | octet >> 6));
			buffer_add_octet(out, (uint8_t)(0x80 | (octet & 0x3f)));
		} else if (length == 0) {
			buffer_add_octet(out, octet);
		}
		at += length == 0 ? 1 : length;
	}
}
