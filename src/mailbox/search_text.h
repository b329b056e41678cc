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

/* The decoded, folded text of one message, kept for the next key. */
struct search_text {
	struct buffer octets;		/* of the message */
	struct buffer header, body;	/* folded */
	bool is_loaded;
};

void search_text_init(struct search_text *text);
/* Accepts a zeroed one. */
void search_text_fini(struct search_text *text);

/* Another message follows. */
void search_text_restart(struct search_text *text);

/* Look for a needle in the body, or with_header in the header, too. */
enum store_status search_text_find(struct search_text *text, struct store *store, uint64_t content_id,
    struct span needle, bool with_header, bool *is_found_out);

#endif
