/*
 * The memory of one state of zlib: a mapping of its own, so that it goes back to the system when the state goes.
 */
#ifndef NET_REGION_H
#define NET_REGION_H

#include <stddef.h>
#include <stdint.h>

struct region {
	uint8_t *at;			/* NULL: no state */
	size_t used;
};

/* Begin one. */
void region_open(struct region *region);

/* As zlib asks for memory, and gives it back; the context is a region. */
void *region_take(void *context, unsigned count, unsigned size);
void region_keep(void *context, void *taken);

/* The state is gone with it.  Harmless when there is none. */
void region_close(struct region *region);

#endif
