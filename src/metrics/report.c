/*
 * What is told, and the walk over all there is.
 */
#include "metrics/report.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/memory.h"

struct told {
	struct list link;
	const char *values[METRIC_LABELS_MAX];
	int64_t value;
};

struct metrics_report {
	struct arena *arena;
	unsigned roles;
	struct list of[METRIC_COUNT];		/* struct told, in the order in which it was */
};

struct metrics_report *
metrics_report_new(void)
{
	struct metrics_report *report = NEW(struct metrics_report);

	report->arena = arena_new();
	report->roles = 1u << METRIC_CAS | 1u << METRIC_MAILBOX;
	for (size_t i = 0; i < METRIC_COUNT; i++)
		list_init(&report->of[i]);
	return report;
}

void
metrics_report_free(struct metrics_report **report)
{
	if (*report == NULL)
		return;
	arena_free(&(*report)->arena);
	free(*report);
	*report = NULL;
}

void
metrics_report_set_roles(struct metrics_report *report, unsigned roles)
{
	report->roles = roles;
}

static const char *
copy(struct metrics_report *report, const char *text)
{
	return text == NULL ? NULL : arena_copy_string(report->arena, span_from_string(text));
}

void
metrics_report_add(struct metrics_report *report, enum metric metric, const char *first, const char *second, int64_t value)
{
	struct told *told = ARENA_NEW(report->arena, struct told);

	assert(metric_rows[metric].cells == NULL);
	told->values[0] = copy(report, first);
	told->values[1] = copy(report, second);
	told->value = value;
	list_push_back(&report->of[metric], &told->link);
}

static void
walk_told(const struct metrics_report *report, enum metric metric, metrics_each *each, void *context)
{
	LIST_FOREACH((struct list *)&report->of[metric], link) {
		const struct told *told = LIST_ENTRY(link, struct told, link);
		struct metrics_series series = { .row = &metric_rows[metric], .values = { told->values[0], told->values[1] },
			.value = told->value };

		each(&series, context);
	}
}

static uint64_t
read_cell(const struct metric_row *row, size_t place)
{
	return atomic_load_explicit(&row->cells[place], memory_order_relaxed);
}

/* What is read cell after cell while others count: the count is what the buckets say, so they fit each other. */
static void
read_histogram(const struct metric_row *row, size_t first, struct metrics_series *series)
{
	size_t place = first * METRIC_HISTOGRAM_CELLS;
	uint64_t count = 0;

	for (size_t i = 0; i <= METRIC_BOUNDS; i++)
		series->buckets[i] = count += read_cell(row, place + i);
	series->sum_us = read_cell(row, place + METRIC_BOUNDS + 1);
}

static size_t
label_count(const struct metric_row *row, size_t label)
{
	return row->labels[label] == NULL ? 1 : row->labels[label]->count;
}

/* NULL: no such value occurs. */
static const char *
label_value(const struct metric_row *row, size_t label, size_t index)
{
	return row->labels[label] == NULL ? "" : row->labels[label]->values[index];
}

static bool
has_happened(const struct metric_row *row, size_t first)
{
	size_t count = row->kind == METRIC_HISTOGRAM ? METRIC_HISTOGRAM_CELLS : label_count(row, 1);

	for (size_t i = 0; i < count; i++) {
		if (read_cell(row, first * count + i) > 0)
			return true;
	}
	return false;
}

static void
walk_counters(const struct metric_row *row, size_t first, metrics_each *each, void *context)
{
	for (size_t second = 0; second < label_count(row, 1); second++) {
		struct metrics_series series = { .row = row,
			.values = { label_value(row, 0, first), label_value(row, 1, second) },
			.value = (int64_t)read_cell(row, first * label_count(row, 1) + second) };

		if (series.values[1] != NULL && (row->occurs == NULL || row->occurs(first, second)))
			each(&series, context);
	}
}

static bool
is_told(const struct metrics_report *report, const struct metric_row *row, size_t first)
{
	if (row->labels[0] == &metric_label_role && (report->roles & 1u << first) == 0)
		return false;
	return label_value(row, 0, first) != NULL && (!row->is_sparse || has_happened(row, first));
}

static void
walk_cells(const struct metrics_report *report, const struct metric_row *row, metrics_each *each, void *context)
{
	for (size_t first = 0; first < label_count(row, 0); first++) {
		struct metrics_series series = { .row = row, .values = { label_value(row, 0, first), "" } };

		if (!is_told(report, row, first))
			continue;
		if (row->kind != METRIC_HISTOGRAM) {
			walk_counters(row, first, each, context);
			continue;
		}
		read_histogram(row, first, &series);
		each(&series, context);
	}
}

void
metrics_walk(const struct metrics_report *report, metrics_each *each, void *context)
{
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		if (metric_rows[i].cells == NULL)
			walk_told(report, i, each, context);
		else
			walk_cells(report, &metric_rows[i], each, context);
	}
}
