/*
 * Histograms, and what the cells say.  Any thread.
 */
#include "metrics/metrics.h"

void
metric_observe_us(enum metric metric, size_t first, uint64_t duration_us)
{
	const struct metric_row *row = &metric_rows[metric];
	size_t place = first * METRIC_HISTOGRAM_CELLS, bucket = 0;

	assert(place + METRIC_HISTOGRAM_CELLS <= row->cell_count);
	while (bucket < METRIC_BOUNDS && duration_us > metric_bounds_us[bucket])
		bucket++;
	atomic_fetch_add_explicit(&row->cells[place + METRIC_BOUNDS + 1], duration_us, memory_order_relaxed);
	atomic_fetch_add_explicit(&row->cells[place + bucket], 1, memory_order_relaxed);
}

uint64_t
metric_read(enum metric metric, size_t first, size_t second)
{
	size_t place = metric_place(metric, first, second);

	assert(place < metric_rows[metric].cell_count);
	return atomic_load_explicit(&metric_rows[metric].cells[place], memory_order_relaxed);
}
