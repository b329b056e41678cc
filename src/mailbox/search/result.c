/*
 * The replies of SEARCH.  Numbers stay while the command runs, so hits may be noted in any order and are
 * turned into UIDs when they are told.  Loop thread.
 */
#include "result.h"

#include <stdlib.h>

#include "base/memory.h"

void
search_result_init(struct search_result *result, const struct view *view)
{
	*result = (struct search_result){ .view = view, .last = view_count(view) };
	result->bits = memory_new((size_t)result->last / 8 + 1);
}

void
search_result_fini(struct search_result *result)
{
	free(result->bits);
	result->bits = NULL;
}

void
search_result_add(struct search_result *result, uint32_t number)
{
	result->bits[number / 8] |= (uint8_t)(1u << number % 8);
}

void
search_result_clear(struct search_result *result)
{
	memset(result->bits, 0, (size_t)result->last / 8 + 1);
}

uint32_t
search_result_next(const struct search_result *result, uint32_t number, struct view_message *message_out)
{
	for (number++; number <= result->last; number++) {
		if (number % 8 == 0 && result->bits[number / 8] == 0) {
			number += 7;
			continue;
		}
		if (!(result->bits[number / 8] & 1u << number % 8))
			continue;
		view_message(result->view, number, message_out);
		if (!message_out->is_ghost)
			return number;
	}
	return 0;
}

/* The hit before number, 0: the last of all; 0 when there is none. */
static uint32_t
previous(const struct search_result *result, uint32_t number, struct view_message *message_out)
{
	for (number = number == 0 ? result->last : number - 1; number > 0; number--) {
		if (!(result->bits[number / 8] & 1u << number % 8))
			continue;
		view_message(result->view, number, message_out);
		if (!message_out->is_ghost)
			return number;
	}
	return 0;
}

/* The number by which a hit is told. */
static uint32_t
name_of(const struct view_message *message, bool is_uid)
{
	return is_uid ? message->message.uid : message->number;
}

static uint64_t
highest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* How many there are: a message that has gone meanwhile is none. */
static uint32_t
count_bits(const struct search_result *result)
{
	const struct view *view = result->view;
	uint32_t count = 0;

	for (size_t i = 0; i <= result->last / 8; i++)
		count += (uint32_t)__builtin_popcount(result->bits[i]);
	for (size_t i = 0; i < view->ghost_count; i++) {
		uint32_t number = view_number(view, view->ghosts[i]);

		if (number > 0 && number <= result->last && (result->bits[number / 8] & 1u << number % 8))
			count--;
	}
	return count;
}

/* How many there are, the first and the last: without a look at those in between, which may be a million. */
static void
count_hits(const struct search_result *result, struct imap_esearch *esearch)
{
	struct view_message message;

	esearch->count = count_bits(result);
	if (search_result_next(result, 0, &message) != 0)
		esearch->min = name_of(&message, esearch->is_uid);
	if (previous(result, 0, &message) != 0)
		esearch->max = name_of(&message, esearch->is_uid);
}

/* The set of ALL or PARTIAL, and the highest modseq of what is told: RFC 7162 section 3.1.5. */
static void
write_set(const struct search_result *result, const struct imap_search *search, struct imap_esearch *esearch,
    struct buffer *out)
{
	struct imap_set_writer writer = { .out = out };
	struct view_message message;
	uint32_t place = 0;

	for (uint32_t n = 0; (n = search_result_next(result, n, &message)) != 0;) {
		place++;
		if (search->has_modseq && imap_search_keeps(search, esearch->count, place))
			esearch->modseq = highest(esearch->modseq, message.message.modseq);
		if (esearch->returns & IMAP_RETURN_ALL || (esearch->returns & IMAP_RETURN_PARTIAL &&
		    imap_partial_contains(&search->partial, esearch->count, place)))
			imap_set_writer_add(&writer, name_of(&message, esearch->is_uid));
	}
	imap_set_writer_end(&writer);
}

void
search_result_write_esearch(const struct search_result *result, const struct imap_search *search,
    struct imap_esearch *esearch, struct buffer *out)
{
	struct buffer set = { 0 };

	count_hits(result, esearch);
	if (search->has_modseq || esearch->returns & (IMAP_RETURN_ALL | IMAP_RETURN_PARTIAL))
		write_set(result, search, esearch, &set);
	esearch->has_set = set.length > 0;
	imap_write_esearch_begin(out, esearch);
	buffer_add_span(out, buffer_span(&set));
	imap_write_esearch_end(out, esearch);
	buffer_free(&set);
}

/* The last words of "* SEARCH". */
static void
end_list(const struct search_result *result, const struct imap_command_line *line, struct buffer *out)
{
	struct view_message message;
	uint64_t modseq = 0;

	if (line->search.has_modseq)
		for (uint32_t n = 0; (n = search_result_next(result, n, &message)) != 0;)
			modseq = highest(modseq, message.message.modseq);
	if (modseq > 0) {
		buffer_add_span(out, SPAN(" (MODSEQ "));
		buffer_add_number(out, modseq);
		buffer_add_octet(out, ')');
	}
	buffer_add_span(out, SPAN("\r\n"));
}

bool
search_result_write_list(struct search_result *result, const struct imap_command_line *line, size_t limit,
    struct buffer *out)
{
	struct view_message message;
	uint32_t number;

	if (!result->is_begun)
		buffer_add_span(out, SPAN("* SEARCH"));
	result->is_begun = true;
	while (out->length < limit) {
		number = result->is_falling ? previous(result, result->told, &message)
					    : search_result_next(result, result->told, &message);
		if (number == 0) {
			end_list(result, line, out);
			return true;
		}
		buffer_add_octet(out, ' ');
		buffer_add_number(out, name_of(&message, line->is_uid));
		result->told = number;
	}
	return false;
}

void
search_result_reduce(struct search_result *result, const struct imap_search *search)
{
	struct imap_esearch all = { 0 };
	struct view_message message;
	uint32_t place = 0;

	if (imap_search_keeps_all(search))
		return;
	count_hits(result, &all);
	for (uint32_t n = 0; (n = search_result_next(result, n, &message)) != 0;)
		if (!imap_search_keeps(search, all.count, ++place))
			result->bits[n / 8] &= (uint8_t)~(1u << n % 8);
}

struct imap_range *
search_result_uids(const struct search_result *result, size_t *count_out)
{
	struct imap_range *ranges = NULL;
	size_t count = 0, capacity = 0;
	struct view_message message;

	for (uint32_t n = 0; (n = search_result_next(result, n, &message)) != 0;) {
		uint32_t uid = message.message.uid;

		if (count > 0 && ranges[count - 1].last + 1 == uid) {
			ranges[count - 1].last = uid;
			continue;
		}
		if (count == capacity) {
			capacity = capacity * 2 + 8;
			ranges = memory_resize(ranges, capacity, sizeof *ranges);
		}
		ranges[count++] = (struct imap_range){ uid, uid };
	}
	*count_out = count;
	return ranges;
}
