/*
 * The dictionaries that a store has in memory.  Worker threads.
 */
#include "held.h"

#include <stdlib.h>

#include "base/memory.h"

void
held_add(struct store *store, struct codec_dictionary *dictionary)
{
	for (size_t i = 0; i < store->trained_count; i++) {
		if (codec_dictionary_encoding(store->trained[i]) != codec_dictionary_encoding(dictionary))
			continue;
		codec_dictionary_free(&store->trained[i]);
		store->trained[i] = dictionary;
		return;
	}
	store->trained = memory_resize(store->trained, store->trained_count + 1, sizeof *store->trained);
	store->trained[store->trained_count++] = dictionary;
}

const struct codec_dictionary *
held_find(const struct store *store, int64_t encoding)
{
	for (size_t i = 0; i < store->trained_count; i++)
		if (codec_dictionary_encoding(store->trained[i]) == encoding)
			return store->trained[i];
	return NULL;
}

void
held_forget(struct store *store)
{
	for (size_t i = 0; i < store->trained_count; i++)
		codec_dictionary_free(&store->trained[i]);
	free(store->trained);
	store->trained = NULL;
	store->trained_count = 0;
	store->has_looked_for_newest = false;
}

size_t
held_octets(const struct store *store)
{
	size_t octets = 0;

	for (size_t i = 0; i < store->trained_count; i++)
		octets += codec_dictionary_octets(store->trained[i]);
	return octets;
}
