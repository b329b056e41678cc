/*
 * Words of keywords and what they become.  Worker threads.
 */
#include "base/map.h"
#include "internal.h"

void
store_words_init(struct store_words *words)
{
	words->map = map_new();
	words->arena = arena_new();
}

void
store_words_fini(struct store_words *words)
{
	map_free(&words->map);
	arena_free(&words->arena);
}

bool
store_words_find(const struct store_words *words, uint64_t word, uint64_t *becomes_out)
{
	const uint64_t *found = map_get(words->map, span_of(&word, sizeof word));

	if (found == NULL)
		return false;
	*becomes_out = *found;
	return true;
}

void
store_words_add(struct store_words *words, uint64_t word, uint64_t becomes)
{
	uint64_t *kept = arena_alloc(words->arena, sizeof *kept);

	*kept = becomes;
	map_put(words->map, span_of(&word, sizeof word), kept);
}
