/*
 * Sets of numbers as sorted, merged ranges.  RFC 9051 section 9, "sequence-set".  Pure.
 */
#include "imap/sequence.h"

#include <stdlib.h>

#include "base/bound.h"

/* Read "12" or "*" (then *star_out); moves *at behind it. */
static bool
read_end(struct span text, size_t *at, uint32_t *number_out, bool *star_out)
{
	size_t start = *at;
	uint64_t number;

	*star_out = start < text.length && text.at[start] == '*';
	if (*star_out) {
		*at = start + 1;
		*number_out = UINT32_MAX;
		return true;
	}
	while (*at < text.length && ascii_is_digit(text.at[*at]))
		(*at)++;
	if (!span_to_number(span_slice(text, start, *at - start), UINT32_MAX, &number) || text.at[start] == '0')
		return false;
	*number_out = (uint32_t)number;
	return true;
}

static void
note_star(struct imap_sequence *sequence, uint32_t partner)
{
	if (!sequence->has_star || partner < sequence->star_from)
		sequence->star_from = partner;
	sequence->has_star = true;
}

static bool
read_range(struct span text, size_t *at, struct imap_sequence *sequence)
{
	uint32_t first, last;
	bool is_first_star, is_last_star;

	if (!read_end(text, at, &first, &is_first_star))
		return false;
	last = first;
	is_last_star = is_first_star;
	if (*at < text.length && text.at[*at] == ':') {
		++*at;
		if (!read_end(text, at, &last, &is_last_star))
			return false;
	}
	if (is_first_star || is_last_star)
		note_star(sequence, is_first_star ? last : first);
	else
		sequence->ranges[sequence->count++] = (struct imap_range){ first < last ? first : last,
			first < last ? last : first };
	return true;
}

static int
compare_ranges(const void *a, const void *b)
{
	uint32_t left = ((const struct imap_range *)a)->first, right = ((const struct imap_range *)b)->first;

	return left < right ? -1 : left > right;
}

static void
sort(struct imap_range *ranges, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (ranges[i - 1].first > ranges[i].first) {
			qsort(ranges, count, sizeof *ranges, compare_ranges);
			return;
		}
}

/* Join ranges that overlap or touch; they are sorted. */
static size_t
merge(struct imap_range *ranges, size_t count)
{
	size_t kept = 0;

	for (size_t i = 1; i < count; i++)
		if (ranges[kept].last == UINT32_MAX || ranges[i].first <= ranges[kept].last + 1) {
			if (ranges[i].last > ranges[kept].last)
				ranges[kept].last = ranges[i].last;
		} else {
			ranges[++kept] = ranges[i];
		}
	return count == 0 ? 0 : kept + 1;
}

bool
imap_sequence_parse(struct arena *arena, struct span text, struct imap_sequence *sequence_out)
{
	struct imap_sequence sequence = { .is_saved = span_equals(text, SPAN("$")) };
	size_t at = 0, commas = 0;

	if (sequence.is_saved) {
		*sequence_out = sequence;
		return true;
	}
	for (size_t i = 0; i < text.length; i++)
		commas += text.at[i] == ',';
	sequence.ranges = arena_alloc_array(arena, commas + 2, sizeof *sequence.ranges);
	for (;;) {
		if (!read_range(text, &at, &sequence))
			return false;
		if (at == text.length)
			break;
		if (text.at[at++] != ',')
			return false;
	}
	sort(sequence.ranges, sequence.count);
	sequence.count = merge(sequence.ranges, sequence.count);
	*sequence_out = sequence;
	return true;
}

void
imap_sequence_resolve(struct imap_sequence *sequence, uint32_t largest)
{
	struct imap_range star;

	if (!sequence->has_star)
		return;
	sequence->has_star = false;
	if (largest == 0)
		return;
	star = (struct imap_range){ sequence->star_from < largest ? sequence->star_from : largest, largest };
	sequence->ranges[sequence->count++] = star;
	sort(sequence->ranges, sequence->count);
	sequence->count = merge(sequence->ranges, sequence->count);
}

size_t
imap_sequence_find(const struct imap_sequence *sequence, uint32_t number)
{
	return LOWER_BOUND(sequence->count, middle, sequence->ranges[middle].last < number);
}

bool
imap_sequence_contains(const struct imap_sequence *sequence, uint32_t number)
{
	size_t index = imap_sequence_find(sequence, number);

	return index < sequence->count && sequence->ranges[index].first <= number;
}

uint32_t
imap_sequence_highest(const struct imap_sequence *sequence)
{
	return sequence->count == 0 ? 0 : sequence->ranges[sequence->count - 1].last;
}

bool
imap_sequence_next(const struct imap_sequence *sequence, uint32_t *number)
{
	size_t index;
	uint32_t next;

	if (*number == UINT32_MAX)
		return false;
	next = *number + 1;
	index = imap_sequence_find(sequence, next);
	if (index == sequence->count)
		return false;
	*number = next < sequence->ranges[index].first ? sequence->ranges[index].first : next;
	return true;
}

uint32_t
imap_sequence_at(const struct imap_sequence *sequence, uint64_t place)
{
	for (size_t i = 0; i < sequence->count; i++) {
		uint64_t length = (uint64_t)sequence->ranges[i].last - sequence->ranges[i].first + 1;

		if (place < length)
			return sequence->ranges[i].first + (uint32_t)place;
		place -= length;
	}
	return 0;
}

uint64_t
imap_sequence_size(const struct imap_sequence *sequence)
{
	uint64_t size = 0;

	for (size_t i = 0; i < sequence->count; i++)
		size += (uint64_t)sequence->ranges[i].last - sequence->ranges[i].first + 1;
	return size;
}

struct imap_sequence
imap_sequence_of(struct imap_range *ranges, size_t count)
{
	sort(ranges, count);
	return (struct imap_sequence){ .ranges = ranges, .count = merge(ranges, count) };
}

struct imap_sequence
imap_sequence_common(struct arena *arena, const struct imap_sequence *a, const struct imap_sequence *b)
{
	struct imap_sequence common = { .ranges = arena_alloc_array(arena, a->count + b->count + 1,
		sizeof *common.ranges) };
	size_t left = 0, right = 0;

	while (left < a->count && right < b->count) {
		struct imap_range one = a->ranges[left], other = b->ranges[right];
		uint32_t first = one.first > other.first ? one.first : other.first;
		uint32_t last = one.last < other.last ? one.last : other.last;

		if (first <= last)
			common.ranges[common.count++] = (struct imap_range){ first, last };
		if (one.last < other.last)
			left++;
		else
			right++;
	}
	return common;
}

struct imap_sequence
imap_sequence_without(struct arena *arena, const struct imap_sequence *sequence, const struct imap_sequence *taken)
{
	struct imap_sequence rest = { .ranges = arena_alloc_array(arena, sequence->count + taken->count + 1,
		sizeof *rest.ranges) };
	size_t next = 0;

	for (size_t i = 0; i < sequence->count; i++) {
		uint64_t first = sequence->ranges[i].first, last = sequence->ranges[i].last;

		while (next < taken->count && taken->ranges[next].last < first)
			next++;
		for (; next < taken->count && taken->ranges[next].first <= last; next++) {
			if (taken->ranges[next].first > first)
				rest.ranges[rest.count++] = (struct imap_range){ (uint32_t)first,
					taken->ranges[next].first - 1 };
			first = (uint64_t)taken->ranges[next].last + 1;
			if (first > last)
				break;
		}
		if (first <= last)
			rest.ranges[rest.count++] = (struct imap_range){ (uint32_t)first, (uint32_t)last };
	}
	return rest;
}

bool
imap_sequence_is_rising(struct span text)
{
	uint32_t before = 0, number;
	bool is_star, is_range = false;
	size_t at = 0;

	while (read_end(text, &at, &number, &is_star) && !is_star && number >= before + !is_range) {
		before = number;
		if (at == text.length)
			return true;
		is_range = text.at[at] == ':';
		if (!is_range && text.at[at] != ',')
			return false;
		at++;
	}
	return false;
}

static void
write_range(struct buffer *out, uint32_t first, uint32_t last)
{
	buffer_add_number(out, first);
	if (first == last)
		return;
	buffer_add_octet(out, ':');
	buffer_add_number(out, last);
}

/* "*" not yet resolved is written as "n:*". */
static void
write_star(struct buffer *out, const struct imap_sequence *sequence)
{
	if (sequence->count > 0)
		buffer_add_octet(out, ',');
	if (sequence->star_from != UINT32_MAX) {
		buffer_add_number(out, sequence->star_from);
		buffer_add_octet(out, ':');
	}
	buffer_add_octet(out, '*');
}

void
imap_sequence_write(struct buffer *out, const struct imap_sequence *sequence)
{
	if (sequence->is_saved && sequence->count == 0)
		buffer_add_octet(out, '$');
	for (size_t i = 0; i < sequence->count; i++) {
		if (i > 0)
			buffer_add_octet(out, ',');
		write_range(out, sequence->ranges[i].first, sequence->ranges[i].last);
	}
	if (sequence->has_star)
		write_star(out, sequence);
}

static void
flush_run(struct imap_set_writer *writer)
{
	if (writer->first == 0)
		return;
	if (writer->is_started)
		buffer_add_octet(writer->out, ',');
	write_range(writer->out, writer->first, writer->last);
	writer->is_started = true;
	writer->first = 0;
}

void
imap_set_writer_add(struct imap_set_writer *writer, uint32_t number)
{
	if (writer->first != 0 && writer->last != UINT32_MAX && number == writer->last + 1) {
		writer->last = number;
		return;
	}
	flush_run(writer);
	writer->first = writer->last = number;
}

void
imap_set_writer_end(struct imap_set_writer *writer)
{
	flush_run(writer);
}
