/*
 * Records: parsing what the server says, tables and JSON.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/memory.h"
#include "ctl.h"
#include "control/control.h"
#include "control/words.h"
#include "record.h"

#define FIELDS_MAX 32

struct field {
	struct span key, value;
};

struct record {
	struct span kind;
	struct field *fields;
	size_t count;
};

static bool
parse(struct span line, struct arena *arena, struct record *record_out)
{
	struct span words[FIELDS_MAX + 1];
	size_t count;

	if (!control_split_words(line, arena, words, COUNT_OF(words), &count) || count == 0)
		return false;
	record_out->kind = words[0];
	record_out->count = count - 1;
	record_out->fields = arena_alloc_array(arena, count, sizeof *record_out->fields);
	for (size_t i = 1; i < count; i++) {
		size_t equals = span_find(words[i], '=');

		record_out->fields[i - 1].key = span_slice(words[i], 0, equals);
		record_out->fields[i - 1].value = span_from(words[i], equals + 1);
	}
	return true;
}

bool
record_field(struct span line, struct arena *arena, const char *kind, const char *key,
    struct span *value_out)
{
	struct record record;

	if (!parse(line, arena, &record) || !span_equals(record.kind, span_from_string(kind)))
		return false;
	for (size_t i = 0; i < record.count; i++) {
		if (span_equals(record.fields[i].key, span_from_string(key))) {
			*value_out = record.fields[i].value;
			return true;
		}
	}
	return false;
}

/* All records, in the order they came; those that cannot be read are left out. */
static struct record *
parse_all(const struct answer *answer, struct arena *arena, size_t *count_out)
{
	struct record *records = memory_new_array(answer->line_count + 1, sizeof *records);

	*count_out = 0;
	for (size_t i = 0; i < answer->line_count; i++)
		*count_out += parse(answer->lines[i], arena, &records[*count_out]);
	return records;
}

static bool
is_number(struct span text)
{
	uint64_t number;

	return span_to_number(text, INT64_MAX, &number) && (text.at[0] != '0' || text.length == 1);
}

static void
json_add_value(struct buffer *out, struct span value)
{
	if (is_number(value))
		buffer_add_span(out, value);
	else
		json_add_string(out, value);
}

static void
json_add_record(struct buffer *out, const struct record *record)
{
	buffer_add_octet(out, '{');
	for (size_t i = 0; i < record->count; i++) {
		if (i > 0)
			buffer_add_octet(out, ',');
		json_add_string(out, record->fields[i].key);
		buffer_add_octet(out, ':');
		json_add_value(out, record->fields[i].value);
	}
	buffer_add_octet(out, '}');
}

static bool
starts_run(const struct record *records, size_t index)
{
	return index == 0 || !span_equals(records[index].kind, records[index - 1].kind);
}

static void
write_json(struct buffer *out, const struct record *records, size_t count)
{
	buffer_add_string(out, "{\"schema\":1");
	for (size_t i = 0; i < count; i++) {
		if (starts_run(records, i)) {
			buffer_add_string(out, i > 0 ? "]," : ",");
			json_add_string(out, records[i].kind);
			buffer_add_string(out, ":[");
		} else {
			buffer_add_octet(out, ',');
		}
		json_add_record(out, &records[i]);
	}
	buffer_add_string(out, count > 0 ? "]}\n" : "}\n");
}

/* Characters a terminal shows, near enough: octets that do not continue a UTF-8 sequence. */
static size_t
width(struct span text)
{
	size_t width = 0;

	for (size_t i = 0; i < text.length; i++)
		width += (text.at[i] & 0xc0) != 0x80;
	return width;
}

static void
add_cell(struct buffer *out, struct span text, size_t column_width, bool is_last)
{
	buffer_add_span(out, text);
	for (size_t i = width(text); !is_last && i < column_width + 2; i++)
		buffer_add_octet(out, ' ');
	if (is_last)
		buffer_add_octet(out, '\n');
}

/* Records of one kind; the first one's keys are the columns. */
static void
write_table(struct buffer *out, const struct record *records, size_t count)
{
	size_t widths[FIELDS_MAX] = { 0 }, columns = records[0].count;

	for (size_t i = 0; i < columns; i++) {
		widths[i] = width(records[0].fields[i].key);
		for (size_t j = 0; j < count; j++) {
			if (i < records[j].count && width(records[j].fields[i].value) > widths[i])
				widths[i] = width(records[j].fields[i].value);
		}
	}
	for (size_t i = 0; i < columns; i++)
		add_cell(out, records[0].fields[i].key, widths[i], i + 1 == columns);
	for (size_t j = 0; j < count; j++) {
		for (size_t i = 0; i < columns && i < records[j].count; i++)
			add_cell(out, records[j].fields[i].value, widths[i],
			    i + 1 == columns || i + 1 == records[j].count);
	}
}

static void
write_tables(struct buffer *out, const struct record *records, size_t count)
{
	size_t first = 0;

	for (size_t i = 1; i <= count; i++) {
		if (i < count && !starts_run(records, i))
			continue;
		if (first > 0)
			buffer_add_octet(out, '\n');
		write_table(out, records + first, i - first);
		first = i;
	}
}

void
records_write(const struct answer *answer, bool is_json, struct buffer *out)
{
	struct arena *arena = arena_new();
	size_t count;
	struct record *records = parse_all(answer, arena, &count);

	if (is_json)
		write_json(out, records, count);
	else
		write_tables(out, records, count);
	free(records);
	arena_free(&arena);
}

void
records_print(const struct answer *answer, bool is_json)
{
	struct buffer out = { 0 };

	records_write(answer, is_json, &out);
	if (out.length > 0)
		if (out.length > 0)
		fwrite(out.at, 1, out.length, stdout);
	buffer_free(&out);
}
