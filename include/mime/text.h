/*
 * The text of a message that SEARCH BODY and SEARCH TEXT look at (RFC 9051 section 6.4.4): decoded, in
 * UTF-8, folded, in pieces of bounded size.  BODY: the parts of type text, and those of type message that are
 * no messages, such as a report of delivery.  TEXT: also the headers of the message, of its parts and of the
 * messages inside.  HTML is searched as it is written, tags included.
 * A compute or storage worker; pure.
 */
#ifndef MIME_TEXT_H
#define MIME_TEXT_H

#include "base/buffer.h"
#include "mime/header.h"

#define MIME_TEXT_PIECE_OCTETS (64 * 1024)	/* of a message, read for one piece */

/*
 * Append the text of a field as SEARCH TEXT and SEARCH HEADER look at it: its value as mime_header_decode() has it, and
 * where Content-Type or Content-Disposition has parameters of RFC 2231, "; name=value" for each parameter, decoded.
 */
void mime_field_text(const struct mime_field *field, struct buffer *out);

enum mime_text_scope { MIME_TEXT_BODY, MIME_TEXT_ALL };

/*
 * Octets of the message, borrowed until the next call: all of those that are asked for, or none if they cannot be had.
 * A header block is read in one go, a body in pieces; what is no text is not read.
 */
typedef struct span mime_text_reader(size_t offset, size_t length, void *context);

struct mime_text;

struct mime_text_piece {
	struct span folded;	/* borrowed until the next call */
	bool is_header;
	bool is_first;		/* of a header or body: it has no overlap */
};

/*
 * Begin to read the text.
 *
 *	parts	 the part table of this message; borrowed for life
 *	overlap	 each piece begins with this many of the last octets of the piece before from the same header or
 *		 body: with the folded key's length - 1, a key is always found whole in one piece
 */
struct mime_text *mime_text_new(struct span parts, enum mime_text_scope scope, size_t overlap,
    mime_text_reader *reader, void *context);

/* Give the next piece; false at the end, and when the reader gave nothing. */
bool mime_text_next(struct mime_text *text, struct mime_text_piece *piece_out);

/* Accepts NULL, leaves NULL behind. */
void mime_text_free(struct mime_text **text);

/* One piece, borrowed until return.  False stops. */
typedef bool mime_text_visitor(struct span folded, void *context);

/* Visit the text of a message that is in memory.  False if the visitor stopped it. */
bool mime_text_each(struct span message, struct span parts, enum mime_text_scope scope, size_t overlap,
    mime_text_visitor *visitor, void *context);

/*
 * Which of these folded keys are in the text?  Sets found_out[i]; stops when all are found.
 */
void mime_text_search(struct span message, struct span parts, enum mime_text_scope scope,
    const struct span *keys, size_t count, bool *found_out);

#endif
