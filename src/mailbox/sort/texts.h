/*
 * Different texts with a number for each, and their order.  Many messages have the same subject or sender: each is kept
 * and compared once.  Any thread, one at a time.
 */
#ifndef MAILBOX_SORT_TEXTS_H
#define MAILBOX_SORT_TEXTS_H

#include "base/buffer.h"
#include "base/hash.h"
#include "merge.h"

#define TEXTS_EMPTY 0			/* the number of the empty text */

struct texts {
	struct hash_secret secret;
	struct buffer octets;
	uint32_t *ends;			/* of each, in octets */
	uint32_t count, capacity;
	uint32_t *table;		/* from a hash to a number + 1: open addressing, 0 is empty */
	unsigned table_bits;

	uint32_t *order;		/* the numbers of the first so many texts, sorted */
	uint32_t *ranks;		/* and the place there of each of them */
	uint32_t ranked;
	uint32_t goal;			/* as many are being ranked; as ranked: none */
	bool is_joining;		/* those that are sorted with those that were */
	struct merge merge;
};

void texts_init(struct texts *texts);
void texts_fini(struct texts *texts);

/* The number of a text, which is copied if it is new.  All together may have 2^32 - 1 octets. */
uint32_t texts_number(struct texts *texts, struct span text);

/*
 * Put in order what has come since the last time, at most so many steps.  True: all have their ranks, which compare as the
 * texts do, octet by octet.
 */
bool texts_rank(struct texts *texts, size_t steps);

/* How many octets it holds. */
size_t texts_octets(const struct texts *texts);

#endif
