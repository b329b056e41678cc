/*
 * The event loop: what happens on its one thread, and when.  A turn runs the deferred calls, then the
 * timers that are due, then waits for descriptors, signals and finished jobs.  Loop thread, except
 * where said.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct loop;

struct loop *loop_new(void);

/* Nothing may be watched, running or waiting any more; leftovers are ended and deferred calls still waiting
 * are run first. */
void loop_free(struct loop **loop);

/* Run until loop_stop().  The calling thread is the loop thread meanwhile. */
void loop_run(struct loop *loop);

/* Leave loop_run() after this turn. */
void loop_stop(struct loop *loop);

/* One turn; waits for an event only when asked to, and when nothing else is due.  For tests. */
void loop_turn(struct loop *loop, bool may_wait);

/* The monotonic time at which this turn began to run: cheap. */
uint64_t loop_now_us(const struct loop *loop);

/*
 * A call in the next turn, or soon in this one.  Lives inside its owner, who cancels it before dying.
 */
struct deferred {
	struct list link;
	void (*run)(void *context);
	void *context;
};

void deferred_init(struct deferred *deferred, void (*run)(void *context), void *context);

/* Harmless when it waits already: it then keeps its place. */
void deferred_schedule(struct loop *loop, struct deferred *deferred);

/* Harmless when it does not wait. */
void deferred_cancel(struct deferred *deferred);

bool deferred_is_scheduled(const struct deferred *deferred);

/*
 * What has outlived its owner, such as a stream that still sends its farewell.  Lives inside itself.
 */
struct leftover {
	struct list link;
	struct loop *loop;		/* set by leftover_add() */
	void (*end)(void *context);	/* removes it: frees what it lives in */
	void *context;
	uint64_t moved_us;		/* when something has moved in it last, by loop_now_us(); set by what it is */
	bool may_go;
};

void leftover_add(struct loop *loop, struct leftover *leftover);

/* All that must be is done in it: once there are more than 128 such, the one that has been for longest is ended. */
void leftover_may_go(struct leftover *leftover);

/* Harmless when it was not added, but zeroed. */
void leftover_remove(struct leftover *leftover);

/* How many there are. */
size_t leftover_count(const struct loop *loop);

/* Turn until none is left, or for quiet_ms nothing has moved in any; within_ms at most. */
void loop_see_off_leftovers(struct loop *loop, uint64_t quiet_ms, uint64_t within_ms);

/* End them now: before that on which they stand goes, such as the workers. */
void loop_end_leftovers(struct loop *loop);

/*
 * A timer on the monotonic clock of base/clock.h.  Lives inside its owner, who stops it before dying.
 */
struct timer {
	struct loop *loop;
	void (*on_due)(void *context);
	void *context;
	uint64_t due_us;
	size_t place;			/* in the heap, from 1; 0: not running */
};

void timer_init(struct timer *timer, struct loop *loop, void (*on_due)(void *context), void *context);

/* Start, or start anew.  Fires once, not before that many milliseconds. */
void timer_start_ms(struct timer *timer, uint64_t after_ms);

/* Harmless when it does not run. */
void timer_stop(struct timer *timer);

bool timer_is_running(const struct timer *timer);

/*
 * Call back on the loop whenever the process gets a signal, until loop_free().
 */
void loop_on_signal(struct loop *loop, int number, void (*on_signal)(int number, void *context),
    void *context);

/*
 * A descriptor that is watched for reading and writing, level-triggered: room net's way in.  Lives
 * inside its owner; watch_fini() before the descriptor is closed.
 */
enum { WATCH_READ = 1, WATCH_WRITE = 2 };

struct watch {
	struct loop *loop;
	struct event *event;
	int descriptor;
	unsigned wanted;
	void (*on_ready)(unsigned ready, void *context);
	void *context;
};

void watch_init(struct watch *watch, struct loop *loop, int descriptor,
    void (*on_ready)(unsigned ready, void *context), void *context);

/* Say what to wait for from now on: WATCH_READ, WATCH_WRITE, both or 0. */
void watch_set(struct watch *watch, unsigned wanted);

/* Harmless when never initialized but zeroed. */
void watch_fini(struct watch *watch);

#endif
