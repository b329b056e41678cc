/*
 * What is kept of a message beside its octets: rendered once, when it comes in.  A compute worker; pure.
 */
#ifndef IMAP_ARRIVAL_H
#define IMAP_ARRIVAL_H

#include "imap/ordering.h"
#include "mime/searchable.h"

struct imap_arrival {
	uint32_t header_length;		/* octets through the empty line */
	struct buffer envelope, body, bodystructure;	/* as in a FETCH reply, with parentheses */
	struct buffer parts;		/* mime/parts.h */
	struct buffer preview;		/* mime/preview.h; empty if there is no text */
	struct buffer message_id;	/* with its angle brackets; empty if there is none */
	bool has_sent_date;
	int64_t sent_s;			/* the Date field, since 1970 UTC */
	int32_t sent_day;		/* its calendar day as written, days since 1970-01-01 */
	struct imap_ordering ordering;
	struct mime_searchable searchable;
	bool has_searchable;		/* else it is too long to be kept */
};

/* Fill a zeroed arrival from a message of 1 to 2^32-1 octets.  About 10 us for a common message. */
void imap_arrival_render(struct span message, struct imap_arrival *out);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void imap_arrival_fini(struct imap_arrival *arrival);

#endif
