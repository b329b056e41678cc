/*
 * Borrowed octets: a place and a length.  A span owns nothing and may hold NUL.  Any thread.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *at;
	size_t length;
};

/* A span over a string literal. */
#define SPAN(literal) ((struct span){ (const uint8_t *)("" literal), sizeof(literal) - 1 })

/* For printf's "%.*s"; the octets must hold no NUL that matters. */
#define SPAN_ARGS(span) (int)(span).length, (const char *)(span).at

static inline struct span
span_of(const void *at, size_t length)
{
	return (struct span){ at, length };
}

static inline struct span
span_from_string(const char *string)
{
	return (struct span){ (const uint8_t *)string, strlen(string) };
}

/* The octets from offset on, at most length of them; empty past the end. */
static inline struct span
span_slice(struct span span, size_t offset, size_t length)
{
	if (offset > span.length)
		offset = span.length;
	if (length > span.length - offset)
		length = span.length - offset;
	return (struct span){ span.at == NULL ? NULL : span.at + offset, length };
}

/* The octets from offset to the end. */
static inline struct span
span_from(struct span span, size_t offset)
{
	return span_slice(span, offset, SIZE_MAX);
}

static inline bool
span_equals(struct span a, struct span b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

/* ASCII letters compare without regard to case; all other octets as they are. */
bool span_equals_nocase(struct span a, struct span b);

bool span_starts_with(struct span span, struct span prefix);
bool span_starts_with_nocase(struct span span, struct span prefix);

/* As memcmp: below, at or above zero; a prefix sorts before what it begins. */
int span_compare(struct span a, struct span b);

/* Offset of the first such octet, or span.length. */
size_t span_find(struct span span, uint8_t octet);

/* How many such octets there are. */
size_t span_count(struct span span, uint8_t octet);

/* The same octets without spaces and tabs at both ends. */
struct span span_trim(struct span span);

/* The same octets without the LF, CRLF or CR at their end, if there is one. */
struct span span_without_line_end(struct span line);

/*
 * Read a whole unsigned decimal number of 1 to 20 digits and nothing else.
 * False on a sign, a stray octet, an empty span or a value above max; *number_out is then untouched.
 */
bool span_to_number(struct span span, uint64_t max, uint64_t *number_out);

/* The same for so many hexadecimal digits, 1 to 8. */
bool span_to_hex_number(struct span span, size_t digits, uint32_t *number_out);

static inline uint8_t
ascii_lower(uint8_t octet)
{
	return octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;
}

static inline uint8_t
ascii_upper(uint8_t octet)
{
	return octet >= 'a' && octet <= 'z' ? octet - 32 : octet;
}

static inline bool
ascii_is_digit(uint8_t octet)
{
	return octet >= '0' && octet <= '9';
}

/* The value of a hexadecimal digit, of either case, or -1. */
static inline int
ascii_hex_value(uint8_t octet)
{
	octet = ascii_lower(octet);
	if (ascii_is_digit(octet))
		return octet - '0';
	return octet >= 'a' && octet <= 'f' ? octet - 'a' + 10 : -1;
}

#endif
