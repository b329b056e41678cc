/*
 * What SORT and THREAD compare of a message, made from its header when it comes in: RFC 5256 sections 2 and 3, RFC 5957.
 * Texts are folded (mime/fold.h), so that octets compare as i;unicode-casemap has it; each is cut at 1,024 octets.
 * Any thread; pure.
 */
#ifndef IMAP_ORDERING_H
#define IMAP_ORDERING_H

#include "base/buffer.h"

#define IMAP_LINK_OCTETS 16	/* of a message identifier: the beginning of its SHA-256 */
#define IMAP_LINKS_MAX	 1001	/* the own identifier, and a thousand of what it refers to: the last of them */

struct imap_ordering {
	bool has_sent_date;
	int64_t sent_s;			/* the Date field, since 1970 UTC */
	bool is_reply;			/* or forwarded, by its subject */
	struct buffer subject;		/* base subject */
	struct buffer from, to, cc;	/* the mailbox of the first address */
	struct buffer from_name, to_name;	/* what DISPLAYFROM and DISPLAYTO sort by */
	/*
	 * IMAP_LINK_OCTETS for the message itself, zero octets if it has no valid identifier, then for each message it
	 * refers to, the oldest first; empty: neither.
	 */
	struct buffer links;
};

/* Fill a zeroed one from a header block. */
void imap_ordering_read(struct span header, struct imap_ordering *out);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void imap_ordering_fini(struct imap_ordering *ordering);

#endif
