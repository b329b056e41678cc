/*
 * Two charsets of seven bits, as octets of eight: what glibc does not know of ISO-2022-JP (RFC 1468), the characters of
 * Windows and half-width katakana that Japanese mail is full of, and HZ (RFC 1843).  Any thread; pure.
 */
#ifndef MIME_CHARSET_SHIFT_H
#define MIME_CHARSET_SHIFT_H

#include "base/buffer.h"
#include "charset_name.h"

/* Where a text is; zeroed at its beginning. */
struct charset_shift {
	enum { SHIFT_ASCII, SHIFT_ROMAN, SHIFT_KATAKANA, SHIFT_DOUBLE, SHIFT_SUPPLEMENT } set;
	uint8_t first;		/* of two octets; 0: none */
	uint8_t escape[4];
	size_t escape_length;
};

#define CHARSET_SHIFT_INVALID 0xFF	/* is in neither of the charsets */

/*
 * Append the next piece: ISO-2022-JP as EUC-JP, HZ as GB 18030.  At the end of a line and of the text (is_last) the text is
 * back in ASCII.
 */
void charset_shift(struct charset_shift *shift, enum charset_kind kind, struct span piece, bool is_last,
    struct buffer *out);

#endif
