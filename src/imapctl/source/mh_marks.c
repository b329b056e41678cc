/*
 * .mh_sequences has lines "unseen: 1-3 7", which go on where a line begins with a space: mh-sequence(5).
 * .claws_mark and .sylpheed_mark have numbers of 32 bits in the order of the machine that wrote them: the
 * version 2, then a message's number and its flags, the last of a number counting.
 */
#include "base/bound.h"
#include "base/memory.h"
#include "lines.h"
#include "mh_list.h"

#define MARKS_VERSION 2

/* The place of the first message that has this number or a higher one. */
static size_t
place_of(const struct mh_list *list, uint64_t number)
{
	return LOWER_BOUND(list->count, middle, list->messages[middle].number < number);
}

static void
add_name(struct buffer *keywords, struct span name)
{
	if (keywords->length > 0)
		buffer_add_octet(keywords, ' ');
	buffer_add_span(keywords, name);
}

/* "cur" is where the user was reading, and says nothing about the message. */
static void
mark(struct mh_message *message, struct span sequence)
{
	if (span_equals(sequence, SPAN("unseen")))
		message->flags &= ~(unsigned)FLAG_SEEN;
	else if (span_equals(sequence, SPAN("replied")))
		message->flags |= FLAG_ANSWERED;
	else if (span_equals(sequence, SPAN("flagged")))
		message->flags |= FLAG_FLAGGED;
	else if (!span_equals(sequence, SPAN("cur")))
		add_name(&message->keywords, sequence);
}

/* "3" or "3-7"; anything else marks nothing. */
static void
mark_range(struct mh_list *list, struct span sequence, struct span range)
{
	size_t dash = span_find(range, '-');
	uint64_t first, last;

	if (!span_to_number(span_slice(range, 0, dash), UINT64_MAX, &first))
		return;
	last = first;
	if (dash < range.length && !span_to_number(span_from(range, dash + 1), UINT64_MAX, &last))
		return;
	for (size_t i = place_of(list, first); i < list->count && list->messages[i].number <= last; i++)
		mark(&list->messages[i], sequence);
}

static void
mark_ranges(struct mh_list *list, struct span sequence, struct span ranges)
{
	while (ranges.length > 0) {
		size_t end = 0;

		while (end < ranges.length && ranges.at[end] != ' ' && ranges.at[end] != '\t')
			end++;
		mark_range(list, sequence, span_slice(ranges, 0, end));
		ranges = span_from(ranges, end + 1);
	}
}

static void
read_sequences(struct mh_list *list, struct lines *lines)
{
	struct buffer sequence = { 0 };
	struct span text;

	while (lines_next(lines, &text)) {
		if (text.length > 0 && text.at[0] != ' ' && text.at[0] != '\t') {
			size_t colon = span_find(text, ':');

			buffer_clear(&sequence);
			buffer_add_span(&sequence, span_trim(span_slice(text, 0, colon)));
			text = span_from(text, colon + 1);
		}
		mark_ranges(list, buffer_span(&sequence), text);
	}
	buffer_free(&sequence);
}

static unsigned
flags_of_mark(uint32_t bits)
{
	static const struct {
		uint32_t bit;
		unsigned flag;
	} flags[] = { { 1 << 2, FLAG_FLAGGED }, { 1 << 3, FLAG_DELETED }, { 1 << 4, FLAG_ANSWERED },
		{ 1 << 5, FLAG_FORWARDED } };
	unsigned out = (bits & 1 << 1) != 0 ? 0 : FLAG_SEEN;

	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		if ((bits & flags[i].bit) != 0)
			out |= flags[i].flag;
	}
	return out;
}

static void
set_mark(struct mh_list *list, uint32_t number, uint32_t bits, uint32_t colour_bits)
{
	size_t at = place_of(list, number);

	if (at == list->count || list->messages[at].number != number)
		return;
	list->messages[at].flags = flags_of_mark(bits);
	list->messages[at].has_colour = (bits & colour_bits) != 0;
}

/*
 * Read the marks; false: it is not such a file.
 *
 *	colour_bits	where it keeps the number of a colour
 */
static bool
read_marks(struct mh_list *list, FILE *file, uint32_t colour_bits)
{
	uint32_t version, pair[2];
	bool is_swapped;

	if (fread(&version, sizeof version, 1, file) != 1)
		return false;
	is_swapped = version == __builtin_bswap32(MARKS_VERSION);
	if (!is_swapped && version != MARKS_VERSION)
		return false;
	for (size_t i = 0; i < list->count; i++)
		list->messages[i].flags = 0;
	while (fread(pair, sizeof pair, 1, file) == 1) {
		if (is_swapped)
			set_mark(list, __builtin_bswap32(pair[0]), __builtin_bswap32(pair[1]), colour_bits);
		else
			set_mark(list, pair[0], pair[1], colour_bits);
	}
	return true;
}

void
mh_marks_read(struct mh_list *list, const char *path)
{
	static const struct {
		const char *name;
		uint32_t colour_bits;
	} marks[] = { { ".claws_mark", 0xf << 6 }, { ".sylpheed_mark", 0x7 << 7 } };
	bool is_marked = false;
	struct lines lines;

	if (lines_open(&lines, path, ".mh_sequences")) {
		read_sequences(list, &lines);
		lines_close(&lines);
	}
	for (size_t i = 0; i < COUNT_OF(marks) && !is_marked; i++) {
		if (lines_open(&lines, path, marks[i].name)) {
			is_marked = read_marks(list, lines.file, marks[i].colour_bits);
			lines_close(&lines);
		}
	}
}
