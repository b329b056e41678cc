/*
 * The verbs who and kick: who is logged in, in an order, in numbers, or sent away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "../ctl/table.h"
#include "../ctl/terminal.h"
#include "base/arena.h"
#include "base/memory.h"
#include "config/config.h"
#include "control/words.h"
#include "verbs.h"

#define WORDS_MAX 4	/* of a request */
#define CLIENT_MAX 40	/* columns, of the client's own words */

enum column { USER, ADDRESS, CLIENT, STATE, IN, OUT, AGE, SID, COLUMN_COUNT };
enum field { IDLE = COLUMN_COUNT, TLS, COMMAND, BUSY, FIELD_COUNT };

/* Of the records, in the order of the enums. */
static const char *const keys[FIELD_COUNT + 1] = { "user", "address", "client", "state", "in", "out", "seconds", "sid",
	"idle", "tls", "command", "busy", NULL };

static const char *const titles[COLUMN_COUNT] = { "user", "address", "client", "state", "in", "out", "age", "sid" };

/* Words of --sort and --by. */
static const struct {
	const char *word;
	unsigned field;
	bool is_number, is_group;
} orders[] = {
	{ "user", USER, false, true },
	{ "address", ADDRESS, false, true },
	{ "client", CLIENT, false, true },
	{ "state", STATE, false, true },
	{ "tls", TLS, false, true },
	{ "age", AGE, true, false },
	{ "idle", IDLE, true, false },
	{ "in", IN, true, false },
	{ "out", OUT, true, false },
};

struct row {
	struct span line;		/* the whole record */
	struct span fields[FIELD_COUNT];
	struct span key;		/* what it is sorted by */
	uint64_t number;		/* the same, when that is one */
};

/* The list as it came, its rows in the order wanted. */
struct table {
	struct arena *arena;
	struct row *rows;
	size_t count;
};

static void
read_rows(struct table *table, const struct answer *answer)
{
	table->rows = memory_new_array(answer->line_count + 1, sizeof *table->rows);
	for (size_t i = 0; i < answer->line_count; i++) {
		struct row *row = &table->rows[table->count];

		row->line = answer->lines[i];
		table->count += record_fields(row->line, table->arena, "session", keys, row->fields);
	}
}

static int
compare(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	if (one->number != other->number)
		return one->number > other->number ? -1 : 1;
	return span_compare(one->key, other->key);
}

static void
sort(struct table *table, size_t order)
{
	for (size_t i = 0; i < table->count; i++) {
		struct row *row = &table->rows[i];

		row->number = 0;
		row->key = row->fields[orders[order].field];
		if (orders[order].is_number)
			span_to_number(row->key, UINT64_MAX, &row->number);
	}
	qsort(table->rows, table->count, sizeof *table->rows, compare);
}

/* "1.2K": at most four characters. */
static struct span
short_number(struct arena *arena, struct span digits, const char *units, unsigned step)
{
	struct buffer text = { 0 };
	uint64_t number = 0, rest = 0;
	struct span copy;

	span_to_number(digits, UINT64_MAX, &number);
	while (number >= 1000 && units[1] != '\0') {
		rest = number % step * 10 / step;
		number /= step;
		units++;
	}
	buffer_add_number(&text, number);
	if (number < 10 && rest > 0)
		buffer_printf(&text, ".%u", (unsigned)rest);
	if (*units != ' ')
		buffer_add_octet(&text, (uint8_t)*units);
	copy = arena_copy(arena, buffer_span(&text));
	buffer_free(&text);
	return copy;
}

/* "59s", "59m", "47h", "99d" */
static struct span
short_age(struct arena *arena, struct span digits)
{
	static const struct { uint64_t below, unit; char letter; } units[] = {
		{ 60, 1, 's' }, { 3600, 60, 'm' }, { 48 * 3600, 3600, 'h' }, { UINT64_MAX, 86400, 'd' },
	};
	struct buffer text = { 0 };
	uint64_t seconds = 0;
	struct span copy;
	size_t i = 0;

	span_to_number(digits, UINT64_MAX, &seconds);
	while (seconds >= units[i].below)
		i++;
	buffer_printf(&text, "%llu%c", (unsigned long long)(seconds / units[i].unit), units[i].letter);
	copy = arena_copy(arena, buffer_span(&text));
	buffer_free(&text);
	return copy;
}

/* As people read it: the command under way says more than the state. */
static void
shorten(struct table *table, struct row *row)
{
	struct span *fields = row->fields;

	if (span_equals(fields[BUSY], SPAN("yes")) && !span_equals(fields[STATE], SPAN("idle")))
		fields[STATE] = fields[COMMAND];
	else if (span_equals(fields[STATE], SPAN("authenticated")))
		fields[STATE] = SPAN("logged in");
	else if (span_equals(fields[STATE], SPAN("not authenticated")))
		fields[STATE] = SPAN("no login");
	fields[IN] = short_number(table->arena, fields[IN], " KMGTPE", 1024);
	fields[OUT] = short_number(table->arena, fields[OUT], " KMGTPE", 1024);
	fields[AGE] = short_age(table->arena, fields[AGE]);
}

/* Take from a column what is too much, but leave it so many. */
static void
narrow(size_t widths[COLUMN_COUNT], enum column column, size_t least, size_t *too_much)
{
	size_t spare = widths[column] > least ? widths[column] - least : 0;

	if (spare > *too_much)
		spare = *too_much;
	widths[column] -= spare;
	*too_much -= spare;
}

/* On a terminal the table has no more columns than that; elsewhere all stays whole but for what a client
 * says of itself, which may be very long. */
static void
find_widths(const struct table *table, size_t widths[COLUMN_COUNT])
{
	size_t total = COLUMN_COUNT - 1, limit = terminal_width(), too_much = 0;

	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		widths[i] = text_width(span_from_string(titles[i]));
		for (size_t j = 0; j < table->count; j++) {
			if (text_width(table->rows[j].fields[i]) > widths[i])
				widths[i] = text_width(table->rows[j].fields[i]);
		}
		total += widths[i];
	}
	if (limit == 0) {
		too_much = widths[CLIENT] > CLIENT_MAX ? widths[CLIENT] - CLIENT_MAX : 0;
		narrow(widths, CLIENT, CLIENT_MAX, &too_much);
		return;
	}
	too_much = total > limit ? total - limit : 0;
	narrow(widths, CLIENT, 8, &too_much);
	narrow(widths, USER, 10, &too_much);
	narrow(widths, ADDRESS, 15, &too_much);
	narrow(widths, USER, 4, &too_much);
}

/* So many columns of it, and a mark when it is cut. */
static void
print_cell(struct span text, size_t width, bool is_last)
{
	size_t shown = text_width(text), length = 0;

	if (shown > width) {
		for (shown = 0; length < text.length && shown + 1 < width; shown++)
			for (length++; length < text.length && (text.at[length] & 0xc0) == 0x80;)
				length++;
		printf("%.*s~", (int)length, (const char *)text.at);
		shown++;
	} else {
		printf("%.*s", SPAN_ARGS(text));
	}
	printf("%*s", is_last ? 0 : (int)(width - shown) + 1, "");
}

static void
print_row(const struct span *fields, const size_t *widths)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		print_cell(fields[i], widths[i], i + 1 == COLUMN_COUNT);
	putchar('\n');
}

static void
print_table(struct table *table)
{
	struct span head[COLUMN_COUNT];
	size_t widths[COLUMN_COUNT];

	if (table->count == 0)
		return;
	for (size_t i = 0; i < table->count; i++)
		shorten(table, &table->rows[i]);
	find_widths(table, widths);
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		head[i] = span_from_string(titles[i]);
	print_row(head, widths);
	for (size_t i = 0; i < table->count; i++)
		print_row(table->rows[i].fields, widths);
}

static void
print_lines(const struct order *order, struct span *lines, size_t count)
{
	records_print(order, &(struct answer){ .lines = lines, .line_count = count });
}

/* Records of our own: of each value of the field, how many there are; the most come first. */
static void
print_groups(const struct order *order, struct table *table, size_t by)
{
	struct row *groups = memory_new_array(table->count + 1, sizeof *groups);
	struct span *lines = memory_new_array(table->count + 1, sizeof *lines);
	size_t count = 0;

	sort(table, by);
	for (size_t i = 0; i < table->count; i++) {
		struct span key = table->rows[i].key;

		if (count == 0 || !span_equals(groups[count - 1].key, key))
			groups[count++].key = key;
		groups[count - 1].number++;
	}
	qsort(groups, count, sizeof *groups, compare);
	for (size_t i = 0; i < count; i++) {
		struct buffer line = { 0 };

		control_add_word(&line, SPAN("group"));
		control_add_field(&line, orders[by].word, groups[i].key);
		control_add_number(&line, "sessions", (int64_t)groups[i].number);
		lines[i] = arena_copy(table->arena, buffer_span(&line));
		buffer_free(&line);
	}
	print_lines(order, lines, count);
	free(lines);
	free(groups);
}

static void
print_sorted(const struct order *order, struct table *table)
{
	struct span *lines = memory_new_array(table->count + 1, sizeof *lines);

	for (size_t i = 0; i < table->count; i++)
		lines[i] = table->rows[i].line;
	if (order->json != NULL)
		print_lines(order, lines, table->count);
	else
		print_table(table);
	free(lines);
}

/* False: the word is none of the table, and that was said.  SIZE_MAX: the option was not given. */
static bool
find_order(const struct order *order, enum order_option option, size_t *order_out)
{
	const char *word = order_value(order, option);
	bool is_by = option == OPTION_BY;

	*order_out = SIZE_MAX;
	if (word == NULL)
		return true;
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		bool is_known = is_by ? orders[i].is_group : orders[i].field != TLS;

		if (is_known && span_equals(span_from_string(orders[i].word), span_from_string(word)))
			*order_out = i;
	}
	if (*order_out == SIZE_MAX)
		complain("--%s=%s: there are %s", is_by ? "by" : "sort", word,
		    is_by ? "user, address, client, state and tls" : "user, address, client, state, age, idle, in and out");
	return *order_out != SIZE_MAX;
}

static size_t
request_words(const struct order *order, struct buffer *client, struct span words[WORDS_MAX])
{
	size_t count = 1;

	words[0] = order->word_count > 0 ? span_from_string(order->words[0]) : SPAN("");
	if (order_has(order, OPTION_STRANGERS))
		words[count++] = SPAN("strangers");
	if (order_has(order, OPTION_COUNTED))
		words[count++] = SPAN("count");
	if (order_has(order, OPTION_CLIENT)) {
		buffer_printf(client, "client=%s", order_value(order, OPTION_CLIENT));
		words[count++] = buffer_span(client);
	}
	return count;
}

static void
print_answer(const struct order *order, const struct answer *answer, size_t sorted, size_t by)
{
	struct table table = { .arena = arena_new() };
	struct span count;

	read_rows(&table, answer);
	if (sorted != SIZE_MAX)
		sort(&table, sorted);
	if (by != SIZE_MAX)
		print_groups(order, &table, by);
	else if (!order_has(order, OPTION_COUNTED))
		print_sorted(order, &table);
	else if (order->json != NULL)
		records_print(order, answer);
	else if (answer->line_count > 0 && record_field(answer->lines[0], table.arena, "count", "sessions", &count))
		printf("%.*s\n", SPAN_ARGS(count));
	free(table.rows);
	arena_free(&table.arena);
}

int
run_who(const struct order *order)
{
	struct span words[WORDS_MAX];
	struct buffer client = { 0 };
	const struct answer *answer;
	size_t sorted, by;
	struct ctl *ctl;
	int code;

	if (order_has(order, OPTION_BY) && order_has(order, OPTION_COUNTED)) {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
		return EX_USAGE;
	}
	if (!find_order(order, OPTION_SORT, &sorted) || !find_order(order, OPTION_BY, &by))
		return EX_USAGE;
	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	answer = ctl_call(ctl, "who", words, request_words(order, &client, words), (struct span){ NULL, 0 });
	if ((code = ctl_report(answer)) == EX_OK)
		print_answer(order, answer, sorted, by);
	ctl_close(&ctl);
	buffer_free(&client);
	return code;
}

/* A network may be everybody. */
static bool
is_network(struct span word)
{
	struct config_network network;

	return span_find(word, '/') < word.length && config_network_parse(word, &network);
}

int
run_kick(const struct order *order)
{
	const struct span word = span_from_string(order->words[0]);
	char question[160];
	int code;

	snprintf(question, sizeof question, "End the sessions of all clients in %.80s?", order->words[0]);
	if (is_network(word) && (code = ctl_confirm(order, "kick", question)) != EX_OK)
		return code;
	return ctl_print(order, "kick", &word, 1);
}
