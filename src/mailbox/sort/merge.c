/*
 * Merging runs in pairs, from one array into the other.
 */
#include "merge.h"

#include <stdlib.h>

#include "base/memory.h"

static size_t
at_most(const struct merge *merge, size_t place)
{
	return place < merge->count ? place : merge->count;
}

static void
begin_runs(struct merge *merge, size_t low)
{
	merge->low = merge->left = low;
	merge->right = at_most(merge, low + merge->width);
}

/* All runs are merged in pairs: what came out is what goes in. */
static void
begin_round(struct merge *merge)
{
	uint32_t *order = merge->order;

	merge->order = merge->spare;
	merge->spare = order;
	merge->width *= 2;
	merge->out = 0;
	begin_runs(merge, 0);
}

void
merge_begin(struct merge *merge, uint32_t *order, size_t count, size_t width)
{
	*merge = (struct merge){ .order = order, .count = count, .width = width };
	merge->spare = memory_new_array(count, sizeof *merge->spare);
	begin_runs(merge, 0);
}

bool
merge_advance(struct merge *merge, size_t steps, merge_comparison *compare, const void *context)
{
	for (; merge->width < merge->count && steps > 0; steps--) {
		size_t middle = at_most(merge, merge->low + merge->width);
		size_t end = at_most(merge, merge->low + 2 * merge->width);

		if (merge->out == merge->count)
			begin_round(merge);
		else if (merge->left == middle && merge->right == end)
			begin_runs(merge, end);
		else if (merge->left == middle || (merge->right < end &&
		    compare(context, merge->order[merge->right], merge->order[merge->left]) < 0))
			merge->spare[merge->out++] = merge->order[merge->right++];
		else
			merge->spare[merge->out++] = merge->order[merge->left++];
	}
	return merge->width >= merge->count;
}

uint32_t *
merge_take(struct merge *merge)
{
	uint32_t *order = merge->order;

	merge->order = NULL;
	merge_fini(merge);
	return order;
}

void
merge_fini(struct merge *merge)
{
	free(merge->order);
	free(merge->spare);
	*merge = (struct merge){ 0 };
}
