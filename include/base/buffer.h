/*
 * Growing octets, owned.  A zeroed struct buffer is an empty one.  Any thread, one at a time.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/span.h"

struct buffer {
	uint8_t *at;
	size_t length;
	size_t capacity;
};

/* Get memory for length more octets than there is room for. */
void buffer_grow(struct buffer *buffer, size_t length);

/*
 * Make room for length more octets and return where they go; the caller writes them and adds what it
 * wrote to buffer->length.
 */
static inline uint8_t *
buffer_reserve(struct buffer *buffer, size_t length)
{
	if (length > buffer->capacity - buffer->length || buffer->at == NULL)
		buffer_grow(buffer, length);
	return buffer->at + buffer->length;
}

static inline void
buffer_add(struct buffer *buffer, const void *octets, size_t length)
{
	if (length == 0)
		return;
	memcpy(buffer_reserve(buffer, length), octets, length);
	buffer->length += length;
}

static inline void
buffer_add_span(struct buffer *buffer, struct span span)
{
	buffer_add(buffer, span.at, span.length);
}

static inline void
buffer_add_string(struct buffer *buffer, const char *string)
{
	buffer_add(buffer, string, strlen(string));
}

static inline void
buffer_add_octet(struct buffer *buffer, uint8_t octet)
{
	*buffer_reserve(buffer, 1) = octet;
	buffer->length++;
}

/* Decimal digits, no locale. */
void buffer_add_number(struct buffer *buffer, uint64_t number);

void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drop octets from the front; moves the rest. */
void buffer_consume(struct buffer *buffer, size_t length);

/* Empty it and keep its memory. */
static inline void
buffer_clear(struct buffer *buffer)
{
	buffer->length = 0;
}

static inline struct span
buffer_span(const struct buffer *buffer)
{
	return (struct span){ buffer->at, buffer->length };
}

/* The contents as a C string: puts a NUL behind them that does not count.  Borrowed. */
const char *buffer_string(struct buffer *buffer);

/* Free the memory; the buffer is then empty and usable. */
void buffer_free(struct buffer *buffer);

/* The same for a secret: none of it is left in the memory.  What has grown has left pieces behind: reserve before. */
void buffer_wipe(struct buffer *buffer);

#endif
