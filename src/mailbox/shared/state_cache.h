/*
 * States that nobody looks at, kept for a while for the next SELECT or STATUS, since loading one reads a row
 * for each message; and what SORT and THREAD have read.  What was let go of longest ago goes first when they take too
 * much memory.  The cache knows what each takes, and not what it is.  Loop thread.
 */
#ifndef MAILBOX_STATE_CACHE_H
#define MAILBOX_STATE_CACHE_H

#include <stddef.h>

#include "base/list.h"

struct state_cache {
	struct list places;		/* by when they were taken */
	size_t octets;			/* that all take, about */
	size_t octets_max;
	unsigned sweeps_max;
};

/* What a state is while it is kept.  Lives inside the state. */
struct state_place {
	struct list link;
	size_t octets;
	unsigned sweeps;
	void (*on_drop)(struct state_place *place);	/* it is out already: free the state */
};

/*
 *	octets_max	of all that is kept
 *	sweeps_max	after so many calls of state_cache_sweep() what nobody wanted goes
 */
void state_cache_init(struct state_cache *cache, size_t octets_max, unsigned sweeps_max);

/* Before any other call; on_drop is never called from within. */
void state_place_init(struct state_place *place, void (*on_drop)(struct state_place *place));

/* Keep what nobody holds; may drop others, and it, too. */
void state_cache_add(struct state_cache *cache, struct state_place *place, size_t octets);

/* It is held again, or goes: take it out if it is in. */
void state_cache_remove(struct state_cache *cache, struct state_place *place);

/* It takes so many octets now; may drop others, and it, too. */
void state_cache_resize(struct state_cache *cache, struct state_place *place, size_t octets);

/* To be called every few seconds: drops what nobody wanted for a number of times. */
void state_cache_sweep(struct state_cache *cache);

/* Drop all. */
void state_cache_clear(struct state_cache *cache);

#endif
