/*
 * Blocks of memory that are freed together.  Small requests share a block; a large one gets its own.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/memory.h"

#define BLOCK_SIZE 4096

struct block {
	struct block *next;
	size_t used, size;
	alignas(max_align_t) uint8_t octets[];
};

struct arena {
	struct block *blocks;	/* the one that is filled now comes first; the last one is kept */
	size_t used;
};

static struct block *
block_new(size_t size)
{
	struct block *block = memory_new(sizeof *block + size);

	block->size = size;
	return block;
}

struct arena *
arena_new(void)
{
	struct arena *arena = NEW(struct arena);

	arena->blocks = block_new(BLOCK_SIZE - sizeof(struct block));
	return arena;
}

void
arena_free(struct arena **arena)
{
	struct block *next;

	if (*arena == NULL)
		return;
	for (struct block *block = (*arena)->blocks; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	free(*arena);
	*arena = NULL;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct block *block = arena->blocks;
	void *memory;

	if (size > SIZE_MAX / 2)
		abort();
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (size > block->size - block->used) {
		size_t fresh = block->size * 2 < (1 << 16) ? block->size * 2 : 1 << 16;

		block = block_new(size > fresh ? size : fresh);
		block->next = arena->blocks;
		arena->blocks = block;
	}
	memory = block->octets + block->used;
	block->used += size;
	arena->used += size;
	return memory;
}

void *
arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		abort();
	return arena_alloc(arena, total);
}

struct span
arena_copy(struct arena *arena, struct span span)
{
	uint8_t *copy = arena_alloc(arena, span.length + 1);

	if (span.length > 0)
		memcpy(copy, span.at, span.length);
	return span_of(copy, span.length);
}

char *
arena_copy_string(struct arena *arena, struct span span)
{
	return (char *)(uintptr_t)arena_copy(arena, span).at;
}

void
arena_reset(struct arena *arena)
{
	while (arena->blocks->next != NULL) {
		struct block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	memset(arena->blocks->octets, 0, arena->blocks->used);
	arena->blocks->used = 0;
	arena->used = 0;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->used;
}
