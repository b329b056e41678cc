/*
 * Memory of zlib's states: region.h.
 */
#include "region.h"

#include <sys/mman.h>

#include <stdlib.h>

#define REGION ((size_t)512 * 1024)	/* of addresses; zlib.h: a state needs 268 KiB at most */

void *
region_take(void *context, unsigned count, unsigned size)
{
	struct region *region = context;
	size_t length = ((size_t)count * size + 15) & ~(size_t)15;
	uint8_t *taken = region->at + region->used;

	if (length > REGION - region->used)
		return NULL;
	region->used += length;
	return taken;
}

void
region_keep(void *context, void *taken)
{
	(void)context;
	(void)taken;
}

void
region_open(struct region *region)
{
	region->at = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (region->at == MAP_FAILED)
		abort();
	region->used = 0;
}

void
region_close(struct region *region)
{
	if (region->at != NULL)
		munmap(region->at, REGION);
	region->at = NULL;
}
