/*
 * Source: Mozilla's comm/mailnews/db/mork/.  A file is a sequence of dictionaries `<(81=subject)>`, tables
 * `{1:^80 {(k^96:c)} [1(^88=0)] 2}` and rows `[1:^80(^88=1)]`; what comes later changes what came before.  A `^`
 * refers to a dictionary.  A minus empties a row before it is filled, and takes one out of a table.  Changes stand
 * between `@$${1A{@` and `@$$}1A}@`.
 */
#include "mork.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "mork_rows.h"

struct text {
	struct span octets;
};

struct mork {
	struct arena *arena;		/* all texts */
	struct map *names, *values;	/* struct text by number: of columns and kinds, and of what stands in cells */
	struct map *columns;		/* numbers by name, as the pointers' values, one higher */
	struct map *tables, *rows;	/* by "number:scope" */
	struct span rest;		/* what is still to be read */
	struct buffer scratch;
};

static struct span
key_of(const uint32_t *number)
{
	return span_of(number, sizeof *number);
}

static struct span
text_of(const struct map *texts, uint32_t number)
{
	const struct text *text = map_get(texts, key_of(&number));

	return text == NULL ? (struct span){ NULL, 0 } : text->octets;
}

static bool
take_octet(struct mork *mork, uint8_t octet)
{
	if (mork->rest.length == 0 || mork->rest.at[0] != octet)
		return false;
	mork->rest = span_from(mork->rest, 1);
	return true;
}

/* Past spaces, line ends and comments. */
static void
skip_blank(struct mork *mork)
{
	for (;;) {
		struct span rest = mork->rest;

		if (span_starts_with(rest, SPAN("//")))
			mork->rest = span_from(rest, span_find(rest, '\n'));
		else if (rest.length > 0 && strchr(" \t\r\n", rest.at[0]) != NULL && rest.at[0] != '\0')
			mork->rest = span_from(rest, 1);
		else
			return;
	}
}

/* False: no digit stands there. */
static bool
take_number(struct mork *mork, uint32_t *number_out)
{
	uint32_t number = 0;
	size_t digits = 0;

	while (digits < mork->rest.length && ascii_hex_value(mork->rest.at[digits]) >= 0)
		number = number << 4 | (uint32_t)ascii_hex_value(mork->rest.at[digits++]);
	mork->rest = span_from(mork->rest, digits);
	*number_out = number;
	return digits > 0;
}

/* One octet of a value: "$E4" is one in hexadecimal, a backslash keeps what follows or hides a line end. */
static void
take_value_octet(struct mork *mork)
{
	struct span rest = mork->rest;
	uint8_t octet = rest.at[0];
	size_t length = 1;

	if (octet == '\\' && rest.length > 1) {
		octet = rest.at[1];
		length = octet == '\r' && rest.length > 2 && rest.at[2] == '\n' ? 3 : 2;
	} else if (octet == '$' && rest.length > 2 && ascii_hex_value(rest.at[1]) >= 0 && ascii_hex_value(rest.at[2]) >= 0) {
		octet = (uint8_t)(ascii_hex_value(rest.at[1]) << 4 | ascii_hex_value(rest.at[2]));
		length = 3;
	}
	mork->rest = span_from(rest, length);
	if (rest.at[0] != '\\' || (octet != '\n' && octet != '\r'))
		buffer_add_octet(&mork->scratch, octet);
}

/* The value up to its bracket, and past that. */
static struct span
take_value(struct mork *mork)
{
	buffer_clear(&mork->scratch);
	while (mork->rest.length > 0 && mork->rest.at[0] != ')')
		take_value_octet(mork);
	take_octet(mork, ')');
	return arena_copy(mork->arena, buffer_span(&mork->scratch));
}

/* A name that stands there itself: up to what ends one. */
static struct span
take_name(struct mork *mork)
{
	struct span rest = mork->rest;
	size_t length = 0;

	while (length < rest.length && memchr(" \t\r\n^=()[]{}<>:", rest.at[length], 16) == NULL)
		length++;
	mork->rest = span_from(rest, length);
	return span_slice(rest, 0, length);
}

/* "(81=subject)", behind the bracket. */
static void
take_alias(struct mork *mork, bool is_names)
{
	struct text *text = ARENA_NEW(mork->arena, struct text);
	uint32_t number;
	bool has_number = take_number(mork, &number);

	skip_blank(mork);
	if (!has_number || !take_octet(mork, '=')) {
		take_value(mork);
		return;
	}
	text->octets = take_value(mork);
	map_put(is_names ? mork->names : mork->values, key_of(&number), text);
	if (is_names)
		map_put(mork->columns, text->octets, (void *)((uintptr_t)number + 1));
}

/* "<(a=c)>" within a dictionary says that it is one of names. */
static bool
take_dictionary_kind(struct mork *mork)
{
	size_t end = span_find(mork->rest, '>');
	bool is_names = span_starts_with(mork->rest, SPAN("(a=c)"));

	mork->rest = span_from(mork->rest, end + 1);
	return is_names;
}

static void
take_dictionary(struct mork *mork)
{
	bool is_names = false;

	while (skip_blank(mork), mork->rest.length > 0 && !take_octet(mork, '>')) {
		if (take_octet(mork, '<'))
			is_names = take_dictionary_kind(mork);
		else if (take_octet(mork, '('))
			take_alias(mork, is_names);
		else
			mork->rest = span_from(mork->rest, 1);
	}
}

/* "^96" or "^96:c", or a name: what a column, a kind or a scope is called. */
static struct span
take_reference(struct mork *mork)
{
	uint32_t number;
	struct span name;

	if (!take_octet(mork, '^'))
		return take_name(mork);
	name = take_number(mork, &number) ? text_of(mork->names, number) : (struct span){ NULL, 0 };
	if (take_octet(mork, ':'))
		take_name(mork);
	return name;
}

/* "1:^80" or "1" in a scope that is known: *scope is what the number stands in, and *key_out both. */
static bool
take_id(struct mork *mork, struct span *scope, struct buffer *key_out, uint32_t *number_out)
{
	if (!take_number(mork, number_out))
		return false;
	if (take_octet(mork, ':'))
		*scope = take_reference(mork);
	buffer_clear(key_out);
	buffer_printf(key_out, "%x:", (unsigned)*number_out);
	buffer_add_span(key_out, *scope);
	return true;
}

/* "(^88=1)", "(^81^87)", behind the bracket.  A column that is no reference is of no interest to anybody. */
static void
take_cell(struct mork *mork, struct mork_row *row, bool is_cut)
{
	uint32_t column, number;
	struct span value = { NULL, 0 };

	if (!take_octet(mork, '^') || !take_number(mork, &column)) {
		take_value(mork);
		return;
	}
	if (take_octet(mork, ':'))
		take_name(mork);
	skip_blank(mork);
	if (take_octet(mork, '=')) {
		value = take_value(mork);
	} else {
		if (take_octet(mork, '^') && take_number(mork, &number))
			value = text_of(mork->values, number);
		take_value(mork);
	}
	mork_row_set(row, column, is_cut ? (struct span){ NULL, 0 } : value);
}

/* A row, behind its bracket; NULL: it has no number. */
static struct mork_row *
take_row(struct mork *mork, struct span scope, struct buffer *key)
{
	struct mork_row *row = NULL;
	bool is_cut, is_cell_cut = false;
	uint32_t id;

	skip_blank(mork);
	is_cut = take_octet(mork, '-');
	if (take_id(mork, &scope, key, &id)) {
		row = mork_row_get(mork->rows, buffer_span(key), id);
		row->count = is_cut ? 0 : row->count;
	}
	while (skip_blank(mork), mork->rest.length > 0 && !take_octet(mork, ']')) {
		if (take_octet(mork, '(') && row != NULL)
			take_cell(mork, row, is_cell_cut);
		else if ((is_cell_cut = take_octet(mork, '-')))
			continue;
		else if (take_octet(mork, '['))	/* what is said of the row itself */
			mork->rest = span_from(mork->rest, span_find(mork->rest, ']') + 1);
		else
			mork->rest = span_from(mork->rest, 1);
		is_cell_cut = false;
	}
	return row;
}

/* "{(k^96:c)(s=9)}": of what kind the table is. */
static void
take_table_facts(struct mork *mork, struct mork_table *table)
{
	while (skip_blank(mork), mork->rest.length > 0 && !take_octet(mork, '}')) {
		if (span_starts_with(mork->rest, SPAN("(k^"))) {
			mork->rest = span_from(mork->rest, 2);
			table->kind = take_reference(mork);
		} else {
			mork->rest = span_from(mork->rest, 1);
		}
	}
}

/* A row of the table, or its number alone, in it from now on, or not any more. */
static void
take_member(struct mork *mork, struct mork_table *table, struct span scope, struct buffer *key)
{
	bool is_cut = take_octet(mork, '-');
	struct mork_row *row = NULL;
	uint32_t id;

	skip_blank(mork);
	if (take_octet(mork, '['))
		row = take_row(mork, scope, key);
	else if (take_id(mork, &scope, key, &id))
		row = mork_row_get(mork->rows, buffer_span(key), id);
	else
		mork->rest = span_from(mork->rest, 1);
	if (row != NULL && is_cut)
		map_remove(table->rows, buffer_span(key));
	else if (row != NULL)
		map_put(table->rows, buffer_span(key), row);
}

/* A table, behind its bracket. */
static void
take_table(struct mork *mork)
{
	struct mork_table *table;
	struct buffer key = { 0 };
	struct span scope = { NULL, 0 };
	uint32_t id;
	bool is_cut;

	skip_blank(mork);
	is_cut = take_octet(mork, '-');
	if (take_id(mork, &scope, &key, &id)) {
		table = mork_table_get(mork->tables, buffer_span(&key));
		if (is_cut) {
			map_free(&table->rows);
			table->rows = map_new();
		}
		while (skip_blank(mork), mork->rest.length > 0 && !take_octet(mork, '}')) {
			if (take_octet(mork, '{'))
				take_table_facts(mork, table);
			else
				take_member(mork, table, scope, &key);
		}
	}
	buffer_free(&key);
}

/* The next "@$$}", which ends a change; the end of the text when there is none. */
static size_t
find_change_end(struct span text)
{
	for (size_t at = span_find(text, '@'); at < text.length; at += 1 + span_find(span_from(text, at + 1), '@')) {
		if (span_starts_with(span_from(text, at), SPAN("@$$}")))
			return at;
	}
	return text.length;
}

/* "@$${1A{@", where a change begins: go on behind it, or, if it was given up or cut off, behind its end. */
static void
take_change(struct mork *mork)
{
	struct span rest = mork->rest, name = span_from(rest, 4), end;
	size_t length = span_find(name, '{'), at;

	mork->rest = span_from(rest, 1);
	if (!span_starts_with(rest, SPAN("@$${")))
		return;
	name = span_slice(name, 0, length);
	at = find_change_end(rest);
	end = span_from(rest, at + 4);
	mork->rest = span_starts_with(end, name) && span_starts_with(span_from(end, length), SPAN("}@"))
	    ? span_from(rest, 4 + length + 2) : end;
}

static void
read_all(struct mork *mork)
{
	struct buffer key = { 0 };

	while (skip_blank(mork), mork->rest.length > 0) {
		if (take_octet(mork, '<'))
			take_dictionary(mork);
		else if (take_octet(mork, '{'))
			take_table(mork);
		else if (take_octet(mork, '['))
			take_row(mork, (struct span){ NULL, 0 }, &key);
		else
			take_change(mork);
	}
	buffer_free(&key);
}

struct mork *
mork_read(struct span text)
{
	struct mork *mork;

	if (!span_starts_with(text, SPAN("// <!-- <mdb:mork:z")))
		return NULL;
	mork = NEW(struct mork);
	mork->arena = arena_new();
	mork->names = map_new();
	mork->values = map_new();
	mork->columns = map_new();
	mork->tables = map_new();
	mork->rows = map_new();
	mork->rest = text;
	read_all(mork);
	return mork;
}

void
mork_free(struct mork **mork)
{
	if (*mork == NULL)
		return;
	map_free(&(*mork)->names);
	map_free(&(*mork)->values);
	map_free(&(*mork)->columns);
	mork_tables_free(&(*mork)->tables);
	mork_rows_free(&(*mork)->rows);
	arena_free(&(*mork)->arena);
	buffer_free(&(*mork)->scratch);
	free(*mork);
	*mork = NULL;
}

const struct mork_table *
mork_table(const struct mork *mork, const char *kind)
{
	size_t position = 0;
	struct span key;
	void *table;

	while (map_next(mork->tables, &position, &key, &table)) {
		if (span_equals(((struct mork_table *)table)->kind, span_from_string(kind)))
			return table;
	}
	return NULL;
}

const struct mork_row *
mork_next_row(const struct mork_table *table, size_t *position)
{
	struct span key;
	void *row;

	return map_next(table->rows, position, &key, &row) ? row : NULL;
}

uint32_t
mork_row_id(const struct mork_row *row)
{
	return row->id;
}

struct span
mork_cell(const struct mork *mork, const struct mork_row *row, const char *column)
{
	uintptr_t number = (uintptr_t)map_get(mork->columns, span_from_string(column));

	for (size_t i = 0; i < row->count; i++) {
		if ((uintptr_t)row->cells[i].column + 1 == number)
			return row->cells[i].value;
	}
	return (struct span){ NULL, 0 };
}
