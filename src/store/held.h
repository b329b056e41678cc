/*
 * The dictionaries of a file that are in use: loaded by trained.c when a row asks for one, and held until the store
 * gives memory back.  Worker threads.  Private to this room.
 */
#ifndef HELD_H
#define HELD_H

#include "codec.h"
#include "internal.h"

/* Hold one, instead of one of the same encoding.  Takes it. */
void held_add(struct store *store, struct codec_dictionary *dictionary);

/* Borrowed until one of that encoding is added, or all are forgotten; NULL: it is not held. */
const struct codec_dictionary *held_find(const struct store *store, int64_t encoding);

/* Give the memory of all back; they are looked for anew. */
void held_forget(struct store *store);
size_t held_octets(const struct store *store);

#endif
