/*
 * Putting messages in order by the criteria of SORT: RFC 5256 section 3, RFC 5957.  Each criterion makes a number of each
 * message; the messages are put in order by the last one first, digit by digit.  Ties stay in the order in which messages
 * came.  Any thread, one at a time.
 */
#ifndef MAILBOX_SORT_SORTER_H
#define MAILBOX_SORT_SORTER_H

#include "gather.h"

struct sorter {
	const struct imap_sort *criteria;	/* borrowed, like all that follows up to count */
	struct keys *keys;
	const struct sort_message *messages;
	size_t count;

	uint64_t *values;		/* of the criterion under way, by place */
	uint32_t *order;		/* places of messages; sorted when sorter_advance() says so */
	uint32_t *spare;
	size_t left;			/* criteria that the order does not follow yet */
	unsigned shift, bits;		/* of the values: up to which bit it follows them, and how many there are */
};

/* How many octets sorting one message takes. */
#define SORTER_OCTETS (sizeof(uint64_t) + 2 * sizeof(uint32_t))

/*
 *	keys	know all that is compared of the messages; NULL: nothing is compared but what is in the messages
 */
void sorter_init(struct sorter *sorter, const struct imap_sort *criteria, struct keys *keys,
    const struct sort_message *messages, size_t count);

/* Accepts a zeroed one. */
void sorter_fini(struct sorter *sorter);

/* Whether anything is compared that is kept apart from the state, and which texts: enum store_ordering_fields. */
bool sorter_needs_keys(const struct imap_sort *criteria, unsigned *fields_out);

/* Sort for some milliseconds, for millions of messages.  True: done. */
bool sorter_advance(struct sorter *sorter);

/* Give how many steps were taken, and add how many there are to total.  Accepts a zeroed one. */
uint64_t sorter_steps(const struct sorter *sorter, uint64_t *total);

#endif
