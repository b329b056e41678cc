/*
 * JSON: RFC 8259.
 */
#include "base/json.h"

/* Length of the UTF-8 sequence at the start of the text, RFC 3629 section 4; 0: there is none. */
static size_t
sequence_length(struct span text)
{
	static const struct {
		uint8_t first, last;		/* of the leading octet */
		uint8_t low, high;		/* of the one behind it */
		uint8_t length;
	} forms[] = {
		{ 0x00, 0x7f, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		size_t length = forms[i].length;

		if (text.at[0] < forms[i].first || text.at[0] > forms[i].last)
			continue;
		if (length > text.length)
			return 0;
		if (length > 1 && (text.at[1] < forms[i].low || text.at[1] > forms[i].high))
			return 0;
		for (size_t j = 2; j < length; j++) {
			if ((text.at[j] & 0xc0) != 0x80)
				return 0;
		}
		return length;
	}
	return 0;
}

void
json_add_string(struct buffer *out, struct span text)
{
	buffer_add_octet(out, '"');
	while (text.length > 0) {
		size_t length = sequence_length(text);

		if (length == 0) {
			buffer_add_string(out, "\\ufffd");
			length = 1;
		} else if (text.at[0] == '"' || text.at[0] == '\\') {
			buffer_add_octet(out, '\\');
			buffer_add_octet(out, text.at[0]);
		} else if (text.at[0] < ' ' || text.at[0] == 0x7f) {
			buffer_printf(out, "\\u%04x", text.at[0]);
		} else {
			buffer_add(out, text.at, length);
		}
		text = span_from(text, length);
	}
	buffer_add_octet(out, '"');
}

void
json_add_text(struct buffer *out, const char *key, struct span text)
{
	if (out->length > 0 && out->at[out->length - 1] != '{')
		buffer_add_octet(out, ',');
	json_add_string(out, span_from_string(key));
	buffer_add_octet(out, ':');
	json_add_string(out, text);
}
