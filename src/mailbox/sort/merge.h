/*
 * A stable merge sort that can stop at any time.  Any thread, one at a time.
 */
#ifndef MAILBOX_SORT_MERGE_H
#define MAILBOX_SORT_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below, at or above 0, as with memcmp(). */
typedef int merge_comparison(const void *context, uint32_t a, uint32_t b);

/* Zeroed: nothing is being sorted. */
struct merge {
	uint32_t *order;		/* sorted when merge_advance() says so */
	uint32_t *spare;
	size_t count;
	size_t width;			/* of the runs that are in order */
	size_t out, low, left, right;	/* merging from order into spare: next place, its two runs, and their heads */
};

/*
 * Begin with numbers that are in order in runs of this width, at least 1.
 *
 *	order	taken; what merge->order is at the end is the caller's again
 */
void merge_begin(struct merge *merge, uint32_t *order, size_t count, size_t width);

/* Do at most so many steps.  True: all is sorted. */
bool merge_advance(struct merge *merge, size_t steps, merge_comparison *compare, const void *context);

/* Give what is sorted, and leave a zeroed one behind. */
uint32_t *merge_take(struct merge *merge);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void merge_fini(struct merge *merge);

#endif
