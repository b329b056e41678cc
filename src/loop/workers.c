/*
 * Worker threads and what waits for them: first come, first worked on.  Of the threads that rest, the one that has
 * worked last is woken: what it needs is still in its processor's caches, and those that are not needed take no memory.
 *
 * Long jobs wait apart from the others, and only a part of the workers works on such: a handshake stands behind none.
 *
 * Where it was said how many may be busy, a job finds a worker awake or waits for one to end its own.  Who waits for the disk
 * is not busy, nor who has been at it for LONG_US, whatever for: then another one is woken, at once or by the next look.
 */
#include "internal.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/memory.h"
#include "base/thread.h"

#define LOOK_MS 2		/* while jobs wait */
#define LONG_US 25000

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

/* Whether another one may work, beside those that do and those that come.  Under the mutex. */
static bool
has_processor(struct workers *workers)
{
	unsigned coming = workers->woken_count;
	uint64_t now_us;

	if (workers->busy_max == 0)
		return true;
	now_us = clock_monotonic_us();
	LIST_FOREACH(&workers->working, link) {
		struct worker *worker = LIST_ENTRY(link, struct worker, link);

		coming += !atomic_load_explicit(&worker->is_waiting, memory_order_relaxed) && now_us - worker->since_us < LONG_US;
	}
	return coming < workers->busy_max;
}

/* Who is to be woken for what waits, or NULL.  Under the mutex. */
static struct worker *
call(struct workers *workers)
{
	struct list *rested;
	struct worker *worker;

	if (!has_processor(workers) || (rested = list_pop_front(&workers->resting)) == NULL)
		return NULL;
	worker = LIST_ENTRY(rested, struct worker, link);
	worker->is_woken = true;
	workers->woken_count++;
	return worker;
}

/* Outside of the lock: who wakes would go to sleep again for it. */
static void
wake(struct worker *worker)
{
	if (worker != NULL)
		sem_post(&worker->wake);
}

/* False: nobody was woken for it. */
static bool
put(struct workers *workers, struct job *job)
{
	struct worker *called;

	pthread_mutex_lock(&workers->mutex);
	/* A worker alone, or none, takes all in their order. */
	job->counts_long = job->is_long && workers->thread_count > 1;
	list_push_back(job->counts_long ? &workers->waiting_long : &workers->waiting, &job->link);
	workers->waiting_count++;
	called = call(workers);
	pthread_mutex_unlock(&workers->mutex);
	wake(called);
	return called != NULL;
}

/* Whether one more is wanted: a job waits, and who could take it has not been woken yet.  Under the mutex. */
static struct worker *
call_for_waiting(struct workers *workers)
{
	return workers->waiting_count > workers->woken_count ? call(workers) : NULL;
}

static void
on_relief(void *context)
{
	struct workers *workers = context;
	struct worker *called;
	bool is_waiting;

	pthread_mutex_lock(&workers->mutex);
	called = call_for_waiting(workers);
	is_waiting = workers->waiting_count > 0;
	pthread_mutex_unlock(&workers->mutex);
	wake(called);
	if (is_waiting)
		timer_start_ms(&workers->relief, LOOK_MS);
}

static void
on_wait_begins(struct thread_waits *waits, bool is_sure)
{
	struct worker *worker = CONTAINER_OF(waits, struct worker, waits), *called;
	struct workers *workers = worker->workers;

	atomic_store_explicit(&worker->is_waiting, true, memory_order_relaxed);
	if (!is_sure || workers->busy_max == 0)
		return;
	pthread_mutex_lock(&workers->mutex);
	called = call_for_waiting(workers);
	pthread_mutex_unlock(&workers->mutex);
	wake(called);
}

static void
on_wait_ends(struct thread_waits *waits)
{
	atomic_store_explicit(&CONTAINER_OF(waits, struct worker, waits)->is_waiting, false, memory_order_relaxed);
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

/* Who was called is there for what waits, also if somebody's wait has ended meanwhile: nobody else looks for it then. */
static bool
may_work(struct workers *workers, bool is_called)
{
	return (!list_is_empty(&workers->waiting) || may_take_long(workers)) && (is_called || has_processor(workers));
}

/* Until called.  Who leaves behind what nobody was woken for may be the last to know of it, and looks again by itself. */
static void
await_call(struct worker *worker, bool leaves_something)
{
	struct timespec until;
	int result;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LONG_US * 1000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	do
		result = leaves_something ? sem_timedwait(&worker->wake, &until) : sem_wait(&worker->wake);
	while (result != 0 && errno == EINTR);
	assert(result == 0 || errno == ETIMEDOUT);
}

/* Until there is a job, or none will come any more.  Under the mutex. */
static void
rest(struct worker *worker)
{
	struct workers *workers = worker->workers;
	bool is_called = false, leaves_something;

	while (!may_work(workers, is_called) && !workers->is_stopping) {
		leaves_something = workers->waiting_count > workers->woken_count;
		list_push_front(&workers->resting, &worker->link);
		pthread_mutex_unlock(&workers->mutex);
		await_call(worker, leaves_something);
		pthread_mutex_lock(&workers->mutex);
		list_remove(&worker->link);	/* nobody has called: it is there still */
		is_called = worker->is_woken;
		workers->woken_count -= is_called;
		worker->is_woken = false;
	}
}

/* The next job, with which the worker is busy until it comes for another one. */
static struct job *
next_job(struct worker *worker)
{
	struct workers *workers = worker->workers;
	struct job *job;

	pthread_mutex_lock(&workers->mutex);
	list_remove(&worker->link);
	rest(worker);
	if ((job = take(workers)) != NULL) {
		worker->since_us = workers->busy_max > 0 ? clock_monotonic_us() : 0;
		list_push_back(&workers->working, &worker->link);
	}
	pthread_mutex_unlock(&workers->mutex);
	return job;
}

static void *
worker_main(void *context)
{
	struct worker *worker = context;
	struct job *job;

	crash_begin_thread();
	thread_count_waits(&worker->waits);
	while ((job = next_job(worker)) != NULL) {
		work_on(worker->workers, job);
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
		worker->waits = (struct thread_waits){ on_wait_begins, on_wait_ends };
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
	list_init(&workers->working);
	timer_init(&workers->relief, loop, on_relief, workers);
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
	timer_stop(&workers->relief);
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
	if (!put(workers, job) && workers->busy_max > 0 && !timer_is_running(&workers->relief))
		timer_start_ms(&workers->relief, LOOK_MS);
	if (workers->thread_count == 0)
		deferred_schedule(workers->loop, &workers->in_line);
}

void
workers_limit(struct workers *workers, unsigned busy_max)
{
	pthread_mutex_lock(&workers->mutex);
	workers->busy_max = workers->thread_count > busy_max ? busy_max : 0;
	pthread_mutex_unlock(&workers->mutex);
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
