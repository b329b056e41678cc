/*
 * Whose turn it is.  A turn ends with the loop's own, so that an account between two slices is as idle as any other and
 * may be closed.
 */
#include "index_queue.h"

#include "base/clock.h"
#include "base/log.h"

#define SLICE_US      10000
#define QUIET_US      500000	/* so long nobody has used the account */
#define BACKLOG_MAX   4000	/* messages that wait for that; more are indexed while it is used */
#define LOOK_MS	      100	/* until somebody may have become quiet */
#define PAUSE_MS      1
#define LONG_PAUSE_MS 20	/* others wait for a worker */
#define REST_US	      90000	/* an account that is in use waits for its own index for a tenth of the time */
#define FAILURE_US    (60 * UINT64_C(1000000))	/* until it is tried again */

static void on_turn(void *context);

void
index_queue_init(struct index_queue *queue, const struct index_host *host, struct loop *loop,
    struct workers *workers)
{
	*queue = (struct index_queue){ .host = host, .loop = loop, .workers = workers };
	list_init(&queue->waiting);
	timer_init(&queue->turn, loop, on_turn, queue);
}

void
index_queue_stop(struct index_queue *queue)
{
	timer_stop(&queue->turn);
	queue->is_stopped = true;
}

void
index_seat_init(struct index_seat *seat, struct index_queue *queue, struct account *account)
{
	*seat = (struct index_seat){ .queue = queue, .account = account };
	list_init(&seat->link);
}

void
index_seat_fini(struct index_seat *seat)
{
	list_remove(&seat->link);
	indexer_reset(&seat->indexer);
}

bool
index_seat_is_waiting(const struct index_seat *seat)
{
	return seat->backlog > 0 && seat->not_before_us == 0;
}

/* Worker. */
static enum store_status
work(struct store *store, struct account_job *job)
{
	struct index_seat *seat = CONTAINER_OF(job, struct index_seat, job);

	seat->is_more = true;
	return indexer_run(&seat->indexer, store, clock_monotonic_us() + SLICE_US, &seat->is_more);
}

static void
wait_for_turn(struct index_queue *queue, uint64_t after_ms)
{
	if (!queue->is_running && !queue->is_stopped && !list_is_empty(&queue->waiting) && !timer_is_running(&queue->turn))
		timer_start_ms(&queue->turn, after_ms);
}

static void
tell_damage(struct index_seat *seat)
{
	if (seat->indexer.has_dropped && !seat->has_told)
		log_warning("index-damaged", log_text("path", seat->queue->host->path(seat->account)), log_text("done", "made anew"));
	seat->has_told = seat->indexer.has_dropped;
}

static void
on_slice(struct account_job *job)
{
	struct index_seat *seat = CONTAINER_OF(job, struct index_seat, job);
	struct index_queue *queue = seat->queue;
	struct index_watcher *watcher = seat->watcher;

	seat->is_running = false;
	queue->is_running = false;
	tell_damage(seat);
	if (job->status != STORE_OK) {
		seat->is_stale = true;
		seat->not_before_us = loop_now_us(queue->loop) + FAILURE_US;
	}
	list_remove(&seat->link);
	if (seat->is_more || job->status != STORE_OK)
		list_push_back(&queue->waiting, &seat->link);
	if (watcher != NULL && (job->status != STORE_OK || !seat->is_more))
		seat->watcher = NULL;
	seat->rest_until_us = loop_now_us(queue->loop) + REST_US;
	wait_for_turn(queue, workers_waiting(queue->workers) > 0 ? LONG_PAUSE_MS : PAUSE_MS);
	if (watcher != NULL)
		watcher->on_slice(watcher, job->status, seat->is_more);
}

static void
run_slice(struct index_seat *seat)
{
	if (seat->is_stale)
		indexer_reset(&seat->indexer);
	seat->is_stale = false;
	seat->not_before_us = 0;
	seat->is_running = true;
	seat->queue->is_running = true;
	seat->job.kind = ACCOUNT_DERIVED;
	seat->job.work = work;
	seat->job.done = on_slice;
	seat->queue->host->submit(seat->account, &seat->job);
}

static bool
is_ready(const struct index_seat *seat, uint64_t now_us)
{
	if (seat->watcher != NULL)
		return true;
	if (now_us < seat->not_before_us)
		return false;
	return seat->is_training_due || seat->queue->host->idle_us(seat->account) >= QUIET_US ||
	    (seat->backlog > BACKLOG_MAX && now_us >= seat->rest_until_us);
}

static void
on_turn(void *context)
{
	struct index_queue *queue = context;
	uint64_t now_us = loop_now_us(queue->loop);

	if (queue->is_running)
		return;
	LIST_FOREACH(&queue->waiting, link) {
		struct index_seat *seat = LIST_ENTRY(link, struct index_seat, link);

		if (is_ready(seat, now_us)) {
			run_slice(seat);
			return;
		}
	}
	wait_for_turn(queue, LOOK_MS);
}

/* A file that is closed waits for whoever opens it next. */
void
index_seat_note(struct index_seat *seat, const struct account_job *job)
{
	seat->backlog = job->backlog;
	seat->is_training_due = job->is_training_due;
	seat->is_stale = seat->is_stale || job->is_broken || !job->is_open;
	if (seat->is_running)
		return;
	if (seat->watcher == NULL && (seat->backlog == 0 || !job->is_open))
		list_remove(&seat->link);
	else if (list_is_empty(&seat->link))
		list_push_back(&seat->queue->waiting, &seat->link);
	wait_for_turn(seat->queue, LOOK_MS);
}

bool
index_seat_watch(struct index_seat *seat, struct index_watcher *watcher)
{
	if (watcher != NULL && seat->watcher != NULL)
		return false;
	seat->watcher = watcher;
	if (watcher == NULL || seat->is_running)
		return true;
	list_remove(&seat->link);
	list_push_front(&seat->queue->waiting, &seat->link);
	timer_stop(&seat->queue->turn);
	wait_for_turn(seat->queue, 0);
	return true;
}
