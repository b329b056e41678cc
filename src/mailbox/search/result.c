/*
 * The replies of SEARCH.  Numbers stay while the command runs, so hits may be noted in any order and are
 * turned into UIDs when they are told.  Loop thread.
 */
#include "result.h"

#include <stdlib.h>

#include "base/memory.h"
#include "imap/writer.h"

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
search_result_keep_only(struct search_result *result, uint32_t one, uint32_t other)
{
	memset(result->bits, 0, (size_t)result->last / 8 + 1);
	if (one != 0)
		search_result_add(result, one);
	if (other != 0)
		search_result_add(result, other);
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

void
search_result_write_esearch(const struct search_result *result, const struct imap_command_line *line,
    unsigned returns, struct buffer *out)
{
	struct imap_esearch esearch = { .tag = line->tag, .is_uid = line->is_uid, .returns = returns };
	struct buffer all = { 0 };
	struct imap_set_writer writer = { .out = &all };
	struct view_message message;
	uint64_t modseq = 0, modseq_min = 0, modseq_max = 0;

	for (uint32_t n = 0; (n = search_result_next(result, n, &message)) != 0;) {
		if (esearch.count++ == 0) {
			esearch.min = name_of(&message, line->is_uid);
			modseq_min = message.message.modseq;
		}
		esearch.max = name_of(&message, line->is_uid);
		modseq_max = message.message.modseq;
		modseq = highest(modseq, modseq_max);
		if (returns & IMAP_RETURN_ALL)
			imap_set_writer_add(&writer, esearch.max);
	}
	imap_set_writer_end(&writer);
	/* RFC 7162 section 3.1.5: of what is told, not of all that was found. */
	if (!(returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT)))
		modseq = highest(returns & IMAP_RETURN_MIN ? modseq_min : 0,
		    returns & IMAP_RETURN_MAX ? modseq_max : 0);
	esearch.modseq = line->search.has_modseq ? modseq : 0;
	esearch.all = buffer_span(&all);
	if (!(returns & IMAP_RETURN_MIN))
		esearch.min = 0;
	if (!(returns & IMAP_RETURN_MAX))
		esearch.max = 0;
	imap_write_esearch(out, &esearch);
	buffer_free(&all);
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

/* The first and the last, or one of them. */
static struct imap_range *
uids_of_ends(const struct search_result *result, unsigned returns, size_t *count_out)
{
	struct imap_range *ranges = memory_new_array(2, sizeof *ranges);
	uint32_t first = 0, last = 0;
	struct view_message message;

	for (uint32_t n = 0; (n = search_result_next(result, n, &message)) != 0; last = message.message.uid)
		first = first == 0 ? message.message.uid : first;
	if (!(returns & IMAP_RETURN_MIN))
		first = last;
	if (!(returns & IMAP_RETURN_MAX))
		last = first;
	ranges[0] = (struct imap_range){ first, first };
	ranges[1] = (struct imap_range){ last, last };
	*count_out = last == 0 ? 0 : last == first ? 1 : 2;
	if (*count_out == 2 && last == first + 1) {	/* ranges of a set do not touch */
		ranges[0].last = last;
		*count_out = 1;
	}
	return ranges;
}

struct imap_range *
search_result_uids(const struct search_result *result, unsigned returns, size_t *count_out)
{
	struct imap_range *ranges = NULL;
	size_t count = 0, capacity = 0;
	struct view_message message;

	if ((returns & (IMAP_RETURN_MIN | IMAP_RETURN_MAX)) && !(returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT)))
		return uids_of_ends(result, returns, count_out);
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
