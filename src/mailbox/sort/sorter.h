/*
 * Putting messages in order by the criteria of SORT: RFC 5256 section 3, RFC 5957.  A stable merge sort that can stop at
 * any time: ties stay in the order in which messages came.  Any thread, one at a time.
 */
#ifndef MAILBOX_SORT_SORTER_H
#define MAILBOX_SORT_SORTER_H

#include "gather.h"

#define SORTER_TEXT_OCTETS_MAX (128 * 1024 * 1024)	/* of all texts together */

/* A number, or the first octets of a text, so that most comparisons are of one word. */
struct sort_value {
	uint64_t head;
	uint32_t offset, length;	/* of the text, in texts */
};

struct sorter {
	const struct imap_sort *criteria;	/* borrowed */
	struct sort_value *values;	/* for each message one for each criterion */
	struct buffer texts;
	size_t count, capacity;

	uint32_t *order;		/* places of messages; sorted when sorter_advance() says so */
	uint32_t *spare;
	size_t width;			/* of the runs that are in order */
	size_t out, low, left, right;	/* merging from order into spare: next place, its two runs, and their heads */
};

void sorter_init(struct sorter *sorter, const struct imap_sort *criteria);
void sorter_fini(struct sorter *sorter);

/* How many octets it holds. */
size_t sorter_octets(const struct sorter *sorter);

/* Whether anything is compared that is kept apart from the state, and which texts: enum store_ordering_fields. */
bool sorter_needs_orderings(const struct imap_sort *criteria, unsigned *fields_out);

/* Add a message; copies.  False: the texts are too long. */
bool sorter_add(struct sorter *sorter, const struct sort_message *message, const struct store_ordering *ordering);

/* All are added: sort, at most so many steps.  True: done. */
bool sorter_advance(struct sorter *sorter, size_t steps);

/* Give how many steps were taken, and add how many there are to total. */
uint64_t sorter_steps(const struct sorter *sorter, uint64_t *total);

#endif
