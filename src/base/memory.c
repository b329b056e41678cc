/*
 * Allocation that ends the process instead of failing.  Any thread.
 */
#include "base/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define MIB    (1024 * 1024)
#define ARENAS 4

static void *
must(void *memory)
{
	if (memory == NULL) {
		char prefix[LOG_PREFIX_SIZE];

		log_prefix(LOG_LEVEL_ERROR, prefix);
		fprintf(stderr, "%slevel=error ev=out-of-memory\n", prefix);
		abort();
	}
	return memory;
}

void
memory_return_large(void)
{
	mallopt(M_MMAP_THRESHOLD, 2 * MIB);
	mallopt(M_TRIM_THRESHOLD, 4 * MIB);
	mallopt(M_TOP_PAD, MIB / 2);
	mallopt(M_ARENA_MAX, ARENAS);	/* eight for each processor are glibc's: each keeps what one of the threads once needed */
}

void
memory_make_room(size_t octets)
{
	void *volatile room = malloc(octets);

	free(room);
}

void *
memory_new(size_t size)
{
	return must(calloc(1, size == 0 ? 1 : size));
}

void *
memory_new_array(size_t count, size_t size)
{
	return must(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *
memory_resize(void *memory, size_t count, size_t size)
{
	return must(reallocarray(memory, count == 0 ? 1 : count, size));
}

char *
memory_copy_string(const char *string)
{
	return must(strdup(string));
}

char *
memory_copy_span(struct span span)
{
	char *copy = memory_new(span.length + 1);

	if (span.length > 0)
		memcpy(copy, span.at, span.length);
	return copy;
}

char *
memory_print(const char *format, va_list arguments)
{
	char *text;

	return must(vasprintf(&text, format, arguments) < 0 ? NULL : text);
}

void
memory_wipe(void *memory, size_t size)
{
	explicit_bzero(memory, size);
}

bool
memory_equals_secret(const void *a, const void *b, size_t length)
{
	const volatile uint8_t *left = a, *right = b;
	uint8_t difference = 0;

	for (size_t i = 0; i < length; i++)
		difference |= left[i] ^ right[i];
	return difference == 0;
}
