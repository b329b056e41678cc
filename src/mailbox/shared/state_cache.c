/*
 * Which states to keep.  Their price is noted when they come, and anew when they grow.  Loop thread.
 */
#include "state_cache.h"

void
state_cache_init(struct state_cache *cache, size_t octets_max, unsigned sweeps_max)
{
	*cache = (struct state_cache){ .octets_max = octets_max, .sweeps_max = sweeps_max };
	list_init(&cache->places);
}

void
state_place_init(struct state_place *place, void (*on_drop)(struct state_place *place))
{
	*place = (struct state_place){ .on_drop = on_drop };
	list_init(&place->link);
}

void
state_cache_remove(struct state_cache *cache, struct state_place *place)
{
	list_remove(&place->link);
	cache->octets -= place->octets;
	place->octets = 0;
}

static struct state_place *
oldest(struct state_cache *cache)
{
	return LIST_ENTRY(cache->places.next, struct state_place, link);
}

static void
drop(struct state_cache *cache, struct state_place *place)
{
	state_cache_remove(cache, place);
	place->on_drop(place);
}

void
state_cache_resize(struct state_cache *cache, struct state_place *place, size_t octets)
{
	cache->octets += octets - place->octets;
	place->octets = octets;
	while (cache->octets > cache->octets_max)
		drop(cache, oldest(cache));
}

void
state_cache_add(struct state_cache *cache, struct state_place *place, size_t octets)
{
	place->sweeps = 0;
	list_push_back(&cache->places, &place->link);
	state_cache_resize(cache, place, octets);
}

void
state_cache_sweep(struct state_cache *cache)
{
	LIST_FOREACH(&cache->places, link) {
		struct state_place *place = LIST_ENTRY(link, struct state_place, link);

		if (++place->sweeps > cache->sweeps_max)
			drop(cache, place);
	}
}

void
state_cache_clear(struct state_cache *cache)
{
	while (!list_is_empty(&cache->places))
		drop(cache, oldest(cache));
}
