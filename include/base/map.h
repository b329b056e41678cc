/*
 * A hash table from octets to pointers.  SipHash under a random key, so a peer that chooses the keys
 * cannot make them collide.  One thread at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/span.h"

struct map;

struct map *map_new(void);

/* Frees the table and its copies of the keys; the values are the caller's. */
void map_free(struct map **map);

/* The value, or NULL. */
void *map_get(const struct map *map, struct span key);

/* Set or replace; value is not NULL.  Returns what was there before, or NULL.  Copies the key. */
void *map_put(struct map *map, struct span key, void *value);

/* Take out; returns the value, or NULL. */
void *map_remove(struct map *map, struct span key);

size_t map_count(const struct map *map);

/* Walk all entries in no order: start with *position = 0; false at the end.  No changes meanwhile. */
bool map_next(const struct map *map, size_t *position, struct span *key_out, void **value_out);

#endif
