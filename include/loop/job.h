/*
 * Jobs: work done on worker threads whose result comes home to the loop.  Who may touch a job when:
 * src/loop/README.
 */
#ifndef LOOP_JOB_H
#define LOOP_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

struct job_queue;
struct loop;
struct workers;

/*
 * Lives inside what it works on, found again with CONTAINER_OF.  Between submission and done() it
 * belongs to the workers.  Reusable from done() on.
 */
struct job {
	struct list link;
	void (*work)(struct job *job);	/* on a worker; not called for the jobs of a job_queue */
	void (*done)(struct job *job);	/* on the loop; may free the job; NULL: nobody waits */
	struct job_queue *queue;	/* set by job_queue_submit() */
	bool is_long;			/* set by the owner before it is submitted: work() takes more than some 10 ms */
	bool is_again;			/* room loop only: after work() to the end of the queue, not home */
	bool counts_long;		/* room loop only: waits, and is counted, as a long one */
};

/*
 * Start worker threads.
 *
 *	name	 of the threads, at most 11 characters
 *	threads	 0: no threads; jobs run in the loop's own turn, in order of submission, for tests
 *
 * Signals are blocked on the threads.
 */
struct workers *workers_new(struct loop *loop, const char *name, unsigned threads);

/*
 * Let no more of them work at a time than this, beside those that wait (base/thread.h) or have had their job for long: more
 * than processors get each other out of the way, which costs more than it gives.  Jobs come from the loop thread alone then.
 */
void workers_limit(struct workers *workers, unsigned busy_max);

/* Wait until every job has come home (their done() runs in here), then end the threads.  Loop thread,
 * not from inside done(). */
void workers_free(struct workers **workers);

/*
 * Loop thread, or a worker.  First come, first worked on; but of long jobs only a quarter of the workers, at least one,
 * has one at a time, if there is more than one worker.
 */
void workers_submit(struct workers *workers, struct job *job);

/* Jobs that wait for a thread: for load shedding and the status.  Any thread. */
size_t workers_waiting(struct workers *workers);

unsigned workers_threads(const struct workers *workers);

/*
 * A queue of jobs that one worker at a time works on, in order: one per mail user.
 */

/*
 * Work on all jobs given, in order, and call job_complete() exactly once for each, as soon as its
 * outcome is sure: several may share one transaction and complete after its commit.  Worker thread.
 *
 *	jobs	linked by job.link; the function takes each out by job_complete()
 */
typedef void job_batch(void *context, struct list *jobs);

struct job_queue *job_queue_new(struct workers *workers, job_batch *run, void *context);

/* At most batch jobs go into one run (default 64); at most waiting wait (default 4096).  Loop thread. */
void job_queue_set_limits(struct job_queue *queue, size_t batch, size_t waiting);

/*
 * Submit.  False: too many wait; the job was not taken and its done() will not come.  Loop thread.
 */
bool job_queue_submit(struct job_queue *queue, struct job *job);

/* Send a job of the running batch home; its done() runs on the loop, in order of completion, once the batch has
 * returned or job_queue_go_on() was called.  The worker must not touch the job from then on.  Worker thread, inside
 * job_batch. */
void job_complete(struct job *job);

/* Say that the next jobs of the batch may take a while: those that are complete are waited for.  Worker thread,
 * inside job_batch. */
void job_queue_go_on(struct job_queue *queue);

/* No job waits, runs, or has yet to come home, and no worker uses context: not before the last done() has
 * returned, so not inside it.  Loop thread. */
bool job_queue_is_idle(const struct job_queue *queue);

/* Call back, with the queue's context, whenever it has become idle; the way to know when to free. */
void job_queue_on_idle(struct job_queue *queue, void (*on_idle)(void *context));

/* Waiting and running jobs, and those on their way home.  Loop thread. */
size_t job_queue_length(const struct job_queue *queue);

/*
 * Free an idle queue, or, when it is not idle, as soon as it has become so; no job may be submitted
 * any more.  What context points to must live until job_queue_is_idle().
 */
void job_queue_free(struct job_queue **queue);

#endif
