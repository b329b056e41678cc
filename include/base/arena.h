/*
 * Memory that dies together: what one command builds is freed with its tagged reply.  Any thread,
 * one at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/span.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena **arena);

/* Give zeroed memory, aligned for any type, until arena_free() or arena_reset(). */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);

/* Copy octets into the arena and put a NUL behind them that the span does not count. */
struct span arena_copy(struct arena *arena, struct span span);
char *arena_copy_string(struct arena *arena, struct span span);

/* Forget all that was given; keeps the first block. */
void arena_reset(struct arena *arena);

/* Octets handed out since the last reset, for accounting. */
size_t arena_used(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

#endif
