/*
 * Content-Transfer-Encoding undone, piece by piece: RFC 2045 section 6, and uuencode.  Any thread; pure.
 */
#ifndef MIME_DECODE_H
#define MIME_DECODE_H

#include "base/buffer.h"

enum mime_encoding {
	MIME_7BIT,
	MIME_8BIT,
	MIME_BINARY,
	MIME_BASE64,
	MIME_QUOTED_PRINTABLE,
	MIME_UUENCODE,			/* x-uuencode, x-uue, uuencode */
	MIME_UNKNOWN_ENCODING,		/* FETCH BINARY answers NO [UNKNOWN-CTE] */
	MIME_ENCODING_COUNT
};

/* An empty name is 7bit. */
enum mime_encoding mime_encoding_find(struct span name);

struct mime_decoder {
	enum mime_encoding encoding;
	bool is_damaged;		/* something that the encoding does not allow was met, and skipped or kept */
	uint8_t held[96];		/* an incomplete unit or line from the piece before */
	size_t held_length;
	uint32_t bits;
	unsigned bit_count;
	bool is_ended, is_begun;
};

void mime_decoder_init(struct mime_decoder *decoder, enum mime_encoding encoding);

/*
 * Append what the next piece stands for: at most as long as the piece plus 128 octets.  Tolerant: damage is
 * passed over.  An unknown encoding is copied.  is_last: nothing follows.
 */
void mime_decode(struct mime_decoder *decoder, struct span piece, bool is_last, struct buffer *out);

/*
 * Append a whole body decoded, for FETCH BINARY.  False, with nothing appended, for an unknown encoding
 * (RFC 9051 section 6.4.5, UNKNOWN-CTE).
 */
bool mime_decode_all(enum mime_encoding encoding, struct span body, struct buffer *out);

#endif
