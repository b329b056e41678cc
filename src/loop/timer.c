/*
 * Timers as a binary heap by due time: starting and stopping cost log n, and 10,000 idle clients have one
 * each.  Loop thread.
 */
#include "internal.h"

#include "base/clock.h"
#include "base/memory.h"
#include "metrics/metrics.h"

static void
put(struct timers *timers, size_t place, struct timer *timer)
{
	timers->heap[place] = timer;
	timer->place = place;
}

static void
sift_up(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place;

	while (place > 1 && timers->heap[place / 2]->due_us > timer->due_us) {
		put(timers, place, timers->heap[place / 2]);
		place /= 2;
	}
	put(timers, place, timer);
}

static void
sift_down(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place, child;

	while ((child = place * 2) <= timers->count) {
		if (child < timers->count &&
		    timers->heap[child + 1]->due_us < timers->heap[child]->due_us)
			child++;
		if (timers->heap[child]->due_us >= timer->due_us)
			break;
		put(timers, place, timers->heap[child]);
		place = child;
	}
	put(timers, place, timer);
}

void
timer_init(struct timer *timer, struct loop *loop, void (*on_due)(void *context), void *context)
{
	*timer = (struct timer){ .loop = loop, .on_due = on_due, .context = context };
}

void
timer_start_ms(struct timer *timer, uint64_t after_ms)
{
	struct timers *timers = &timer->loop->timers;

	timer_stop(timer);
	timer->due_us = clock_monotonic_us() + after_ms * 1000;
	if (timers->count + 1 >= timers->capacity) {
		timers->capacity = timers->capacity == 0 ? 64 : timers->capacity * 2;
		timers->heap = memory_resize(timers->heap, timers->capacity, sizeof *timers->heap);
	}
	put(timers, ++timers->count, timer);
	sift_up(timers, timer);
}

void
timer_stop(struct timer *timer)
{
	struct timers *timers;
	struct timer *last;

	if (timer->place == 0)
		return;
	timers = &timer->loop->timers;
	last = timers->heap[timers->count--];
	if (last != timer) {
		put(timers, timer->place, last);
		sift_up(timers, last);
		sift_down(timers, last);
	}
	timer->place = 0;
}

bool
timer_is_running(const struct timer *timer)
{
	return timer->place != 0;
}

void
timers_run(struct loop *loop)
{
	struct timers *timers = &loop->timers;

	while (timers->count > 0 && timers->heap[1]->due_us <= loop->now_us) {
		struct timer *timer = timers->heap[1];

		timer_stop(timer);
		metric_observe_us(METRIC_LOOP_LAG, 0, clock_monotonic_us() - timer->due_us);
		timer->on_due(timer->context);
	}
}

bool
timers_next_us(const struct loop *loop, uint64_t *wait_us_out)
{
	uint64_t now_us = clock_monotonic_us();
	uint64_t due_us;

	if (loop->timers.count == 0)
		return false;
	due_us = loop->timers.heap[1]->due_us;
	*wait_us_out = due_us > now_us ? due_us - now_us : 0;
	return true;
}
