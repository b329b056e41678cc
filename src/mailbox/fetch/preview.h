/*
 * Previews of messages that came in before they were kept.  Worker.
 */
#ifndef MAILBOX_FETCH_PREVIEW_H
#define MAILBOX_FETCH_PREVIEW_H

#include "store/content.h"

/* Make it from the message, into an empty buffer; reads no more of a part than the preview looks at. */
enum store_status fetch_preview_make(struct store *store, uint64_t content_id, struct buffer *out);

#endif
