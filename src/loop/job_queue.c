/*
 * A serial queue of jobs: its turn is itself a job, so that one worker at most works on it, and after
 * each batch it goes to the end of the workers' queue, behind other users.
 *
 * away and the limits belong to the loop thread; waiting is shared, under the mutex.
 */
#include "internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

struct job_queue {
	struct workers *workers;
	job_batch *run;
	void *context;
	void (*on_idle)(void *context);
	struct job turn;
	struct deferred free_later;
	size_t away;			/* jobs submitted and not yet home */
	size_t waiting_max;
	bool is_out;			/* the turn is submitted and not yet home */
	bool is_closing;
	pthread_mutex_t mutex;
	struct list waiting;		/* under mutex */
	size_t waiting_count;		/* under mutex */
	size_t batch_max;		/* under mutex */
};

/* True: jobs were taken. */
static bool
take_batch(struct job_queue *queue, struct list *batch)
{
	struct list *link;

	pthread_mutex_lock(&queue->mutex);
	for (size_t n = 0; n < queue->batch_max; n++) {
		if ((link = list_pop_front(&queue->waiting)) == NULL)
			break;
		queue->waiting_count--;
		list_push_back(batch, link);
	}
	pthread_mutex_unlock(&queue->mutex);
	return !list_is_empty(batch);
}

static size_t
waiting_count(struct job_queue *queue)
{
	size_t count;

	pthread_mutex_lock(&queue->mutex);
	count = queue->waiting_count;
	pthread_mutex_unlock(&queue->mutex);
	return count;
}

/* A turn takes as long as what waits first. */
static bool
is_next_long(struct job_queue *queue)
{
	bool is_long;

	pthread_mutex_lock(&queue->mutex);
	is_long = !list_is_empty(&queue->waiting) && LIST_ENTRY(queue->waiting.next, struct job, link)->is_long;
	pthread_mutex_unlock(&queue->mutex);
	return is_long;
}

static void
work_turn(struct job *turn)
{
	struct job_queue *queue = CONTAINER_OF(turn, struct job_queue, turn);
	struct list batch;

	list_init(&batch);
	if (take_batch(queue, &batch))
		queue->run(queue->context, &batch);
	assert(list_is_empty(&batch));		/* every job was completed */
	turn->is_again = waiting_count(queue) > 0;
	turn->is_long = is_next_long(queue);
	if (turn->is_again)
		home_wake(queue->workers->loop);	/* else the turn itself does */
}

static void
submit_turn(struct job_queue *queue)
{
	queue->is_out = true;
	queue->turn.is_long = is_next_long(queue);
	workers_submit(queue->workers, &queue->turn);
}

static void
on_turn_home(struct job *turn)
{
	struct job_queue *queue = CONTAINER_OF(turn, struct job_queue, turn);

	queue->is_out = false;
	if (waiting_count(queue) > 0)
		submit_turn(queue);
	else if (queue->is_closing)
		deferred_schedule(queue->workers->loop, &queue->free_later);
	else if (queue->on_idle != NULL)
		queue->on_idle(queue->context);
}

static void
free_now(void *context)
{
	struct job_queue *queue = context;

	if (!job_queue_is_idle(queue))
		return;			/* on_turn_home() comes back to it */
	pthread_mutex_destroy(&queue->mutex);
	free(queue);
}

struct job_queue *
job_queue_new(struct workers *workers, job_batch *run, void *context)
{
	struct job_queue *queue = NEW(struct job_queue);

	queue->workers = workers;
	queue->run = run;
	queue->context = context;
	queue->turn.work = work_turn;
	queue->turn.done = on_turn_home;
	list_init(&queue->turn.link);
	deferred_init(&queue->free_later, free_now, queue);
	pthread_mutex_init(&queue->mutex, NULL);
	list_init(&queue->waiting);
	job_queue_set_limits(queue, 64, 4096);
	return queue;
}

void
job_queue_set_limits(struct job_queue *queue, size_t batch, size_t waiting)
{
	assert(batch > 0 && waiting > 0);
	pthread_mutex_lock(&queue->mutex);
	queue->batch_max = batch;
	pthread_mutex_unlock(&queue->mutex);
	queue->waiting_max = waiting;
}

void
job_queue_on_idle(struct job_queue *queue, void (*on_idle)(void *context))
{
	queue->on_idle = on_idle;
}

bool
job_queue_submit(struct job_queue *queue, struct job *job)
{
	bool is_taken;

	assert(!queue->is_closing);
	job->queue = queue;
	pthread_mutex_lock(&queue->mutex);
	is_taken = queue->waiting_count < queue->waiting_max;
	if (is_taken) {
		list_push_back(&queue->waiting, &job->link);
		queue->waiting_count++;
	}
	pthread_mutex_unlock(&queue->mutex);
	if (!is_taken)
		return false;
	queue->away++;
	if (!queue->is_out)
		submit_turn(queue);
	return true;
}

void
job_complete(struct job *job)
{
	list_remove(&job->link);
	home_put(job->queue->workers->loop, job);
}

void
job_queue_go_on(struct job_queue *queue)
{
	home_wake(queue->workers->loop);
}

void
job_queue_came_home(struct job *job)
{
	job->queue->away--;
}

bool
job_queue_is_idle(const struct job_queue *queue)
{
	return queue->away == 0 && !queue->is_out;
}

size_t
job_queue_length(const struct job_queue *queue)
{
	return queue->away;
}

void
job_queue_free(struct job_queue **queue_pointer)
{
	struct job_queue *queue = *queue_pointer;

	*queue_pointer = NULL;
	if (queue == NULL)
		return;
	queue->is_closing = true;
	deferred_schedule(queue->workers->loop, &queue->free_later);
}
