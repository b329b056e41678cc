/*
 * The contents in the slots of a block, as octets: for each slot a number of contents, then how far each is above the
 * one before.  Numbers are little-endian base 128.  The first content of a slot may lie below the last of the slot
 * before: it is told as the zigzag of the difference.  Reading trusts nothing.  Any thread.
 */
#ifndef INDEX_LIST_H
#define INDEX_LIST_H

#include "base/buffer.h"

/* A place in a list; zeroed but for the octets at first.  Likewise for writing. */
struct index_list {
	struct span octets;
	uint64_t left;		/* contents of this slot that were not read yet */
	uint64_t last;		/* content */
	bool is_first;		/* the next content is the first of its slot */
};

/* Go to the next slot, when all contents of the one before were read.  False: there is none. */
bool index_list_slot(struct index_list *list, uint64_t *count_out);

/* Read the next content of the slot.  False: there is none. */
bool index_list_next(struct index_list *list, uint64_t *content_id_out);

/* Append a slot; its contents rise.  *last is that of the slot before, at first 0. */
void index_list_add(struct buffer *out, uint64_t *last, const uint64_t *content_ids, size_t count);

#endif
