/*
 * What the files of room loop share: the loop's parts, and the way home for finished jobs.
 */
#ifndef LOOP_INTERNAL_H
#define LOOP_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include <event2/event.h>

#include "base/buffer.h"
#include "base/thread.h"
#include "loop/job.h"
#include "loop/loop.h"

/* Where workers put finished jobs; the descriptor wakes the loop. */
struct home {
	pthread_mutex_t mutex;
	struct list jobs;		/* under mutex */
	bool is_woken;			/* under mutex: the loop will come for them */
	int descriptor;			/* eventfd */
	struct watch watch;
};

struct timers {
	struct timer **heap;		/* heap[1] is due first */
	size_t count, capacity;
};

struct loop {
	struct event_base *base;
	struct list deferred;
	struct list leftovers, spare_leftovers;	/* those that may go, in that order */
	size_t leftover_count, spare_count;
	struct timers timers;
	struct event *alarm;		/* ends the wait when a timer is due */
	struct list signals;
	struct home home;
	size_t spools_shared, spools_borrowed;	/* octets */
	struct buffer spools_spare[4];	/* memory that the last ones have borrowed, for the next */
	uint64_t now_us;
	bool is_stopping;
};

struct worker {
	struct workers *workers;
	pthread_t thread;
	sem_t wake;			/* posted for who was taken from workers->resting; a condition would cost each a call more */
	struct list link;		/* in workers->resting or ->working, or alone; under mutex */
	bool is_woken;			/* and has not come to see what for; under mutex */
	uint64_t since_us;		/* when it began with its job; under mutex */
	atomic_bool is_waiting;		/* its job waits, for a disk */
	struct thread_waits waits;
};

struct workers {
	struct loop *loop;
	pthread_mutex_t mutex;
	struct list resting;		/* who waits for a job, the last to come first; under mutex */
	struct list working;		/* who has a job; under mutex */
	unsigned woken_count;		/* of workers; under mutex */
	unsigned busy_max;		/* of those that need a processor, at a time; 0: all */
	struct timer relief;		/* looks whether those are still at it; loop thread */
	struct list waiting;		/* under mutex */
	struct list waiting_long;	/* under mutex */
	size_t waiting_count;		/* of both; under mutex */
	unsigned long_count;		/* long jobs that are worked on; under mutex */
	unsigned long_max;		/* of them at a time */
	bool is_stopping;		/* under mutex */
	atomic_size_t away;		/* jobs submitted and not yet home */
	struct worker *threads;
	unsigned thread_count;
	struct deferred in_line;	/* runs the jobs when there are no threads */
	char name[12];
};

void home_init(struct loop *loop);
void home_fini(struct loop *loop);

/* Put a job on its way home, and wake the loop.  Any thread. */
void home_deliver(struct loop *loop, struct job *job);

/* The same in two steps: jobs that were put there come home after the next waking at the latest.  Any thread. */
void home_put(struct loop *loop, struct job *job);
void home_wake(struct loop *loop);

/* Run done() of all jobs that have arrived. */
void home_receive(struct loop *loop);

/* Run what is due at now_us. */
void timers_run(struct loop *loop);

/* How long until the first is due; false: none runs. */
bool timers_next_us(const struct loop *loop, uint64_t *wait_us_out);

/* A job of a queue is about to be told of its end. */
void job_queue_came_home(struct job *job);

#endif
