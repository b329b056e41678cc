/*
 * Content-Transfer-Encoding undone, octets in pieces (RFC 2045 section 6).  Damaged input never fails:
 * what cannot be decoded is skipped or kept as it stands.  Any thread.
 */
#ifndef MIME_DECODE_H
#define MIME_DECODE_H

#include "base/buffer.h"

enum mime_encoding {
	MIME_ENCODING_7BIT,
	MIME_ENCODING_8BIT,
	MIME_ENCODING_BINARY,
	MIME_ENCODING_QUOTED_PRINTABLE,
	MIME_ENCODING_BASE64,
	MIME_ENCODING_UUENCODE,
	MIME_ENCODING_UNKNOWN	/* decodes to itself; BINARY answers UNKNOWN-CTE */
};

/*
 * What a field value names, whatever its case, with comments or junk behind; empty means 7bit
 * (RFC 2045 section 6.1).
 */
enum mime_encoding mime_encoding_from_name(struct span name);

/* The longest run of blanks, and the longest uuencoded line, that wait for what follows. */
#define MIME_DECODER_HELD_MAX 1000

struct mime_decoder {
	enum mime_encoding encoding;
	int state;
	uint32_t bits;		/* base64: characters of the unfinished group */
	unsigned bit_count;
	size_t held_length;
	uint8_t held[MIME_DECODER_HELD_MAX];
};

void mime_decoder_init(struct mime_decoder *decoder, enum mime_encoding encoding);

/*
 * Append what the octets stand for.  How they are cut into pieces makes no difference.  Appends at most
 * as many octets as came in, and MIME_DECODER_HELD_MAX + 4 that waited.
 */
void mime_decoder_feed(struct mime_decoder *decoder, struct span octets, struct buffer *out);

/* Append what still waited.  The decoder can then be initialized again; it owns no memory. */
void mime_decoder_finish(struct mime_decoder *decoder, struct buffer *out);

/* Append a whole body, decoded. */
void mime_decode(enum mime_encoding encoding, struct span octets, struct buffer *out);

/* Exactly the octets mime_decode() appends; keeps 16 KiB at a time (RFC 3516: BINARY.SIZE). */
size_t mime_decoded_length(enum mime_encoding encoding, struct span octets);

#endif
