/*
 * The verbs log and log level: what the server has logged, what it logs, and how much.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/memory.h"
#include "verbs.h"

#define PAUSE_MS 250	/* between two questions */

/* The value of a key in a line, quotes and all; false: it has no such key. */
static bool
find_value(struct span line, struct span key, struct span *value_out)
{
	bool is_quoted = false;

	for (size_t i = 0; i + key.length + 1 < line.length; i++) {
		size_t start = i + key.length + 2, end = start;

		if (line.at[i] == '"' && (i == 0 || line.at[i - 1] != '\\'))
			is_quoted = !is_quoted;
		if (is_quoted || line.at[i] != ' ' || line.at[start - 1] != '=' ||
		    !span_equals(span_slice(line, i + 1, key.length), key))
			continue;
		if (end < line.length && line.at[end] == '"')
			for (end++; end < line.length && (line.at[end] != '"' || line.at[end - 1] == '\\');)
				end++;
		else
			end += span_find(span_from(line, end), ' ');
		*value_out = span_slice(line, start, end - start);
		return true;
	}
	return false;
}

/* Whether a line has each KEY=VALUE of --only. */
static bool
is_wanted(const struct order *order, struct span line)
{
	for (size_t i = 0; i < order->value_count; i++) {
		struct span wanted = span_from_string(order->values[i].text), value;
		size_t equals = span_find(wanted, '=');

		if (order->values[i].option != OPTION_ONLY)
			continue;
		if (!find_value(line, span_slice(wanted, 0, equals), &value))
			return false;
		if (value.length > 0 && value.at[0] == '"')
			value = span_from(value, 1);
		if (!span_equals_nocase(value, span_from(wanted, equals + 1)))
			return false;
	}
	return true;
}

/* A line is a time, a space, and the event. */
static void
add_line(struct buffer *json, struct span line, bool is_first)
{
	size_t space = span_find(line, ' ');

	buffer_add_string(json, is_first ? "{" : ",{");
	json_add_text(json, "time", span_slice(line, 0, space));
	json_add_text(json, "text", span_from(line, space + 1));
	buffer_add_octet(json, '}');
}

static void
tell_all(const struct order *order, const struct answer *answer)
{
	bool is_first = true;

	if (order->json != NULL)
		buffer_add_string(order->json, ",\"line\":[");
	for (size_t i = 0; i < answer->line_count; i++) {
		if (!is_wanted(order, answer->lines[i]))
			continue;
		if (order->json != NULL)
			add_line(order->json, answer->lines[i], is_first);
		else
			printf("%.*s\n", SPAN_ARGS(answer->lines[i]));
		is_first = false;
	}
	if (order->json != NULL)
		buffer_add_octet(order->json, ']');
}

/* Behind what was there: for a program, an object of its own for each. */
static void
tell_next(const struct order *order, struct span line)
{
	struct buffer object = { 0 };

	if (!is_wanted(order, line))
		return;
	if (order->json == NULL) {
		printf("%.*s\n", SPAN_ARGS(line));
		return;
	}
	buffer_add_string(&object, "{\"schema\":1,\"line\":[");
	add_line(&object, line, true);
	buffer_add_string(&object, "]}\n");
	fwrite(object.at, 1, object.length, stdout);
	buffer_free(&object);
}

/* Print what has come, and take the count to ask with from the record behind it. */
static void
tell_news(const struct order *order, const struct answer *answer, struct buffer *count)
{
	struct arena *arena = arena_new();
	struct span next, lost;

	for (size_t i = 0; i < answer->line_count; i++) {
		if (!record_field(answer->lines[i], arena, "next", "count", &next)) {
			tell_next(order, answer->lines[i]);
			continue;
		}
		buffer_clear(count);
		buffer_add_span(count, next);
		if (record_field(answer->lines[i], arena, "next", "lost", &lost) && !span_equals(lost, SPAN("0")))
			fprintf(stderr, "%.*s lines came too fast and are left out\n", SPAN_ARGS(lost));
	}
	arena_free(&arena);
}

static int
follow(const struct order *order, struct ctl *ctl, struct buffer *count)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 };

	for (;;) {
		const struct span word = buffer_span(count);
		const struct answer *answer = ctl_call(ctl, "log follow", &word, 1, (struct span){ NULL, 0 });

		if (answer->code != EX_OK)
			return ctl_report(answer);
		tell_news(order, answer, count);
		if (fflush(stdout) != 0) {
			complain("standard output: %s", strerror(errno));
			return EX_IOERR;
		}
		nanosleep(&pause, NULL);
	}
}

/* Ask how many lines there have been, and go on behind them, or so many before. */
static int
begin_to_follow(const struct order *order, struct ctl *ctl, struct span lines)
{
	struct span none = SPAN("18446744073709551615");
	struct buffer count = { 0 };
	uint64_t next = 0, before = 0;
	int code;

	if (lines.length > 0 && !span_to_number(lines, LOG_RECENT_MAX, &before)) {
		complain("log takes a number of lines, at most %d", LOG_RECENT_MAX);
		return EX_USAGE;
	}
	tell_news(order, ctl_call(ctl, "log follow", &none, 1, (struct span){ NULL, 0 }), &count);
	span_to_number(buffer_span(&count), UINT64_MAX, &next);
	buffer_clear(&count);
	buffer_add_number(&count, next > before ? next - before : 0);
	code = follow(order, ctl, &count);
	buffer_free(&count);
	return code;
}

static int
print_or_follow(const struct order *order, struct ctl *ctl, struct span lines)
{
	const struct answer *answer;

	if (order_has(order, OPTION_FOLLOW))
		return begin_to_follow(order, ctl, lines);
	answer = ctl_call(ctl, "log", &lines, order->word_count, (struct span){ NULL, 0 });
	tell_all(order, answer);
	return ctl_report(answer);
}

/* False: it has no key, and that was said. */
static bool
are_filters_good(const struct order *order)
{
	for (size_t i = 0; i < order->value_count; i++) {
		struct span text = span_from_string(order->values[i].text);

		if (order->values[i].option == OPTION_ONLY && (span_find(text, '=') == text.length || text.at[0] == '=')) {
			complain("--only takes KEY=VALUE, such as sid=6f1c2a9b0d3e, user=alice or ev=auth-fail");
			return false;
		}
	}
	return true;
}

int
run_log(const struct order *order)
{
	struct span word = { NULL, 0 };
	struct ctl *ctl;
	int code;

	if (!are_filters_good(order))
		return EX_USAGE;
	if (order->word_count > 0)
		word = span_from_string(order->words[0]);
	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	code = print_or_follow(order, ctl, word);
	ctl_close(&ctl);
	return code;
}

int
run_log_level(const struct order *order)
{
	struct span word;
	enum log_level level;

	if (order->word_count == 0)
		return ctl_print(order, "log level", NULL, 0);
	word = span_from_string(order->words[0]);
	if (log_find_level(word, &level))
		return ctl_print(order, "log set-level", &word, 1);
	complain("there are the levels error, warning, info and debug");
	return EX_USAGE;
}
