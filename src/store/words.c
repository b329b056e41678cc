/*
 * Words of keywords and what they become.  Worker threads.
 */
#include "base/map.h"
#include "internal.h"

void
store_words_init(struct store_words *words)
{
	*words = (struct store_words){ NULL, NULL };
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
	const uint64_t *found = words->map == NULL ? NULL : map_get(words->map, span_of(&word, sizeof word));

	if (found == NULL)
		return false;
	*becomes_out = *found;
	return true;
}

void
store_words_add(struct store_words *words, uint64_t word, uint64_t becomes)
{
	uint64_t *kept;

	if (words->map == NULL) {	/* most changes need none, and a map asks the kernel for randomness */
		words->map = map_new();
		words->arena = arena_new();
	}
	kept = arena_alloc(words->arena, sizeof *kept);
	*kept = becomes;
	map_put(words->map, span_of(&word, sizeof word), kept);
}
