/*
 * UTF-8 one character at a time: RFC 3629 section 4.  Any thread.
 */
#include "utf8.h"

/* Octets of a character by its first one, and what the second may be; length 0: never a first one. */
struct lead {
	uint8_t length, second_min, second_max;
};

static struct lead
lead_of(uint8_t octet)
{
	if (octet < 0xC2 || octet > 0xF4)
		return (struct lead){ octet < 0x80 ? 1 : 0, 0, 0 };
	if (octet < 0xE0)
		return (struct lead){ 2, 0x80, 0xBF };
	if (octet < 0xF0)	/* neither overlong nor a surrogate */
		return (struct lead){ 3, octet == 0xE0 ? 0xA0 : 0x80, octet == 0xED ? 0x9F : 0xBF };
	return (struct lead){ 4, octet == 0xF0 ? 0x90 : 0x80, octet == 0xF4 ? 0x8F : 0xBF };
}

enum utf8_status
utf8_read(struct span text, uint32_t *code_point_out, size_t *length_out)
{
	static const uint8_t first_bits[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
	struct lead lead = lead_of(text.at[0]);
	uint32_t code_point = text.at[0] & first_bits[lead.length];
	size_t i;

	for (i = 1; i < lead.length && i < text.length; i++) {
		uint8_t min = i == 1 ? lead.second_min : 0x80, max = i == 1 ? lead.second_max : 0xBF;

		if (text.at[i] < min || text.at[i] > max)
			break;
		code_point = code_point << 6 | (text.at[i] & 0x3F);
	}
	*length_out = i;
	if (i == lead.length) {
		*code_point_out = code_point;
		return UTF8_VALID;
	}
	return i == text.length && lead.length > 0 ? UTF8_CUT : UTF8_MALFORMED;
}

size_t
utf8_write(uint32_t code_point, uint8_t octets_out[UTF8_CHARACTER_MAX])
{
	static const uint8_t first[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
	size_t length = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;

	for (size_t i = length - 1; i > 0; i--) {
		octets_out[i] = 0x80 | (code_point & 0x3F);
		code_point >>= 6;
	}
	octets_out[0] = first[length] | code_point;
	return length;
}

size_t
utf8_ascii_length(struct span text)
{
	uint64_t word;
	size_t i = 0;

	for (; text.length - i >= sizeof word; i += sizeof word) {
		memcpy(&word, text.at + i, sizeof word);
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (i < text.length && text.at[i] < 0x80)
		i++;
	return i;
}
