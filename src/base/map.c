/*
 * Open addressing with linear probing and a secret of its own.
 */
#include "base/map.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"

#define SLOTS_MIN 16

struct slot {
	uint8_t *key;	/* NULL: never used */
	size_t length;
	void *value;	/* NULL under a key: removed */
};

struct map {
	struct hash_secret secret;
	struct slot *slots;
	size_t size;	/* a power of two */
	size_t used;	/* keys, removed ones too */
	size_t count;
};

/* The slot of this key, or the unused one where it would go. */
static struct slot *
find(const struct map *map, struct span key)
{
	for (size_t i = hash_octets(&map->secret, key);; i++) {
		struct slot *slot = &map->slots[i & (map->size - 1)];

		if (slot->key == NULL || span_equals(span_of(slot->key, slot->length), key))
			return slot;
	}
}

struct map *
map_new(void)
{
	struct map *map = NEW(struct map);

	hash_secret_init(&map->secret);
	map->size = SLOTS_MIN;
	map->slots = memory_new_array(map->size, sizeof *map->slots);
	return map;
}

void
map_free(struct map **map)
{
	if (*map == NULL)
		return;
	for (size_t i = 0; i < (*map)->size; i++)
		free((*map)->slots[i].key);
	free((*map)->slots);
	free(*map);
	*map = NULL;
}

/* Rebuild with room for twice what lives, leaving removed keys behind. */
static void
rebuild(struct map *map)
{
	struct slot *old = map->slots;
	size_t old_size = map->size;

	map->size = SLOTS_MIN;
	while (map->size < map->count * 4)
		map->size *= 2;
	map->slots = memory_new_array(map->size, sizeof *map->slots);
	map->used = map->count;
	for (size_t i = 0; i < old_size; i++) {
		if (old[i].value != NULL)
			*find(map, span_of(old[i].key, old[i].length)) = old[i];
		else
			free(old[i].key);
	}
	free(old);
}

void *
map_get(const struct map *map, struct span key)
{
	return find(map, key)->value;
}

void *
map_put(struct map *map, struct span key, void *value)
{
	struct slot *slot;
	void *before;

	if (map->used * 4 >= map->size * 3)
		rebuild(map);
	slot = find(map, key);
	before = slot->value;
	if (slot->key == NULL) {
		slot->key = (uint8_t *)memory_copy_span(key);
		slot->length = key.length;
		map->used++;
	}
	map->count += before == NULL;
	slot->value = value;
	return before;
}

void *
map_remove(struct map *map, struct span key)
{
	struct slot *slot = find(map, key);
	void *before = slot->value;

	map->count -= before != NULL;
	slot->value = NULL;
	return before;
}

size_t
map_count(const struct map *map)
{
	return map->count;
}

bool
map_next(const struct map *map, size_t *position, struct span *key_out, void **value_out)
{
	while (*position < map->size) {
		struct slot *slot = &map->slots[(*position)++];

		if (slot->value == NULL)
			continue;
		*key_out = span_of(slot->key, slot->length);
		*value_out = slot->value;
		return true;
	}
	return false;
}
