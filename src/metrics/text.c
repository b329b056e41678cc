/*
 * Metrics as Prometheus reads them: its text format 0.0.4, and OpenMetrics 1.0, in which the name of a counter's family
 * lacks the "_total" of its samples, and the end is said.
 */
#include <string.h>

#include "metrics/report.h"

struct text {
	struct buffer *out;
	enum metrics_format format;
	const struct metric_row *row;		/* whose lines are being written */
};

static const char *const kind_names[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
	[METRIC_INFO] = "gauge",		/* 0.0.4 does not know it */
};

static void
add_seconds(struct buffer *out, uint64_t us)
{
	size_t length;

	buffer_printf(out, "%llu.%06llu", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
	for (length = out->length; out->at[length - 1] == '0' && out->at[length - 2] != '.'; length--)
		;
	out->length = length;
}

static void
add_value(struct buffer *out, const struct metric_row *row, int64_t value)
{
	if (row->is_us && value >= 0)
		add_seconds(out, (uint64_t)value);
	else
		buffer_printf(out, "%lld", (long long)value);
}

static void
add_escaped(struct buffer *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			buffer_add_string(out, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			buffer_add_octet(out, '\\');
		buffer_add_octet(out, (uint8_t)*value);
	}
}

/* The labels, and a further one that histograms have; "{" is written with the first. */
static void
add_labels(struct buffer *out, const struct metrics_series *series, const char *bound)
{
	char before = '{';

	for (size_t i = 0; i < METRIC_LABELS_MAX && series->row->labels[i] != NULL; i++) {
		buffer_printf(out, "%c%s=\"", before, series->row->labels[i]->name);
		add_escaped(out, series->values[i]);
		buffer_add_octet(out, '"');
		before = ',';
	}
	if (bound != NULL) {
		buffer_printf(out, "%cle=\"%s\"", before, bound);
		before = ',';
	}
	if (before == ',')
		buffer_add_octet(out, '}');
	buffer_add_octet(out, ' ');
}

static size_t
length_without(const char *name, const char *end)
{
	size_t length = strlen(name), end_length = strlen(end);

	return length > end_length && strcmp(name + length - end_length, end) == 0 ? length - end_length : length;
}

static int
family_length(const struct text *text, const struct metric_row *row)
{
	if (text->format == METRICS_OPENMETRICS && row->kind == METRIC_COUNTER)
		return (int)length_without(row->name, "_total");
	if (text->format == METRICS_OPENMETRICS && row->kind == METRIC_INFO)
		return (int)length_without(row->name, "_info");
	return (int)strlen(row->name);
}

static void
begin_family(struct text *text, const struct metric_row *row)
{
	int length = family_length(text, row);
	bool is_info = text->format == METRICS_OPENMETRICS && row->kind == METRIC_INFO;

	text->row = row;
	buffer_printf(text->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", length, row->name, row->help, length, row->name,
	    is_info ? "info" : kind_names[row->kind]);
}

static void
add_buckets(struct buffer *out, const struct metrics_series *series)
{
	struct buffer bound = { 0 };

	for (size_t i = 0; i <= METRIC_BOUNDS; i++) {
		buffer_clear(&bound);
		if (i < METRIC_BOUNDS)
			add_seconds(&bound, metric_bounds_us[i]);
		else
			buffer_add_string(&bound, "+Inf");
		buffer_printf(out, "%s_bucket", series->row->name);
		add_labels(out, series, buffer_string(&bound));
		buffer_printf(out, "%llu\n", (unsigned long long)series->buckets[i]);
	}
	buffer_free(&bound);
}

static void
add_histogram(struct buffer *out, const struct metrics_series *series)
{
	add_buckets(out, series);
	buffer_printf(out, "%s_sum", series->row->name);
	add_labels(out, series, NULL);
	add_seconds(out, series->sum_us);
	buffer_printf(out, "\n%s_count", series->row->name);
	add_labels(out, series, NULL);
	buffer_printf(out, "%llu\n", (unsigned long long)series->buckets[METRIC_BOUNDS]);
}

static void
add_series(const struct metrics_series *series, void *context)
{
	struct text *text = context;

	if (text->row != series->row)
		begin_family(text, series->row);
	if (series->row->kind == METRIC_HISTOGRAM) {
		add_histogram(text->out, series);
		return;
	}
	buffer_add_string(text->out, series->row->name);
	add_labels(text->out, series, NULL);
	add_value(text->out, series->row, series->value);
	buffer_add_octet(text->out, '\n');
}

void
metrics_write(const struct metrics_report *report, enum metrics_format format, struct buffer *out)
{
	struct text text = { .out = out, .format = format };

	metrics_walk(report, add_series, &text);
	if (format == METRICS_OPENMETRICS)
		buffer_add_string(out, "# EOF\n");
}

const char *
metrics_content_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
					       "text/plain; version=0.0.4; charset=utf-8";
}
