/*
 * The dictionaries of a file that were made of what is in it (train.c), and rows that are compressed with them.  Worker
 * threads.  Private to this room.
 */
#ifndef TRAINED_H
#define TRAINED_H

#include "codec.h"
#include "internal.h"

/*
 * The dictionary of an encoding, NULL where that needs none of the file; STORE_CORRUPT: it is missing or damaged.
 * Borrowed as from held_find().
 */
enum store_status trained_find(struct store *store, int64_t encoding, const struct codec_dictionary **out);

/* The one that new rows are compressed with; NULL: there is none, or it cannot be used. */
enum store_status trained_newest(struct store *store, const struct codec_dictionary **out);

/* Whether one is there and undamaged; it is looked at anew. */
bool trained_is_good(struct store *store, int64_t encoding);

/* How codec_unpack() and codec_unpack_all() go with what the file has: STORE_CORRUPT is damage. */
enum store_status trained_unpack(struct store *store, int64_t encoding, struct span packed, size_t length,
    struct buffer *out);
enum store_status trained_unpack_all(struct store *store, int64_t encoding, struct span packed, size_t most,
    struct buffer *out);

#endif
