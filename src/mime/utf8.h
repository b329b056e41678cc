/*
 * UTF-8 one character at a time: RFC 3629.  Any thread.
 */
#ifndef MIME_UTF8_H
#define MIME_UTF8_H

#include "base/buffer.h"

#define UTF8_CHARACTER_MAX 4	/* octets */
#define UTF8_REPLACEMENT 0xFFFD

enum utf8_status {
	UTF8_VALID,
	UTF8_MALFORMED,		/* overlong, a surrogate, out of range, or a stray octet */
	UTF8_CUT		/* well-formed as far as it goes */
};

/*
 * Read the character at the start of a text that is not empty.
 *
 *	length_out	octets of the character, or of its longest well-formed beginning, at least 1
 */
enum utf8_status utf8_read(struct span text, uint32_t *code_point_out, size_t *length_out);

/* Write a code point and return its octets, 1 to 4. */
size_t utf8_write(uint32_t code_point, uint8_t octets_out[UTF8_CHARACTER_MAX]);

static inline void
utf8_add(struct buffer *out, uint32_t code_point)
{
	uint8_t octets[UTF8_CHARACTER_MAX];

	buffer_add(out, octets, utf8_write(code_point, octets));
}

/* How many ASCII octets a text begins with. */
size_t utf8_ascii_length(struct span text);

#endif
