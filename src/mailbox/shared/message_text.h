/*
 * The text of a stored message, read piece by piece: no more of it is in memory than a header block and a chunk of a
 * body, and what is no text is not read.  Worker, one at a time.
 */
#ifndef MESSAGE_TEXT_H
#define MESSAGE_TEXT_H

#include "mime/text.h"
#include "store/content.h"

struct message_text {
	struct store *store;		/* to be set by the caller before each call but fini, for it may have been opened anew */
	enum store_status status;	/* why there is no further piece; STORE_NOT_FOUND: the message is gone */
	/* Private. */
	uint64_t content_id;
	uint32_t size, header_length;
	struct buffer parts;
	struct mime_text *text;
	struct buffer window;		/* octets of the message */
	size_t window_offset;
	bool has_addresses;		/* they were given */
	struct buffer addresses;
};

/* Begin with a zeroed one that has a store.  False: status says why. */
bool message_text_init(struct message_text *message, uint64_t content_id, size_t overlap);

/*
 * Give the next piece, as mime_text_next() does with MIME_TEXT_ALL; at first, as a piece of a header, the addresses as
 * SEARCH looks through them (mime/searchable.h).  False: status says why.
 */
bool message_text_next(struct message_text *message, struct mime_text_piece *piece_out);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void message_text_fini(struct message_text *message);

#endif
