/*
 * Message identifiers: RFC 5322 section 3.6.4.  Any thread; pure.
 */
#ifndef MIME_MESSAGE_ID_H
#define MIME_MESSAGE_ID_H

#include "base/buffer.h"

/*
 * Walk the identifiers in a Message-ID, In-Reply-To or References value: start with *offset = 0; false at
 * the end.  Each with its angle brackets, pointing into the value; one that is folded is skipped.
 */
bool mime_message_id_next(struct span value, size_t *offset, struct span *id_out);

/*
 * Walk them in the form in which two that mean the same are equal (RFC 5256 section 3, REFERENCES): without brackets,
 * quotes, comments, folding and space.  Only what has something on both sides of an "@" counts, as RFC 5322 says.
 *
 *	id	replaced by the identifier
 */
bool mime_message_id_next_plain(struct span value, size_t *offset, struct buffer *id);

/* The first or the last of them, or an empty span. */
struct span mime_message_id_first(struct span value);
struct span mime_message_id_last(struct span value);

#endif
