/*
 * How many clients there are of each address and of each user.
 */
#include <assert.h>

#include "base/map.h"
#include "client.h"

/* The count is kept in the pointer's place: it is never zero while the name is in the map. */
uint64_t
count_up(struct map *counts, struct span name)
{
	uintptr_t count = (uintptr_t)map_get(counts, name) + 1;

	map_put(counts, name, (void *)count);
	return count;
}

void
count_down(struct map *counts, struct span name)
{
	uintptr_t count = (uintptr_t)map_get(counts, name);

	assert(count > 0);
	if (count > 1)
		map_put(counts, name, (void *)(count - 1));
	else
		map_remove(counts, name);
}
