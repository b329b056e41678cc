/*
 * The way home: finished jobs wait in one queue per loop, and one eventfd wakes it.  The queue is drained
 * whole per wake-up, because a wake-up costs more than a job's callback.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void
on_arrival(unsigned ready, void *context)
{
	struct loop *loop = context;
	uint64_t count;

	(void)ready;
	/* Before the queue is emptied: what arrives in between must wake the loop again. */
	if (read(loop->home.descriptor, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR)
		abort();
	home_receive(loop);
}

void
home_init(struct loop *loop)
{
	struct home *home = &loop->home;

	pthread_mutex_init(&home->mutex, NULL);
	list_init(&home->jobs);
	home->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (home->descriptor < 0)
		abort();
	watch_init(&home->watch, loop, home->descriptor, on_arrival, loop);
	watch_set(&home->watch, WATCH_READ);
}

void
home_fini(struct loop *loop)
{
	watch_fini(&loop->home.watch);
	close(loop->home.descriptor);
	pthread_mutex_destroy(&loop->home.mutex);
}

/* Under the mutex: the loop may end as soon as it has seen the last job. */
static void
wake(struct home *home)
{
	uint64_t one = 1;

	if (home->is_woken || list_is_empty(&home->jobs))
		return;
	home->is_woken = true;
	if (write(home->descriptor, &one, sizeof one) < 0 && errno != EAGAIN)
		abort();
}

void
home_deliver(struct loop *loop, struct job *job)
{
	pthread_mutex_lock(&loop->home.mutex);
	list_push_back(&loop->home.jobs, &job->link);
	wake(&loop->home);
	pthread_mutex_unlock(&loop->home.mutex);
}

void
home_put(struct loop *loop, struct job *job)
{
	pthread_mutex_lock(&loop->home.mutex);
	list_push_back(&loop->home.jobs, &job->link);
	pthread_mutex_unlock(&loop->home.mutex);
}

void
home_wake(struct loop *loop)
{
	pthread_mutex_lock(&loop->home.mutex);
	wake(&loop->home);
	pthread_mutex_unlock(&loop->home.mutex);
}

void
home_receive(struct loop *loop)
{
	struct home *home = &loop->home;
	struct list arrived, *link;

	list_init(&arrived);
	pthread_mutex_lock(&home->mutex);
	list_move_all(&arrived, &home->jobs);
	home->is_woken = false;
	pthread_mutex_unlock(&home->mutex);
	while ((link = list_pop_front(&arrived)) != NULL) {
		struct job *job = LIST_ENTRY(link, struct job, link);

		if (job->queue != NULL)
			job_queue_came_home(job);
		if (job->done != NULL)
			job->done(job);
	}
}
