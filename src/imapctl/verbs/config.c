/*
 * The verbs config show and config diff: what the files say, and what the server runs with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/ctl.h"
#include "../ctl/record.h"
#include "base/memory.h"
#include "config/config.h"
#include "control/control.h"
#include "control/words.h"
#include "verbs.h"

#define DIFFERS 1	/* as diff(1) */

struct show {
	const struct order *order;
	const struct config *config;
	const struct config *defaults;	/* what is as they have it is left out; NULL: nothing is */
	bool has_origin;
};

/* Take the line at the beginning, without its end, off a text that has lines only. */
static struct span
take_line(struct span *text)
{
	struct span line = span_slice(*text, 0, span_find(*text, '\n'));

	*text = span_from(*text, line.length + 1);
	return line;
}

/* The words behind the first one of a line, whose quotation marks are the file's. */
static void
add_value(struct buffer *out, struct span line)
{
	struct span words[CONTROL_WORDS_MAX];
	struct arena *arena = arena_new();
	size_t count = 0;

	control_split_words(line, arena, words, COUNT_OF(words), &count);
	for (size_t i = 1; i < count; i++) {
		if (i > 1)
			buffer_add_octet(out, ' ');
		buffer_add_span(out, words[i]);
	}
	arena_free(&arena);
}

static void
begin_object(struct buffer *json)
{
	buffer_add_string(json, json->at[json->length - 1] == '[' ? "{" : ",{");
}

static void
tell_line(const struct show *show, const char *name, struct span line, struct span origin)
{
	struct buffer *json = show->order->json, value = { 0 };

	if (json != NULL) {
		add_value(&value, line);
		begin_object(json);
		json_add_text(json, "name", span_from_string(name));
		json_add_text(json, "value", buffer_span(&value));
		if (show->has_origin)
			json_add_text(json, "origin", origin);
		buffer_add_octet(json, '}');
		buffer_free(&value);
	} else {
		printf("%.*s", SPAN_ARGS(line));
		if (show->has_origin)
			printf("%s# %.*s", line.length < 40 ? "\t" : " ", SPAN_ARGS(origin));
		putchar('\n');
	}
}

static void
tell_option(const struct show *show, size_t option)
{
	struct buffer text = { 0 }, usual = { 0 }, origin = { 0 };
	struct span rest;

	config_print_option(show->config, option, &text);
	if (show->defaults != NULL)
		config_print_option(show->defaults, option, &usual);
	rest = buffer_span(&text);
	if (show->defaults != NULL && span_equals(rest, buffer_span(&usual)))
		rest.length = 0;
	for (size_t line = 0; rest.length > 0; line++) {
		buffer_clear(&origin);
		config_print_origin(show->config, option, line, &origin);
		tell_line(show, config_option_name(option), take_line(&rest), buffer_span(&origin));
	}
	buffer_free(&text);
	buffer_free(&usual);
	buffer_free(&origin);
}

/* Whether the option is one of those that were asked for; without any, all are. */
static bool
is_wanted(const struct order *order, size_t option)
{
	for (size_t i = 0; i < order->word_count; i++)
		if (strcmp(order->words[i], config_option_name(option)) == 0)
			return true;
	return order->word_count == 0;
}

/* False: somebody asks for what is none, which was said. */
static bool
are_options(const struct order *order)
{
	struct buffer reason = { 0 };
	bool is_good = true;
	size_t option;

	for (size_t i = 0; i < order->word_count; i++) {
		buffer_clear(&reason);
		if (config_option_find(span_from_string(order->words[i]), &option, &reason))
			continue;
		complain("there is no option %s%s%s", order->words[i], reason.length > 0 ? "; " : "", buffer_string(&reason));
		is_good = false;
	}
	buffer_free(&reason);
	return is_good;
}

static void
show_options(struct show *show)
{
	if (show->order->json != NULL)
		buffer_add_string(show->order->json, ",\"option\":[");
	for (size_t i = 0; config_option_name(i) != NULL; i++)
		if (is_wanted(show->order, i))
			tell_option(show, i);
	if (show->order->json != NULL)
		buffer_add_octet(show->order->json, ']');
}

/* Of the three sets of settings one can be asked for. */
static bool
is_ambiguous(const struct order *order)
{
	return order_has(order, OPTION_ALL) + order_has(order, OPTION_NON_DEFAULT) + order_has(order, OPTION_DEFAULTS) > 1;
}

int
run_config_show(const struct order *order)
{
	struct config *config = NULL, *defaults = config_defaults();
	struct show show = { .order = order, .has_origin = order_has(order, OPTION_ORIGIN) };
	int code = EX_USAGE;

	if (is_ambiguous(order)) {
		complain("usage: imapctl %s %s", order->verb->name, order->verb->arguments);
	} else if (are_options(order)) {
		config = order_has(order, OPTION_DEFAULTS) ? config_defaults() : order_config(order);
		code = config == NULL ? EX_CONFIG : EX_OK;
	}
	if (code == EX_OK) {
		show.config = config;
		show.defaults = order_has(order, OPTION_NON_DEFAULT) ? defaults : NULL;
		show_options(&show);
	}
	config_free(&config);
	config_free(&defaults);
	return code;
}

/* What the server runs with, from its answer: the lines of each option. */
struct running {
	struct buffer *lines;		/* by option */
	bool *is_said_otherwise;	/* not by files, and there is nothing to compare */
};

static void
take_record(struct running *running, struct span record, struct arena *arena)
{
	struct buffer reason = { 0 };
	struct span name, line;
	size_t option;

	if (record_field(record, arena, "argument", "name", &name)) {
		if (config_option_find(name, &option, &reason))
			running->is_said_otherwise[option] = true;
	} else if (record_field(record, arena, "option", "name", &name) &&
	    record_field(record, arena, "option", "line", &line) && config_option_find(name, &option, &reason)) {
		buffer_add_span(&running->lines[option], line);
		buffer_add_octet(&running->lines[option], '\n');
	}
	buffer_free(&reason);
}

static bool
has_line(struct span text, struct span wanted)
{
	while (text.length > 0)
		if (span_equals(take_line(&text), wanted))
			return true;
	return false;
}

/* Lines of one that are not in the other, each behind a sign; or as strings of a JSON array. */
static void
add_rest(struct buffer *out, struct span one, struct span other, char sign)
{
	while (one.length > 0) {
		struct span line = take_line(&one);

		if (has_line(other, line))
			continue;
		if (sign == '\0') {
			buffer_add_string(out, out->at[out->length - 1] == '[' ? "" : ",");
			json_add_string(out, line);
		} else {
			buffer_printf(out, "%c%.*s\n", sign, SPAN_ARGS(line));
		}
	}
}

static void
tell_difference(const struct order *order, size_t option, struct span running, struct span files)
{
	bool is_late = config_option_needs_restart(option);
	struct buffer text = { 0 };

	if (order->json != NULL) {
		begin_object(order->json);
		json_add_text(order->json, "name", span_from_string(config_option_name(option)));
		buffer_add_string(order->json, ",\"running\":[");
		add_rest(order->json, running, files, '\0');
		buffer_add_string(order->json, "],\"files\":[");
		add_rest(order->json, files, running, '\0');
		buffer_add_octet(order->json, ']');
		json_add_text(order->json, "applies", is_late ? SPAN("start") : SPAN("reload"));
		buffer_add_octet(order->json, '}');
	} else {
		add_rest(&text, running, files, '-');
		add_rest(&text, files, running, '+');
		text.length--;
		printf("%.*s\t# %s\n", SPAN_ARGS(buffer_span(&text)), is_late ? "at the next start" : "imapctl reload");
		buffer_free(&text);
	}
}

/* Whether each line of one is in the other: their order says nothing. */
static bool
is_within(struct span one, struct span other)
{
	while (one.length > 0)
		if (!has_line(other, take_line(&one)))
			return false;
	return true;
}

/* Gives the exit code. */
static int
compare(const struct order *order, const struct config *config, const struct running *running)
{
	struct buffer text = { 0 };
	int code = EX_OK;

	if (order->json != NULL)
		buffer_add_string(order->json, ",\"difference\":[");
	for (size_t i = 0; config_option_name(i) != NULL; i++) {
		struct span lines = buffer_span(&running->lines[i]);

		buffer_clear(&text);
		config_print_option(config, i, &text);
		if (running->is_said_otherwise[i] || (is_within(lines, buffer_span(&text)) && is_within(buffer_span(&text), lines)))
			continue;
		tell_difference(order, i, lines, buffer_span(&text));
		code = DIFFERS;
	}
	if (order->json != NULL)
		buffer_add_octet(order->json, ']');
	buffer_free(&text);
	return code;
}

static int
ask_and_compare(const struct order *order, const struct config *config, struct ctl *ctl)
{
	const struct answer *answer = ctl_call(ctl, "config", NULL, 0, (struct span){ NULL, 0 });
	struct arena *arena = arena_new();
	struct running running;
	size_t count = 0;
	int code;

	while (config_option_name(count) != NULL)
		count++;
	running.lines = memory_new_array(count, sizeof *running.lines);
	running.is_said_otherwise = memory_new_array(count, sizeof *running.is_said_otherwise);
	for (size_t i = 0; i < answer->line_count; i++)
		take_record(&running, answer->lines[i], arena);
	code = ctl_report(answer);
	if (code == EX_OK)
		code = compare(order, config, &running);
	for (size_t i = 0; i < count; i++)
		buffer_free(&running.lines[i]);
	free(running.lines);
	free(running.is_said_otherwise);
	arena_free(&arena);
	return code;
}

int
run_config_diff(const struct order *order)
{
	struct config *config = order_config(order);
	struct ctl *ctl;
	int code;

	if (config == NULL)
		return EX_CONFIG;
	ctl = ctl_open(order, &code);
	if (ctl != NULL)
		code = ask_and_compare(order, config, ctl);
	ctl_close(&ctl);
	config_free(&config);
	return code;
}
