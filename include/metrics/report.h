/*
 * All metrics at one moment: the counters and histograms, which are read where they lie, and what the one who asks has
 * told of the rest.  Texts for Prometheus, and a walk for who has a form of its own.  Any thread, one at a time.
 */
#ifndef METRICS_REPORT_H
#define METRICS_REPORT_H

#include "base/buffer.h"
#include "metrics/metrics.h"

struct metrics_report;

struct metrics_report *metrics_report_new(void);
void metrics_report_free(struct metrics_report **report);

/* Which roles the process plays, 1 << METRIC_CAS and so on: nothing is told of others.  Without a call, both. */
void metrics_report_set_roles(struct metrics_report *report, unsigned roles);

/*
 * Tell the value of a metric that has no cells.
 *
 *	first, second	values of its labels, copied; NULL: it does not have them
 *	value		in microseconds where the row says so
 */
void metrics_report_add(struct metrics_report *report, enum metric metric, const char *first, const char *second,
    int64_t value);

/* One series. */
struct metrics_series {
	const struct metric_row *row;
	const char *values[METRIC_LABELS_MAX];
	int64_t value;					/* of what is no histogram */
	uint64_t buckets[METRIC_BOUNDS + 1];		/* cumulative; the last is the count */
	uint64_t sum_us;
};

/* Call back for each series, those of a metric together, in the order of the table. */
typedef void metrics_each(const struct metrics_series *series, void *context);
void metrics_walk(const struct metrics_report *report, metrics_each *each, void *context);

/* Prometheus' text format 0.0.4, or OpenMetrics 1.0. */
enum metrics_format { METRICS_PROMETHEUS, METRICS_OPENMETRICS };
void metrics_write(const struct metrics_report *report, enum metrics_format format, struct buffer *out);

/* What stands in Content-Type. */
const char *metrics_content_type(enum metrics_format format);

/* Which of them a client wants by its Accept header, that may be empty. */
enum metrics_format metrics_format_for(struct span accept);

#endif
