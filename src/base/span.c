/*
 * Spans: comparing, searching and reading numbers out of borrowed octets.  Any thread.
 */
#include "base/span.h"

bool
span_equals_nocase(struct span a, struct span b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (ascii_lower(a.at[i]) != ascii_lower(b.at[i]))
			return false;
	return true;
}

bool
span_starts_with(struct span span, struct span prefix)
{
	return span.length >= prefix.length && span_equals(span_slice(span, 0, prefix.length), prefix);
}

bool
span_starts_with_nocase(struct span span, struct span prefix)
{
	return span.length >= prefix.length &&
	    span_equals_nocase(span_slice(span, 0, prefix.length), prefix);
}

int
span_compare(struct span a, struct span b)
{
	size_t common = a.length < b.length ? a.length : b.length;
	int order = common == 0 ? 0 : memcmp(a.at, b.at, common);

	if (order != 0)
		return order;
	return a.length < b.length ? -1 : a.length > b.length;
}

size_t
span_find(struct span span, uint8_t octet)
{
	const uint8_t *found = span.length == 0 ? NULL : memchr(span.at, octet, span.length);

	return found == NULL ? span.length : (size_t)(found - span.at);
}

static bool
is_blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

struct span
span_without_line_end(struct span line)
{
	if (line.length > 0 && line.at[line.length - 1] == '\n')
		line.length--;
	if (line.length > 0 && line.at[line.length - 1] == '\r')
		line.length--;
	return line;
}

/* Octets that a processor compares at a time, each by itself; what is true is 255. */
typedef uint8_t many __attribute__((vector_size(16)));

static size_t
sum_of(many counts)
{
	size_t sum = 0;

	for (size_t i = 0; i < sizeof counts; i++)
		sum += counts[i];
	return sum;
}

size_t
span_count(struct span span, uint8_t octet)
{
	size_t sum = 0, i = 0;

	while (span.length - i >= sizeof(many)) {
		size_t end = span.length - i < UINT8_MAX * sizeof(many) ? span.length : i + UINT8_MAX * sizeof(many);
		many counts = { 0 };

		for (; end - i >= sizeof(many); i += sizeof(many)) {
			many octets;

			memcpy(&octets, span.at + i, sizeof octets);
			counts -= (many)(octets == octet);
		}
		sum += sum_of(counts);
	}
	for (; i < span.length; i++)
		sum += span.at[i] == octet;
	return sum;
}

struct span
span_trim(struct span span)
{
	while (span.length > 0 && is_blank(span.at[0]))
		span = span_from(span, 1);
	while (span.length > 0 && is_blank(span.at[span.length - 1]))
		span.length--;
	return span;
}

bool
span_to_number(struct span span, uint64_t max, uint64_t *number_out)
{
	uint64_t number = 0;

	if (span.length == 0 || span.length > 20)
		return false;
	for (size_t i = 0; i < span.length; i++) {
		if (!ascii_is_digit(span.at[i]) || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, span.at[i] - '0', &number))
			return false;
	}
	if (number > max)
		return false;
	*number_out = number;
	return true;
}

bool
span_to_hex_number(struct span span, size_t digits, uint32_t *number_out)
{
	uint32_t number = 0;

	if (span.length != digits || digits == 0 || digits > 8)
		return false;
	for (size_t i = 0; i < span.length; i++) {
		uint8_t letter = ascii_lower(span.at[i]);

		if (!ascii_is_digit(letter) && (letter < 'a' || letter > 'f'))
			return false;
		number = number << 4 | (uint32_t)(ascii_is_digit(letter) ? letter - '0' : letter - 'a' + 10);
	}
	*number_out = number;
	return true;
}
