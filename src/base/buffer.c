/*
 * Growing octets: doubles its memory, so adding n octets costs O(n) in all; what is short grows faster.
 */
#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

#define CAPACITY_LEAST 64
#define SHORT	       1024

void
buffer_grow(struct buffer *buffer, size_t length)
{
	size_t needed, capacity = buffer->capacity == 0 ? CAPACITY_LEAST : buffer->capacity;

	if (__builtin_add_overflow(buffer->length, length, &needed))
		needed = SIZE_MAX;
	while (capacity < needed)
		capacity = capacity < SHORT ? capacity * 4 : capacity > SIZE_MAX / 2 ? SIZE_MAX : capacity * 2;
	buffer->at = memory_resize(buffer->at, capacity, 1);
	buffer->capacity = capacity;
}

void
buffer_add_number(struct buffer *buffer, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = '0' + number % 10;
		number /= 10;
	} while (number > 0);
	buffer_add(buffer, digits + at, sizeof digits - at);
}

void
buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	assert(length >= 0);
	buffer_reserve(buffer, (size_t)length + 1);
	va_start(arguments, format);
	vsnprintf((char *)buffer->at + buffer->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	buffer->length += (size_t)length;
}

void
buffer_consume(struct buffer *buffer, size_t length)
{
	assert(length <= buffer->length);
	buffer->length -= length;
	if (buffer->length > 0)
		memmove(buffer->at, buffer->at + length, buffer->length);
}

const char *
buffer_string(struct buffer *buffer)
{
	*buffer_reserve(buffer, 1) = '\0';
	return (const char *)buffer->at;
}

void
buffer_free(struct buffer *buffer)
{
	free(buffer->at);
	*buffer = (struct buffer){ 0 };
}

void
buffer_wipe(struct buffer *buffer)
{
	if (buffer->at != NULL)
		memory_wipe(buffer->at, buffer->capacity);
	buffer_free(buffer);
}
