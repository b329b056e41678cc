/*
 * Reading the text of a stored message, a piece at a time: what is held of it is one header block or one piece of a body,
 * and between two pieces the reading may rest until another job.  Worker, one at a time.
 */
#ifndef MAILBOX_SEARCH_READING_H
#define MAILBOX_SEARCH_READING_H

#include "mime/text.h"
#include "store/content.h"

/* A zeroed one reads nothing. */
struct search_reading {
	struct mime_text *text;		/* NULL: nothing is being read */
	struct buffer parts, octets;
	uint64_t content_id;
	struct store *store;		/* in search_reading_next() */
	enum store_status status;
};

/* STORE_NOT_FOUND: it is gone, and nothing is begun. */
enum store_status search_reading_begin(struct search_reading *reading, struct store *store, uint64_t content_id,
    enum mime_text_scope scope, size_t overlap);

/* Give the next piece, borrowed until the next call; false at the end, and when *status_out is not STORE_OK. */
bool search_reading_next(struct search_reading *reading, struct store *store, struct mime_text_piece *piece_out,
    enum store_status *status_out);

void search_reading_end(struct search_reading *reading);

/* End it, and free what is kept for the next message. */
void search_reading_fini(struct search_reading *reading);

#endif
