/*
 * States that nobody looks at, kept for a while for the next SELECT or STATUS, since loading one reads a row
 * for each message.  Jobs' results keep them as current as the others.  What was let go of longest ago goes
 * first when they take too much memory.  Loop thread.
 */
#ifndef MAILBOX_STATE_CACHE_H
#define MAILBOX_STATE_CACHE_H

#include "base/list.h"

struct state;

struct state_cache {
	struct list states;		/* by when they were let go of */
	size_t octets;			/* that they take, about */
};

void state_cache_init(struct state_cache *cache);

/* Keep a ready state that nobody holds; may free others, and it, too. */
void state_cache_add(struct state_cache *cache, struct state *state);

/* It is held again, or goes: take it out. */
void state_cache_remove(struct state_cache *cache, struct state *state);

/* It has grown while it was kept; may free others, and it, too. */
void state_cache_grown(struct state_cache *cache, struct state *state);

/* To be called every few seconds: frees what nobody wanted for a number of times. */
void state_cache_sweep(struct state_cache *cache);

/* Free all. */
void state_cache_clear(struct state_cache *cache);

#endif
