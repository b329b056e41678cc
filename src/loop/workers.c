/*
 * Worker threads and what waits for them: first come, first worked on.  Of the threads that rest, the one that has
 * worked last is woken: what it needs is still in its processor's caches, and those that are not needed take no memory.
 *
 * Long jobs wait apart from the others, and only a part of the workers works on such: a handshake stands behind none.
 */
#include "internal.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crash.h"
#include "base/memory.h"
#include "base/thread.h"

static bool
may_take_long(const struct workers *workers)
{
	return !list_is_empty(&workers->waiting_long) && workers->long_count < workers->long_max;
}

/* A long one first: who has ended such goes on with the next, and the other workers are there for the rest. */
static struct job *
take(struct workers *workers)
{
	bool is_long = may_take_long(workers);
	struct list *link = list_pop_front(is_long ? &workers->waiting_long : &workers->waiting);

	if (link == NULL)
		return NULL;
	workers->waiting_count--;
	workers->long_count += is_long;
	return LIST_ENTRY(link, struct job, link);
}

static void
end_long(struct workers *workers)
{
	pthread_mutex_lock(&workers->mutex);
	workers->long_count--;
	pthread_mutex_unlock(&workers->mutex);
}

static void
put(struct workers *workers, struct job *job)
{
	struct list *rested;

	pthread_mutex_lock(&workers->mutex);
	/* A worker alone, or none, takes all in their order. */
	job->counts_long = job->is_long && workers->thread_count > 1;
	list_push_back(job->counts_long ? &workers->waiting_long : &workers->waiting, &job->link);
	workers->waiting_count++;
	rested = list_pop_front(&workers->resting);
	pthread_mutex_unlock(&workers->mutex);
	/* Outside of the lock: who wakes would go to sleep again for it. */
	if (rested != NULL)
		sem_post(&LIST_ENTRY(rested, struct worker, link)->wake);
}

static void
work_on(struct workers *workers, struct job *job)
{
	struct loop *loop = workers->loop;
	bool counts_long = job->counts_long;

	job->is_again = false;
	job->work(job);
	if (counts_long)
		end_long(workers);
	if (job->is_again) {
		put(workers, job);
		return;
	}
	home_deliver(loop, job);
	/* Last: workers_free() waits for it, then the workers are gone. */
	atomic_fetch_sub(&workers->away, 1);
}

/* Until there is a job, or none will come any more.  Under the mutex. */
static void
rest(struct worker *worker)
{
	struct workers *workers = worker->workers;

	while (list_is_empty(&workers->waiting) && !may_take_long(workers) && !workers->is_stopping) {
		list_push_front(&workers->resting, &worker->link);
		pthread_mutex_unlock(&workers->mutex);
		while (sem_wait(&worker->wake) != 0)
			continue;
		pthread_mutex_lock(&workers->mutex);
		list_remove(&worker->link);
	}
}

static void *
worker_main(void *context)
{
	struct worker *worker = context;
	struct workers *workers = worker->workers;
	struct job *job;

	crash_begin_thread();
	for (;;) {
		pthread_mutex_lock(&workers->mutex);
		rest(worker);
		job = take(workers);
		pthread_mutex_unlock(&workers->mutex);
		if (job == NULL)
			break;
		work_on(workers, job);
		crash_note_end();
	}
	crash_end_thread();
	return NULL;
}

static void
run_in_line(void *context)
{
	struct workers *workers = context;
	size_t count = workers_waiting(workers);
	bool is_loop = thread_is_loop();

	thread_leave_loop();
	while (count-- > 0) {
		struct job *job;

		pthread_mutex_lock(&workers->mutex);
		job = take(workers);
		pthread_mutex_unlock(&workers->mutex);
		work_on(workers, job);
	}
	if (is_loop)
		thread_enter_loop();
	if (workers_waiting(workers) > 0)
		deferred_schedule(workers->loop, &workers->in_line);
}

static void
start_threads(struct workers *workers, unsigned threads)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	workers->threads = memory_new_array(threads, sizeof *workers->threads);
	for (workers->thread_count = 0; workers->thread_count < threads; workers->thread_count++) {
		char name[16];
		struct worker *worker = &workers->threads[workers->thread_count];

		worker->workers = workers;
		sem_init(&worker->wake, 0, 0);
		list_init(&worker->link);
		if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0)
			abort();
		snprintf(name, sizeof name, "%s-%u", workers->name, workers->thread_count % 100);
		pthread_setname_np(worker->thread, name);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct workers *
workers_new(struct loop *loop, const char *name, unsigned threads)
{
	struct workers *workers = NEW(struct workers);

	workers->loop = loop;
	snprintf(workers->name, sizeof workers->name, "%s", name);
	pthread_mutex_init(&workers->mutex, NULL);
	list_init(&workers->resting);
	list_init(&workers->waiting);
	list_init(&workers->waiting_long);
	workers->long_max = (threads + 3) / 4;
	deferred_init(&workers->in_line, run_in_line, workers);
	start_threads(workers, threads);
	return workers;
}

/* Jobs that come home may submit others: wait until none is away. */
static void
bring_home(struct workers *workers)
{
	struct pollfd arrival = { .fd = workers->loop->home.descriptor, .events = POLLIN };

	for (;;) {
		if (workers->thread_count == 0)
			run_in_line(workers);
		else if (atomic_load(&workers->away) > 0)
			poll(&arrival, 1, 1);
		home_receive(workers->loop);
		if (atomic_load(&workers->away) == 0)
			break;
	}
	home_receive(workers->loop);
}

void
workers_free(struct workers **workers_pointer)
{
	struct workers *workers = *workers_pointer;

	if (workers == NULL)
		return;
	do
		bring_home(workers);
	while (atomic_load(&workers->away) > 0);
	pthread_mutex_lock(&workers->mutex);
	workers->is_stopping = true;
	for (unsigned i = 0; i < workers->thread_count; i++)
		sem_post(&workers->threads[i].wake);
	pthread_mutex_unlock(&workers->mutex);
	for (unsigned i = 0; i < workers->thread_count; i++) {
		pthread_join(workers->threads[i].thread, NULL);
		sem_destroy(&workers->threads[i].wake);
	}
	deferred_cancel(&workers->in_line);
	pthread_mutex_destroy(&workers->mutex);
	free(workers->threads);
	free(workers);
	*workers_pointer = NULL;
}

void
workers_submit(struct workers *workers, struct job *job)
{
	assert(job->work != NULL);
	job->queue = NULL;
	atomic_fetch_add(&workers->away, 1);
	put(workers, job);
	if (workers->thread_count == 0)
		deferred_schedule(workers->loop, &workers->in_line);
}

size_t
workers_waiting(struct workers *workers)
{
	size_t count;

	pthread_mutex_lock(&workers->mutex);
	count = workers->waiting_count;
	pthread_mutex_unlock(&workers->mutex);
	return count;
}

unsigned
workers_threads(const struct workers *workers)
{
	return workers->thread_count;
}
