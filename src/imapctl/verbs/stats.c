/*
 * The verb stats: what the server does, for people: how much there is of what, how often something happens, and how long
 * commands take.  Two answers of the server make rates; without --interval, one, and the time since its start.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "../ctl/record.h"
#include "base/memory.h"
#include "control/words.h"
#include "findings.h"
#include "verbs.h"

#define BUCKETS_MAX	 32
#define INTERVAL_S_MAX	 3600
#define COMMANDS	 "imapd_command_duration_seconds"

struct series {
	struct span name, labels;
	int64_t value;			/* of a histogram: its count */
	uint64_t buckets[BUCKETS_MAX];	/* cumulative */
};

struct snapshot {
	struct arena *arena;
	struct series *at;
	size_t count;
	int64_t clock_us;		/* when */
	uint64_t bounds_us[BUCKETS_MAX];
	size_t bound_count;
};

static const struct span nothing = { NULL, 0 };

static struct span
field(struct snapshot *snapshot, struct span line, const char *kind, const char *key)
{
	struct span value;

	return record_field(line, snapshot->arena, kind, key, &value) ? value : nothing;
}

static int64_t
number(struct span text)
{
	uint64_t value = 0;

	span_to_number(text, INT64_MAX, &value);
	return (int64_t)value;
}

/* "12 14 14" */
static size_t
read_numbers(struct span text, uint64_t numbers_out[BUCKETS_MAX])
{
	size_t count = 0;

	while (text.length > 0 && count < BUCKETS_MAX) {
		size_t space = span_find(text, ' ');

		numbers_out[count++] = (uint64_t)number(span_slice(text, 0, space));
		text = span_from(text, space + 1);
	}
	return count;
}

static void
take_line(struct snapshot *snapshot, struct span line)
{
	const char *kind = span_starts_with(line, SPAN("histogram ")) ? "histogram" : "series";
	struct series series = { .name = field(snapshot, line, kind, "name"), .labels = field(snapshot, line, kind, "labels") };
	struct span value = field(snapshot, line, kind, "value");

	if (series.name.length == 0) {
		snapshot->clock_us = number(field(snapshot, line, "moment", "clock-us"));
		snapshot->bound_count = read_numbers(field(snapshot, line, "moment", "bounds-us"), snapshot->bounds_us);
		return;
	}
	if (value.length == 0)
		value = field(snapshot, line, kind, kind[0] == 'h' ? "count" : "value-us");
	series.value = number(value);
	read_numbers(field(snapshot, line, kind, "buckets"), series.buckets);
	snapshot->at[snapshot->count++] = series;
}

static int
take(struct ctl *ctl, struct snapshot *snapshot)
{
	const struct answer *answer = ctl_call(ctl, "stats", NULL, 0, nothing);

	if (answer->code != EX_OK)
		return ctl_report(answer);
	snapshot->arena = arena_new();
	snapshot->at = memory_new_array(answer->line_count + 1, sizeof snapshot->at[0]);
	for (size_t i = 0; i < answer->line_count; i++)
		take_line(snapshot, arena_copy(snapshot->arena, answer->lines[i]));
	return EX_OK;
}

static void
snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->at);
	arena_free(&snapshot->arena);
}

static bool
has_label(struct span labels, const char *label)
{
	return label[0] == '\0' || memmem(labels.at, labels.length, label, strlen(label)) != NULL;
}

/* Of all series of a name that have a label, "result=ok". */
static int64_t
sum(const struct snapshot *snapshot, const char *name, const char *label)
{
	int64_t total = 0;

	for (size_t i = 0; i < snapshot->count; i++)
		if (span_equals(snapshot->at[i].name, span_from_string(name)) && has_label(snapshot->at[i].labels, label))
			total += snapshot->at[i].value;
	return total;
}

static const struct series *
find(const struct snapshot *snapshot, const struct series *like)
{
	static const struct series none;

	for (size_t i = 0; i < snapshot->count; i++)
		if (span_equals(snapshot->at[i].name, like->name) && span_equals(snapshot->at[i].labels, like->labels))
			return &snapshot->at[i];
	return &none;
}

static double
seconds_between(const struct snapshot *before, const struct snapshot *now)
{
	double seconds = (double)(now->clock_us - before->clock_us) / 1e6;

	return seconds > 0 ? seconds : 1;
}

static void
add_decimal(struct buffer *line, const char *key, double value)
{
	buffer_printf(line, " %s:=%.1f", key, value);
}

static void
tell_period(const struct snapshot *before, const struct snapshot *now, struct findings *findings)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("period"));
	control_add_field(&line, "from", before->arena == NULL ? SPAN("start") : SPAN("interval"));
	add_decimal(&line, "seconds", seconds_between(before, now));
	findings_add(findings, &line);
	buffer_free(&line);
}

static const struct {
	const char *what, *name, *label;
	int64_t unit;
} amounts[] = {
	{ "sessions", "imapd_connections_active", "role=cas,state=authenticated", 1 },
	{ "not logged in", "imapd_connections_active", "role=cas,state=prelogin", 1 },
	{ "mailbox selected", "imapd_connections_active", "state=selected", 1 },
	{ "in IDLE", "imapd_connections_active", "state=idle", 1 },
	{ "deliveries under way", "imapd_connections_active", "state=lmtp", 1 },
	{ "open files of users", "imapd_db_open", "", 1 },
	{ "problems", "imapd_problems", "", 1 },
	{ "MiB of memory", "process_resident_memory_bytes", "", 1 << 20 },
	{ "MiB free for mail", "imapd_storage_free_bytes", "", 1 << 20 },
};

static void
tell_amounts(const struct snapshot *now, struct findings *findings)
{
	struct buffer line = { 0 };

	for (size_t i = 0; i < COUNT_OF(amounts); i++) {
		control_add_word(&line, SPAN("amount"));
		control_add_field(&line, "what", span_from_string(amounts[i].what));
		control_add_number(&line, "now", sum(now, amounts[i].name, amounts[i].label) / amounts[i].unit);
		findings_add(findings, &line);
	}
	buffer_free(&line);
}

static const struct {
	const char *what, *name, *label;
} rates[] = {
	{ "connections", "imapd_connections_total", "role=cas" },
	{ "logins", "imapd_logins_total", "result=ok" },
	{ "logins that failed", "imapd_logins_total", "result=failed" },
	{ "logins nobody could check", "imapd_logins_total", "result=unavailable" },
	{ "commands", "imapd_commands_total", "" },
	{ "commands refused", "imapd_commands_total", "result=no" },
	{ "bad commands", "imapd_commands_total", "result=bad" },
	{ "messages appended", "imapd_append_total", "result=ok" },
	{ "messages delivered", "imapd_lmtp_deliveries_total", "result=ok" },
	{ "deliveries put off", "imapd_lmtp_deliveries_total", "result=temporary" },
	{ "commits", "imapd_commit_duration_seconds", "" },
	{ "database errors", "imapd_db_errors_total", "" },
	{ "limits met", "imapd_limit_hits_total", "" },
	{ "octets received", "imapd_received_bytes_total", "" },
	{ "octets sent", "imapd_sent_bytes_total", "" },
	{ "found in memory", "imapd_cache_requests_total", "result=hit" },
	{ "not found in memory", "imapd_cache_requests_total", "result=miss" },
};

static void
tell_rates(const struct snapshot *before, const struct snapshot *now, struct findings *findings)
{
	struct buffer line = { 0 };

	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		int64_t count = sum(now, rates[i].name, rates[i].label) - sum(before, rates[i].name, rates[i].label);

		control_add_word(&line, SPAN("rate"));
		control_add_field(&line, "what", span_from_string(rates[i].what));
		control_add_number(&line, "count", count);
		add_decimal(&line, "per-second", (double)count / seconds_between(before, now));
		findings_add(findings, &line);
	}
	buffer_free(&line);
}

/* What so many of a hundred have taken at most, in milliseconds; within a bucket, as if they were spread evenly. */
static double
percentile_ms(const struct snapshot *now, const uint64_t *before, const uint64_t *buckets, double part)
{
	size_t last = now->bound_count;
	double wanted = part * (double)(buckets[last] - before[last]), below = 0, low_us = 0;

	for (size_t i = 0; i < last; i++) {
		double count = (double)(buckets[i] - before[i]);

		if (count >= wanted && count > below)
			return (low_us + ((double)now->bounds_us[i] - low_us) * (wanted - below) / (count - below)) / 1000;
		below = count;
		low_us = (double)now->bounds_us[i];
	}
	return low_us / 1000;		/* or longer */
}

static void
tell_command(const struct snapshot *before, const struct snapshot *now, const struct series *series,
    struct findings *findings)
{
	const struct series *earlier = find(before, series);
	int64_t count = series->value - earlier->value;
	struct buffer line = { 0 };

	if (count == 0)
		return;
	control_add_word(&line, SPAN("command"));
	control_add_field(&line, "command", span_from(series->labels, sizeof "command=" - 1));
	control_add_number(&line, "count", count);
	add_decimal(&line, "per-second", (double)count / seconds_between(before, now));
	add_decimal(&line, "p50-ms", percentile_ms(now, earlier->buckets, series->buckets, 0.5));
	add_decimal(&line, "p99-ms", percentile_ms(now, earlier->buckets, series->buckets, 0.99));
	findings_add(findings, &line);
	buffer_free(&line);
}

static void
tell(const struct order *order, const struct snapshot *before, const struct snapshot *now)
{
	struct findings findings = { .arena = NULL };

	tell_period(before, now, &findings);
	tell_amounts(now, &findings);
	tell_rates(before, now, &findings);
	for (size_t i = 0; i < now->count; i++)
		if (span_equals(now->at[i].name, SPAN(COMMANDS)))
			tell_command(before, now, &now->at[i], &findings);
	records_print(order, &findings.answer);
	findings_free(&findings);
}

/* Nothing, at the start of the process. */
static void
begin_at_start(struct snapshot *before, const struct snapshot *now)
{
	struct timespec clock;
	int64_t now_us, began_us = sum(now, "process_start_time_seconds", "");

	clock_gettime(CLOCK_REALTIME, &clock);
	now_us = (int64_t)clock.tv_sec * 1000000 + clock.tv_nsec / 1000;
	before->clock_us = now->clock_us - (now_us - began_us);
}

static int
compare(const struct order *order, struct ctl *ctl, uint64_t interval_s)
{
	struct snapshot before = { .arena = NULL }, now = { .arena = NULL };
	struct timespec pause = { .tv_sec = (time_t)interval_s };
	int code = EX_OK;

	if (interval_s > 0 && (code = take(ctl, &before)) == EX_OK)
		nanosleep(&pause, NULL);
	if (code == EX_OK)
		code = take(ctl, &now);
	if (code == EX_OK && interval_s == 0)
		begin_at_start(&before, &now);
	if (code == EX_OK)
		tell(order, &before, &now);
	snapshot_free(&before);
	snapshot_free(&now);
	return code;
}

int
run_stats(const struct order *order)
{
	const char *interval = order_value(order, OPTION_INTERVAL);
	uint64_t interval_s = 0;
	struct ctl *ctl;
	int code;

	if (interval != NULL && (!span_to_number(span_from_string(interval), INTERVAL_S_MAX, &interval_s) || interval_s == 0)) {
		complain("--interval takes a number of seconds from 1 to %d", INTERVAL_S_MAX);
		return EX_USAGE;
	}
	if ((ctl = ctl_open(order, &code)) == NULL)
		return code;
	code = compare(order, ctl, interval_s);
	ctl_close(&ctl);
	return code;
}
