/*
 * Which states to keep.  Their price is noted when they come, and anew when they grow.  Loop thread.
 */
#include "state_cache.h"

#include "state.h"

#define OCTETS_MAX (32 * 1024 * 1024)	/* 800,000 messages */
#define SWEEPS_MAX 6			/* half a minute, as for a store that nobody uses */

void
state_cache_init(struct state_cache *cache)
{
	list_init(&cache->states);
	cache->octets = 0;
}

void
state_cache_remove(struct state_cache *cache, struct state *state)
{
	list_remove(&state->kept);
	cache->octets -= state->kept_octets;
	state->kept_octets = 0;
}

static struct state *
oldest(struct state_cache *cache)
{
	return LIST_ENTRY(cache->states.next, struct state, kept);
}

/* The account may have waited for its last state to go. */
static void
drop(struct state_cache *cache, struct state *state)
{
	struct account *account = state->account;

	state_cache_remove(cache, state);
	state_free(state);
	account_tend(account);
}

void
state_cache_grown(struct state_cache *cache, struct state *state)
{
	cache->octets -= state->kept_octets;
	state->kept_octets = sizeof *state + state->capacity * sizeof state->messages[0];
	cache->octets += state->kept_octets;
	while (cache->octets > OCTETS_MAX)
		drop(cache, oldest(cache));
}

void
state_cache_add(struct state_cache *cache, struct state *state)
{
	state->sweeps = 0;
	list_push_back(&cache->states, &state->kept);
	state_cache_grown(cache, state);
}

void
state_cache_sweep(struct state_cache *cache)
{
	LIST_FOREACH(&cache->states, link) {
		struct state *state = LIST_ENTRY(link, struct state, kept);

		if (++state->sweeps > SWEEPS_MAX)
			drop(cache, state);
	}
}

void
state_cache_clear(struct state_cache *cache)
{
	while (!list_is_empty(&cache->states))
		drop(cache, oldest(cache));
}
