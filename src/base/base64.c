/*
 * RFC 4648, the strict reading: what decodes encodes back to the same text.
 */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct span octets, struct buffer *out)
{
	uint8_t *to = buffer_reserve(out, (octets.length / 3 + 1) * 4);
	size_t written = 0;

	for (size_t i = 0; i < octets.length; i += 3) {
		size_t left = octets.length - i;
		uint32_t group = (uint32_t)octets.at[i] << 16;

		if (left > 1)
			group |= (uint32_t)octets.at[i + 1] << 8;
		if (left > 2)
			group |= octets.at[i + 2];
		to[written++] = (uint8_t)alphabet[group >> 18];
		to[written++] = (uint8_t)alphabet[group >> 12 & 63];
		to[written++] = left > 1 ? (uint8_t)alphabet[group >> 6 & 63] : '=';
		to[written++] = left > 2 ? (uint8_t)alphabet[group & 63] : '=';
	}
	out->length += written;
}

static int
sextet(uint8_t octet)
{
	if (octet >= 'A' && octet <= 'Z')
		return octet - 'A';
	if (octet >= 'a' && octet <= 'z')
		return octet - 'a' + 26;
	if (ascii_is_digit(octet))
		return octet - '0' + 52;
	return octet == '+' ? 62 : octet == '/' ? 63 : -1;
}

/* How many octets the last four characters stand for: 1 to 3, or 0 if they are malformed. */
static size_t
decode_group(const uint8_t *text, bool is_last, uint8_t *octets)
{
	int a = sextet(text[0]), b = sextet(text[1]), c = sextet(text[2]), d = sextet(text[3]);

	if (a < 0 || b < 0)
		return 0;
	octets[0] = (uint8_t)(a << 2 | b >> 4);
	if (is_last && text[2] == '=' && text[3] == '=')
		return (b & 15) == 0 ? 1 : 0;
	if (c < 0)
		return 0;
	octets[1] = (uint8_t)(b << 4 | c >> 2);
	if (is_last && text[3] == '=')
		return (c & 3) == 0 ? 2 : 0;
	if (d < 0)
		return 0;
	octets[2] = (uint8_t)(c << 6 | d);
	return 3;
}

bool
base64_decode(struct span text, struct buffer *out)
{
	size_t before = out->length, count;

	if (text.length % 4 != 0)
		return false;
	for (size_t i = 0; i < text.length; i += 4) {
		uint8_t octets[3];

		count = decode_group(text.at + i, i + 4 == text.length, octets);
		if (count == 0) {
			out->length = before;
			return false;
		}
		buffer_add(out, octets, count);
	}
	return true;
}

bool
base64url_decode(struct span text, struct buffer *out)
{
	struct buffer plain = { 0 };
	bool is_good = text.length % 4 != 1;

	for (size_t i = 0; i < text.length && is_good; i++) {
		uint8_t octet = text.at[i];

		is_good = octet != '+' && octet != '/' && octet != '=';
		buffer_add_octet(&plain, octet == '-' ? '+' : octet == '_' ? '/' : octet);
	}
	while (plain.length % 4 != 0)
		buffer_add_octet(&plain, '=');
	is_good = is_good && base64_decode(buffer_span(&plain), out);
	buffer_free(&plain);
	return is_good;
}

void
hex_encode(struct span octets, struct buffer *out)
{
	for (size_t i = 0; i < octets.length; i++)
		buffer_printf(out, "%02x", octets.at[i]);
}

bool
hex_decode(struct span text, struct buffer *out)
{
	size_t before = out->length;

	if (text.length % 2 != 0)
		return false;
	for (size_t i = 0; i < text.length; i += 2) {
		int high = ascii_hex_value(text.at[i]), low = ascii_hex_value(text.at[i + 1]);

		if (high < 0 || low < 0) {
			out->length = before;
			return false;
		}
		buffer_add_octet(out, (uint8_t)(high << 4 | low));
	}
	return true;
}
