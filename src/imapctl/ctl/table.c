/*
 * Tables for people: in columns, or, where a terminal is too narrow for that, as lists.
 */
#include "table.h"

#include "base/memory.h"

#define GAP	  2	/* between two columns; 1 where that is enough to leave them whole, or nothing is */
#define CELL_MIN  10	/* a column that is broken is as wide as that */
#define VALUE_MIN 10	/* ... and what stands in a list */

/* Octets that do not continue a UTF-8 sequence. */
size_t
text_width(struct span text)
{
	size_t width = 0;

	for (size_t i = 0; i < text.length; i++)
		width += (text.at[i] & 0xc0) != 0x80;
	return width;
}

static void
add_spaces(struct buffer *out, size_t count)
{
	while (count-- > 0)
		buffer_add_octet(out, ' ');
}

/* How many octets the first so many characters of a text have. */
static size_t
length_of(struct span text, size_t characters)
{
	size_t length = 0;

	while (length < text.length && ((text.at[length] & 0xc0) == 0x80 || characters-- > 0))
		length++;
	return length;
}

/* Take off a text what goes into a line of it: whole words, if there is one. */
static struct span
take_piece(struct span *text, size_t width)
{
	size_t length = length_of(*text, width), space = length;
	struct span piece;

	if (length < text->length) {
		while (space > 0 && text->at[space] != ' ')
			space--;
		length = space > 0 ? space : length;
	}
	piece = span_slice(*text, 0, length);
	*text = span_from(*text, length + (length < text->length && text->at[length] == ' '));
	return piece;
}

static size_t
total_width(const size_t *widths, size_t columns, size_t gap)
{
	size_t total = (columns - 1) * gap;

	for (size_t i = 0; i < columns; i++)
		total += widths[i];
	return total;
}

/* Take from the widest, one by one.  False: that is not enough. */
static bool
narrow(size_t *widths, const struct record *head, size_t width)
{
	while (total_width(widths, head->count, 1) > width) {
		size_t widest = head->count;

		for (size_t i = 0; i < head->count; i++) {
			if (widths[i] > CELL_MIN && widths[i] > text_width(head->fields[i].key) &&
			    (widest == head->count || widths[i] > widths[widest]))
				widest = i;
		}
		if (widest == head->count)
			return false;
		widths[widest]--;
	}
	return true;
}

/* A row, in as many lines as its longest cell takes; the cells are used up. */
static void
write_row(struct span *cells, size_t columns, const size_t *widths, size_t gap, struct buffer *out)
{
	bool has_more = true;

	while (has_more) {
		size_t missing = 0;

		has_more = false;
		for (size_t i = 0; i < columns; i++) {
			struct span piece = take_piece(&cells[i], widths[i]);

			if (piece.length > 0) {
				add_spaces(out, missing);
				missing = 0;
			}
			buffer_add_span(out, piece);
			missing += widths[i] + gap - text_width(piece);
			has_more = has_more || cells[i].length > 0;
		}
		buffer_add_octet(out, '\n');
	}
}

static void
write_columns(const struct record *records, size_t count, const size_t *widths, size_t gap, struct buffer *out)
{
	struct span cells[RECORD_FIELDS_MAX];
	size_t columns = records[0].count;

	for (size_t i = 0; i < columns; i++)
		cells[i] = records[0].fields[i].key;
	write_row(cells, columns, widths, gap, out);
	for (size_t j = 0; j < count; j++) {
		for (size_t i = 0; i < columns; i++)
			cells[i] = i < records[j].count ? records[j].fields[i].value : SPAN("");
		write_row(cells, columns, widths, gap, out);
	}
}

/* A line for each field that says something. */
static void
write_list(const struct record *record, size_t width, struct buffer *out)
{
	size_t widths[2] = { 0, VALUE_MIN };

	for (size_t i = 0; i < record->count; i++) {
		if (text_width(record->fields[i].key) > widths[0])
			widths[0] = text_width(record->fields[i].key);
	}
	if (widths[0] + GAP + VALUE_MIN < width)
		widths[1] = width - widths[0] - GAP;
	for (size_t i = 0; i < record->count; i++) {
		struct span cells[2] = { record->fields[i].key, record->fields[i].value };

		if (cells[1].length > 0)
			write_row(cells, 2, widths, GAP, out);
	}
}

static void
measure(const struct record *records, size_t count, size_t *widths)
{
	for (size_t i = 0; i < records[0].count; i++) {
		widths[i] = text_width(records[0].fields[i].key);
		for (size_t j = 0; j < count; j++) {
			if (i < records[j].count && text_width(records[j].fields[i].value) > widths[i])
				widths[i] = text_width(records[j].fields[i].value);
		}
	}
}

void
table_write(const struct record *records, size_t count, size_t width, struct buffer *out)
{
	size_t widths[RECORD_FIELDS_MAX] = { 0 };

	if (records[0].count == 0)
		return;
	measure(records, count, widths);
	if (width == 0 || total_width(widths, records[0].count, GAP) <= width) {
		write_columns(records, count, widths, GAP, out);
		return;
	}
	if (total_width(widths, records[0].count, 1) <= width || (count > 1 && narrow(widths, &records[0], width))) {
		write_columns(records, count, widths, 1, out);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buffer_add_octet(out, '\n');
		write_list(&records[i], width, out);
	}
}
