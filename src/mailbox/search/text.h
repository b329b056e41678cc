/*
 * Whether a text occurs in a header or a body: both decoded to UTF-8 and folded as i;unicode-casemap
 * (RFC 5051), then compared octet by octet.  Worker, one at a time, except search_text_fold().
 */
#ifndef MAILBOX_SEARCH_TEXT_H
#define MAILBOX_SEARCH_TEXT_H

#include "base/buffer.h"
#include "store/content.h"

/* Fold what a client looks for. */
void search_text_fold(struct span text, struct buffer *needle_out);

/*
 * Whether a header block has a field whose decoded text holds the needle.  An empty needle asks for the field
 * alone (RFC 9051 section 6.4.4, HEADER).
 */
bool search_text_header(struct span header, struct span field, struct span needle);

/*
 * Say which of some folded keys are in the text of a message: in its body, or with_headers in all of it.
 * STORE_NOT_FOUND: it is gone.
 */
enum store_status search_text_body(struct store *store, uint64_t content_id, bool with_headers,
    const struct span *keys, size_t count, bool *found_out);

#endif
