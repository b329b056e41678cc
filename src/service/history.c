/*
 * The last hour in samples, so that the page's charts are full when somebody opens it: what was counted until then, and how
 * many clients there were.  A ring of some 270 KB, there as long as there is a page.  Loop thread.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/memory.h"
#include "control/words.h"
#include "internal.h"

#define EVERY_MS 5000
#define KEPT	 720		/* an hour */
#define SLICE	 60		/* told in a turn */

enum figure { ANSWERED, NOT_OK, LOGINS, LOGINS_FAILED, CLIENTS, SESSIONS, IDLE, OUT, IN, FIGURE_COUNT };

static const char *const figure_names[FIGURE_COUNT] = { "answered", "not-ok", "logins", "logins-failed", "clients", "sessions", "idle", "out", "in" };

struct sample {
	uint64_t clock_us;
	uint64_t figures[FIGURE_COUNT];
	uint64_t commands[METRIC_BOUNDS + 1], commits[METRIC_BOUNDS + 1];	/* cumulative, as imapd-metrics(7) has them */
};

struct history {
	struct service *service;
	struct timer timer;
	struct sample samples[KEPT];
	size_t next, count;
};

static bool
is_of(const struct metrics_series *series, enum metric metric)
{
	return series->row == &metric_rows[metric];
}

static bool
is_value(const struct metrics_series *series, size_t label, const char *value)
{
	return series->values[label] != NULL && strcmp(series->values[label], value) == 0;
}

static void
add_buckets(uint64_t *sums, const struct metrics_series *series)
{
	for (size_t i = 0; i <= METRIC_BOUNDS; i++)
		sums[i] += series->buckets[i];
}

static void
add_connections(struct sample *sample, const struct metrics_series *series)
{
	uint64_t value = (uint64_t)series->value;

	if (is_value(series, 0, "cas"))
		sample->figures[CLIENTS] += value;
	else if (!is_value(series, 1, "lmtp"))
		sample->figures[SESSIONS] += value;
	if (is_value(series, 1, "idle"))
		sample->figures[IDLE] += value;
}

static void
add_series(const struct metrics_series *series, void *context)
{
	struct sample *sample = context;
	uint64_t value = (uint64_t)series->value;

	if (is_of(series, METRIC_COMMANDS)) {
		sample->figures[ANSWERED] += value;
		sample->figures[NOT_OK] += is_value(series, 1, "ok") ? 0 : value;
	} else if (is_of(series, METRIC_LOGINS)) {
		sample->figures[is_value(series, 1, "ok") ? LOGINS : LOGINS_FAILED] += value;
	} else if (is_of(series, METRIC_CONNECTIONS_ACTIVE)) {
		add_connections(sample, series);
	} else if (is_of(series, METRIC_SENT)) {
		sample->figures[OUT] += value;
	} else if (is_of(series, METRIC_RECEIVED)) {
		sample->figures[IN] += value;
	} else if (is_of(series, METRIC_COMMAND_DURATION)) {
		add_buckets(sample->commands, series);
	} else if (is_of(series, METRIC_COMMIT_DURATION)) {
		add_buckets(sample->commits, series);
	}
}

static void
take_sample(void *context)
{
	struct history *history = context;
	struct sample *sample = &history->samples[history->next];
	struct metrics_report *report = metrics_report_new();

	memset(sample, 0, sizeof *sample);
	sample->clock_us = clock_monotonic_us();
	measures_add(history->service, report);
	metrics_walk(report, add_series, sample);
	metrics_report_free(&report);
	if (!history->service->roles[ROLE_CAS].is_played)
		sample->figures[CLIENTS] = sample->figures[SESSIONS];
	history->next = (history->next + 1) % KEPT;
	history->count += history->count < KEPT;
	timer_start_ms(&history->timer, EVERY_MS);
}

void
history_begin(struct service *service)
{
	struct history *history;

	if (service->history != NULL)
		return;
	history = service->history = NEW(struct history);
	history->service = service;
	timer_init(&history->timer, service->loop, take_sample, history);
	take_sample(history);
}

void
history_end(struct service *service)
{
	if (service->history != NULL)
		timer_stop(&service->history->timer);
	free(service->history);
	service->history = NULL;
}

/* What is told, to somebody who knows all up to a moment. */
struct telling {
	struct service *service;
	struct control_call *call;
	uint64_t after_us;
};

static void
add_list(struct buffer *line, const char *key, const uint64_t *numbers, size_t count)
{
	struct buffer text = { 0 };

	for (size_t i = 0; i < count; i++)
		buffer_printf(&text, "%s%llu", i > 0 ? " " : "", (unsigned long long)numbers[i]);
	control_add_field(line, key, buffer_span(&text));
	buffer_free(&text);
}

static void
tell_sample(struct control_call *call, const struct sample *sample)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("sample"));
	control_add_number(&line, "clock-us", (int64_t)sample->clock_us);
	for (size_t i = 0; i < FIGURE_COUNT; i++)
		control_add_number(&line, figure_names[i], (int64_t)sample->figures[i]);
	add_list(&line, "commands", sample->commands, METRIC_BOUNDS + 1);
	add_list(&line, "commits", sample->commits, METRIC_BOUNDS + 1);
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
}

/* In slices; what comes meanwhile takes the place of what is oldest, so they are found by their time. */
static void
go_on(struct control_call *call, void *context)
{
	struct telling *telling = context;
	const struct history *history = telling->service->history;
	unsigned told = 0;

	for (size_t i = 0; history != NULL && i < history->count && !control_call_is_gone(call); i++) {
		const struct sample *sample = &history->samples[(history->next + KEPT - history->count + i) % KEPT];

		if (sample->clock_us <= telling->after_us)
			continue;
		if (told++ == SLICE) {
			control_when_room(call, go_on, telling);
			return;
		}
		tell_sample(call, sample);
		telling->after_us = sample->clock_us;
	}
	control_finish(call, EX_OK, NULL);
}

/* What time it is by the clock of the samples, and up to where each bucket goes. */
static void
tell_moment(struct control_call *call)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("moment"));
	control_add_number(&line, "clock-us", (int64_t)clock_monotonic_us());
	control_add_number(&line, "every-ms", EVERY_MS);
	add_list(&line, "bounds-us", metric_bounds_us, METRIC_BOUNDS);
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
}

static void
on_history(struct control_call *call, void *context)
{
	struct telling *telling = control_call_memory(call, sizeof *telling);

	*telling = (struct telling){ .service = context, .call = call };
	if (control_call_count(call) > 0 && !span_to_number(control_call_word(call, 0), INT64_MAX, &telling->after_us)) {
		control_finish(call, EX_USAGE, "history takes the clock-us of the last sample that is known");
		return;
	}
	tell_moment(call);
	go_on(call, telling);
}

void
history_register(struct service *service)
{
	control_register(service->control, "history", CONTROL_VIEW, on_history, service);
}
