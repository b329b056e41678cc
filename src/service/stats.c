/*
 * All metrics for whoever asks: the verbs metrics, as Prometheus reads them, and stats, as records.  What is on the
 * loop is told there; looking at the disk and writing the text is a job, of which each form has one at most under way:
 * a storm of questions costs as much as one.  Loop thread, but for work().
 */
#include <stdlib.h>
#include <sysexits.h>

#include "auth/sasl.h"
#include "base/clock.h"
#include "base/memory.h"
#include "control/words.h"
#include "imap/command.h"
#include "internal.h"

#define LAG_PROBE_MS 1000

struct scrape {
	struct list link;
	struct job job;
	struct service *service;
	enum stats_form form;
	struct list waits;		/* struct wait */
	struct metrics_report *report;
	const char *data_directory;	/* copied */
	struct buffer text;
};

struct wait {
	struct list link;
	stats_ready *on_ready;
	void *context;
};

/* A record: series name=imapd_logins_total labels="mech=PLAIN,result=ok" value:=12 */
static void
begin_record(struct buffer *line, const char *kind, const struct metrics_series *series)
{
	struct buffer labels = { 0 };

	control_add_word(line, span_from_string(kind));
	control_add_field(line, "name", span_from_string(series->row->name));
	for (size_t i = 0; i < METRIC_LABELS_MAX && series->row->labels[i] != NULL; i++)
		buffer_printf(&labels, "%s%s=%s", i > 0 ? "," : "", series->row->labels[i]->name, series->values[i]);
	control_add_field(line, "labels", buffer_span(&labels));
	buffer_free(&labels);
}

static void
add_histogram(struct buffer *line, const struct metrics_series *series)
{
	struct buffer counts = { 0 };

	for (size_t i = 0; i <= METRIC_BOUNDS; i++)
		buffer_printf(&counts, "%s%llu", i > 0 ? " " : "", (unsigned long long)series->buckets[i]);
	control_add_number(line, "count", (int64_t)series->buckets[METRIC_BOUNDS]);
	control_add_number(line, "sum-us", (int64_t)series->sum_us);
	control_add_field(line, "buckets", buffer_span(&counts));
	buffer_free(&counts);
}

static void
add_series(const struct metrics_series *series, void *context)
{
	struct buffer line = { 0 };
	bool is_histogram = series->row->kind == METRIC_HISTOGRAM;

	begin_record(&line, is_histogram ? "histogram" : "series", series);
	if (is_histogram)
		add_histogram(&line, series);
	else
		control_add_number(&line, series->row->is_us ? "value-us" : "value", series->value);
	buffer_add_octet(&line, '\n');
	buffer_add_span(context, buffer_span(&line));
	buffer_free(&line);
}

/* When this was, so that two of them make a rate; and up to where each bucket of a histogram goes. */
static void
write_records(const struct scrape *scrape, struct buffer *out)
{
	struct buffer line = { 0 }, bounds = { 0 };

	for (size_t i = 0; i < METRIC_BOUNDS; i++)
		buffer_printf(&bounds, "%s%llu", i > 0 ? " " : "", (unsigned long long)metric_bounds_us[i]);
	control_add_word(&line, SPAN("moment"));
	status_add_time(&line, "time", clock_calendar_s());
	control_add_number(&line, "clock-us", (int64_t)clock_monotonic_us());
	control_add_field(&line, "bounds-us", buffer_span(&bounds));
	buffer_add_octet(&line, '\n');
	buffer_add_span(out, buffer_span(&line));
	metrics_walk(scrape->report, add_series, out);
	buffer_free(&line);
	buffer_free(&bounds);
}

static void
work(struct job *job)
{
	struct scrape *scrape = CONTAINER_OF(job, struct scrape, job);

	measures_add_process(scrape->data_directory, scrape->report);
	if (scrape->form == STATS_RECORDS)
		write_records(scrape, &scrape->text);
	else
		metrics_write(scrape->report,
		    scrape->form == STATS_OPENMETRICS ? METRICS_OPENMETRICS : METRICS_PROMETHEUS, &scrape->text);
}

static void
on_done(struct job *job)
{
	struct scrape *scrape = CONTAINER_OF(job, struct scrape, job);

	scrape->service->jobs--;
	list_remove(&scrape->link);
	LIST_FOREACH(&scrape->waits, link) {
		struct wait *wait = LIST_ENTRY(link, struct wait, link);

		list_remove(link);
		wait->on_ready(buffer_span(&scrape->text), wait->context);
		free(wait);
	}
	metrics_report_free(&scrape->report);
	buffer_free(&scrape->text);
	free((void *)scrape->data_directory);
	free(scrape);
}

static struct scrape *
find(struct service *service, enum stats_form form)
{
	LIST_FOREACH(&service->scrapes, link) {
		struct scrape *scrape = LIST_ENTRY(link, struct scrape, link);

		if (scrape->form == form)
			return scrape;
	}
	return NULL;
}

static struct scrape *
begin(struct service *service, enum stats_form form)
{
	struct scrape *scrape = NEW(struct scrape);

	scrape->service = service;
	scrape->form = form;
	list_init(&scrape->waits);
	list_push_back(&service->scrapes, &scrape->link);
	scrape->data_directory = memory_copy_string(service->config->data_directory);
	scrape->report = metrics_report_new();
	measures_add(service, scrape->report);
	scrape->job.work = work;
	scrape->job.done = on_done;
	service->jobs++;
	workers_submit(service->reports, &scrape->job);
	return scrape;
}

void
stats_ask(struct service *service, enum stats_form form, stats_ready *on_ready, void *context)
{
	struct scrape *scrape = find(service, form);
	struct wait *wait = NEW(struct wait);

	if (scrape == NULL)
		scrape = begin(service, form);
	wait->on_ready = on_ready;
	wait->context = context;
	list_push_back(&scrape->waits, &wait->link);
}

static void
reply(struct span text, void *context)
{
	while (text.length > 0) {
		size_t end = span_find(text, '\n');

		control_reply(context, span_slice(text, 0, end));
		text = span_from(text, end + 1);
	}
	control_finish(context, EX_OK, NULL);
}

static void
on_metrics(struct control_call *call, void *context)
{
	stats_ask(context, STATS_PROMETHEUS, reply, call);
}

static void
on_stats(struct control_call *call, void *context)
{
	stats_ask(context, STATS_RECORDS, reply, call);
}

void
stats_register(struct service *service)
{
	control_register(service->control, "metrics", CONTROL_VIEW, on_metrics, service);
	control_register(service->control, "stats", CONTROL_VIEW, on_stats, service);
}

/* A loop that nothing wakes is not late; so that one that hangs is found, it is woken. */
static void
on_lag_probe(void *context)
{
	struct service *service = context;

	timer_start_ms(&service->lag_probe, LAG_PROBE_MS);
}

void
stats_begin(struct service *service)
{
	for (size_t i = 0; i < IMAP_COMMAND_COUNT; i++)
		metrics_name_command(i + 1, imap_commands[i].name);
	for (size_t i = 0; i < SASL_MECHANISM_COUNT; i++)
		metrics_name_mechanism(i, sasl_mechanism_name(i));
	timer_init(&service->lag_probe, service->loop, on_lag_probe, service);
	on_lag_probe(service);
}
