/*
 * Records: tables, and JSON.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/memory.h"
#include "control/record.h"
#include "ctl.h"
#include "order.h"
#include "record.h"
#include "table.h"
#include "terminal.h"

bool
record_field(struct span line, struct arena *arena, const char *kind, const char *key,
    struct span *value_out)
{
	struct record record;

	if (!record_parse(line, arena, &record) || !span_equals(record.kind, span_from_string(kind)))
		return false;
	for (size_t i = 0; i < record.count; i++) {
		if (span_equals(record.fields[i].key, span_from_string(key))) {
			*value_out = record.fields[i].value;
			return true;
		}
	}
	return false;
}

static struct span
value_of(const struct record *record, const char *key)
{
	for (size_t i = 0; i < record->count; i++) {
		if (span_equals(record->fields[i].key, span_from_string(key)))
			return record->fields[i].value;
	}
	return SPAN("");
}

bool
record_fields(struct span line, struct arena *arena, const char *kind, const char *const *keys, struct span *values_out)
{
	struct record record;

	if (!record_parse(line, arena, &record) || !span_equals(record.kind, span_from_string(kind)))
		return false;
	for (size_t i = 0; keys[i] != NULL; i++)
		values_out[i] = value_of(&record, keys[i]);
	return true;
}

/* All records, in the order they came; those that cannot be read are left out. */
static struct record *
parse_all(const struct answer *answer, struct arena *arena, size_t *count_out)
{
	struct record *records = memory_new_array(answer->line_count + 1, sizeof *records);

	*count_out = 0;
	for (size_t i = 0; i < answer->line_count; i++)
		*count_out += record_parse(answer->lines[i], arena, &records[*count_out]);
	return records;
}

/* A member with all records of a kind, none included. */
static void
json_add_kind(struct buffer *out, struct span kind, const struct record *records, size_t count)
{
	bool is_first = true;

	buffer_add_octet(out, ',');
	json_add_string(out, kind);
	buffer_add_string(out, ":[");
	for (size_t i = 0; i < count; i++) {
		if (!span_equals(records[i].kind, kind))
			continue;
		if (!is_first)
			buffer_add_octet(out, ',');
		is_first = false;
		record_add_json(&records[i], out);
	}
	buffer_add_octet(out, ']');
}

static bool
next_kind(struct span *kinds, struct span *kind_out)
{
	size_t space = span_find(*kinds, ' ');

	*kind_out = span_slice(*kinds, 0, space);
	*kinds = span_from(*kinds, space + 1);
	return kind_out->length > 0;
}

void
records_write_json(const struct answer *answer, const char *kinds, struct buffer *out)
{
	struct span rest = span_from_string(kinds == NULL ? "" : kinds), kind;
	struct arena *arena = arena_new();
	size_t count;
	struct record *records = parse_all(answer, arena, &count);

	while (next_kind(&rest, &kind))
		json_add_kind(out, kind, records, count);
	free(records);
	arena_free(&arena);
}

static bool
starts_run(const struct record *records, size_t index)
{
	return index == 0 || !span_equals(records[index].kind, records[index - 1].kind);
}

void
records_write_tables(const struct answer *answer, size_t width, struct buffer *out)
{
	struct arena *arena = arena_new();
	size_t count, first = 0;
	struct record *records = parse_all(answer, arena, &count);

	for (size_t i = 1; i <= count; i++) {
		if (i < count && !starts_run(records, i))
			continue;
		if (first > 0)
			buffer_add_octet(out, '\n');
		table_write(records + first, i - first, width, out);
		first = i;
	}
	free(records);
	arena_free(&arena);
}

void
records_print(const struct order *order, const struct answer *answer)
{
	struct buffer out = { 0 };

	if (order->json != NULL)
		records_write_json(answer, order->verb->kinds, order->json);
	else
		records_write_tables(answer, terminal_width(), &out);
	if (out.length > 0)
		fwrite(out.at, 1, out.length, stdout);
	buffer_free(&out);
}

void
json_print(const struct buffer *members, const char *kinds, int code, const char *error)
{
	struct buffer out = { 0 };

	buffer_add_string(&out, "{\"schema\":1");
	buffer_add_span(&out, buffer_span(members));
	if (members->length == 0)
		records_write_json(&(struct answer){ .line_count = 0 }, kinds, &out);
	if (code != 0 && error != NULL) {
		buffer_printf(&out, ",\"error\":{\"code\":%d", code);
		json_add_text(&out, "text", span_from_string(error));
		buffer_add_octet(&out, '}');
	}
	buffer_add_string(&out, "}\n");
	fwrite(out.at, 1, out.length, stdout);
	buffer_free(&out);
}
