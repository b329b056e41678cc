/*
 * The loop's turn: deferred calls, due timers, then libevent's one wait for descriptors and signals.
 * Timers are our own, so that a test's clock moves them.  Loop thread.
 */
#include "internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

struct signal_watch {
	struct list link;
	struct event *event;
	void (*on_signal)(int number, void *context);
	void *context;
};

#define SPARE_MAX 128	/* leftovers that may go: who makes many of them does not hold descriptors by it */
#define TURN_US 100	/* for deferred calls, before events are asked for again */

static void
on_alarm(evutil_socket_t descriptor, short what, void *context)
{
	(void)descriptor;
	(void)what;
	(void)context;		/* the wait has ended: that is all */
}

struct loop *
loop_new(void)
{
	struct loop *loop = NEW(struct loop);

	loop->base = event_base_new();
	if (loop->base == NULL)
		abort();
	list_init(&loop->deferred);
	list_init(&loop->leftovers);
	list_init(&loop->spare_leftovers);
	list_init(&loop->signals);
	loop->alarm = evtimer_new(loop->base, on_alarm, NULL);
	loop->now_us = clock_monotonic_us();
	home_init(loop);
	return loop;
}

static void
run_deferred(struct loop *loop)
{
	struct list now, *link;

	/* What is scheduled meanwhile waits for the next round, so that rounds end. */
	list_init(&now);
	list_move_all(&now, &loop->deferred);
	while ((link = list_pop_front(&now)) != NULL) {
		struct deferred *deferred = LIST_ENTRY(link, struct deferred, link);

		deferred->run(deferred->context);
	}
}

void
loop_free(struct loop **loop_pointer)
{
	struct loop *loop = *loop_pointer;

	if (loop == NULL)
		return;
	loop_end_leftovers(loop);
	home_receive(loop);
	while (!list_is_empty(&loop->deferred))
		run_deferred(loop);
	assert(loop->timers.count == 0);
	home_fini(loop);
	LIST_FOREACH(&loop->signals, link) {
		struct signal_watch *watch = LIST_ENTRY(link, struct signal_watch, link);

		event_free(watch->event);
		free(watch);
	}
	event_free(loop->alarm);
	event_base_free(loop->base);
	free(loop->timers.heap);
	for (size_t i = 0; i < COUNT_OF(loop->spools_spare); i++)
		buffer_free(&loop->spools_spare[i]);
	free(loop);
	*loop_pointer = NULL;
}

static void
set_alarm(struct loop *loop)
{
	uint64_t wait_us;
	struct timeval wait;

	if (!timers_next_us(loop, &wait_us)) {
		event_del(loop->alarm);
		return;
	}
	wait = (struct timeval){ (time_t)(wait_us / 1000000), (suseconds_t)(wait_us % 1000000) };
	event_add(loop->alarm, &wait);
}

static void
turn(struct loop *loop, bool may_wait)
{
	loop->now_us = clock_monotonic_us();
	/* What calls each other, such as two ends of a pair, goes on for a moment without asking for events. */
	do
		run_deferred(loop);
	while (!list_is_empty(&loop->deferred) && clock_monotonic_us() - loop->now_us < TURN_US);
	timers_run(loop);
	if (loop->is_stopping)
		return;
	if (may_wait && list_is_empty(&loop->deferred)) {
		set_alarm(loop);
		event_base_loop(loop->base, EVLOOP_ONCE);
	} else {
		event_base_loop(loop->base, EVLOOP_NONBLOCK);
	}
	loop->now_us = clock_monotonic_us();
}

void
loop_run(struct loop *loop)
{
	loop->is_stopping = false;
	thread_enter_loop();
	while (!loop->is_stopping)
		turn(loop, true);
	thread_leave_loop();
}

void
loop_turn(struct loop *loop, bool may_wait)
{
	uint64_t wait_us;
	bool is_busy = !list_is_empty(&loop->deferred) || (timers_next_us(loop, &wait_us) && wait_us == 0);

	loop->is_stopping = false;
	thread_enter_loop();
	turn(loop, may_wait && !is_busy);
	thread_leave_loop();
}

void
loop_stop(struct loop *loop)
{
	loop->is_stopping = true;
}

uint64_t
loop_now_us(const struct loop *loop)
{
	return loop->now_us;
}

void
deferred_init(struct deferred *deferred, void (*run)(void *context), void *context)
{
	list_init(&deferred->link);
	deferred->run = run;
	deferred->context = context;
}

void
deferred_schedule(struct loop *loop, struct deferred *deferred)
{
	if (list_is_empty(&deferred->link))
		list_push_back(&loop->deferred, &deferred->link);
}

void
deferred_cancel(struct deferred *deferred)
{
	list_remove(&deferred->link);
}

bool
deferred_is_scheduled(const struct deferred *deferred)
{
	return !list_is_empty(&deferred->link);
}

void
leftover_add(struct loop *loop, struct leftover *leftover)
{
	list_push_back(&loop->leftovers, &leftover->link);
	leftover->loop = loop;
	loop->leftover_count++;
}

static void
end_first(struct list *leftovers)
{
	struct leftover *leftover = LIST_ENTRY(leftovers->next, struct leftover, link);

	leftover_remove(leftover);
	leftover->end(leftover->context);
}

void
leftover_may_go(struct leftover *leftover)
{
	struct loop *loop = leftover->loop;

	if (leftover->may_go)
		return;
	leftover->may_go = true;
	list_remove(&leftover->link);
	list_push_back(&loop->spare_leftovers, &leftover->link);
	if (++loop->spare_count > SPARE_MAX)
		end_first(&loop->spare_leftovers);
}

void
leftover_remove(struct leftover *leftover)
{
	if (leftover->link.next == NULL || list_is_empty(&leftover->link))
		return;
	list_remove(&leftover->link);
	leftover->loop->leftover_count--;
	leftover->loop->spare_count -= leftover->may_go;
}

size_t
leftover_count(const struct loop *loop)
{
	return loop->leftover_count;
}

void
loop_end_leftovers(struct loop *loop)
{
	while (!list_is_empty(&loop->leftovers))
		end_first(&loop->leftovers);
	while (!list_is_empty(&loop->spare_leftovers))
		end_first(&loop->spare_leftovers);
}

static void
on_look(void *context)
{
	(void)context;		/* the turn has ended: that is all */
}

static uint64_t
moved_last_us(const struct list *leftovers, uint64_t since_us)
{
	LIST_FOREACH((struct list *)leftovers, link) {
		const struct leftover *leftover = LIST_ENTRY(link, struct leftover, link);

		if (leftover->moved_us > since_us)
			since_us = leftover->moved_us;
	}
	return since_us;
}

void
loop_see_off_leftovers(struct loop *loop, uint64_t quiet_ms, uint64_t within_ms)
{
	uint64_t began_us = clock_monotonic_us(), moved_us = began_us;
	struct timer look;

	timer_init(&look, loop, on_look, NULL);
	while (loop->leftover_count > 0 && clock_monotonic_us() - began_us < within_ms * 1000 &&
	    clock_monotonic_us() - moved_us < quiet_ms * 1000) {
		timer_start_ms(&look, quiet_ms);
		loop_turn(loop, true);
		moved_us = moved_last_us(&loop->leftovers, moved_last_us(&loop->spare_leftovers, moved_us));
	}
	timer_stop(&look);
}

static void
on_signal_event(evutil_socket_t number, short what, void *context)
{
	struct signal_watch *watch = context;

	(void)what;
	watch->on_signal((int)number, watch->context);
}

void
loop_on_signal(struct loop *loop, int number, void (*on_signal)(int number, void *context), void *context)
{
	struct signal_watch *watch = NEW(struct signal_watch);

	watch->on_signal = on_signal;
	watch->context = context;
	watch->event = evsignal_new(loop->base, number, on_signal_event, watch);
	event_add(watch->event, NULL);
	list_push_back(&loop->signals, &watch->link);
}
