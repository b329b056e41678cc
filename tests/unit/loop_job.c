/*
 * Workers and job queues: order, groups, fairness between queues, shedding, coming home.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/thread.h"
#include "loop/job.h"
#include "loop/loop.h"

struct work {
	struct job job;
	struct fixture *fixture;
	int number;
	char queue;
};

struct fixture {
	struct loop *loop;
	struct workers *workers;
	struct work works[1000];
	int done_count, wanted;
	bool was_on_loop;
	char order[2048];		/* what run saw: queue names, '.' behind each batch */
	size_t order_length;
	int completed[1000];
	atomic_int inside;		/* workers inside one queue's run */
	bool was_alone;
	int idle_count;
};

static void
fixture_init(struct fixture *fixture, unsigned threads)
{
	*fixture = (struct fixture){ .was_alone = true };
	fixture->loop = loop_new();
	fixture->workers = workers_new(fixture->loop, "test", threads);
}

static void
fixture_fini(struct fixture *fixture)
{
	workers_free(&fixture->workers);
	loop_free(&fixture->loop);
}

static void
on_work(struct job *job)
{
	struct work *work = CONTAINER_OF(job, struct work, job);

	assert_off_loop();
	work->number *= 2;
}

static void
on_done(struct job *job)
{
	struct work *work = CONTAINER_OF(job, struct work, job);
	struct fixture *fixture = work->fixture;

	fixture->was_on_loop = thread_is_loop();
	fixture->completed[fixture->done_count++] = work->number;
	if (fixture->done_count == fixture->wanted)
		loop_stop(fixture->loop);
}

static struct work *
work_new(struct fixture *fixture, int index, char queue)
{
	struct work *work = &fixture->works[index];

	*work = (struct work){ .job = { .work = on_work, .done = on_done }, .fixture = fixture,
		.number = index, .queue = queue };
	return work;
}

static void
jobs_come_home(void **state)
{
	static const unsigned threads[] = { 0, 1, 4 };
	static struct fixture fixture;
	long sum;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		fixture_init(&fixture, threads[i]);
		fixture.wanted = 1000;
		for (int n = 0; n < 1000; n++)
			workers_submit(fixture.workers, &work_new(&fixture, n, 'a')->job);
		loop_run(fixture.loop);
		assert_int_equal(fixture.done_count, 1000);
		assert_true(fixture.was_on_loop);
		sum = 0;
		for (int n = 0; n < 1000; n++)
			sum += fixture.completed[n];
		assert_int_equal(sum, 999000);
		fixture_fini(&fixture);
	}
}

static void
workers_free_brings_all_home(void **state)
{
	static struct fixture fixture;

	(void)state;
	fixture_init(&fixture, 2);
	for (int n = 0; n < 500; n++)
		workers_submit(fixture.workers, &work_new(&fixture, n, 'a')->job);
	workers_free(&fixture.workers);
	assert_int_equal(fixture.done_count, 500);
	fixture_fini(&fixture);
}

static void
run_batch(void *context, struct list *jobs)
{
	struct fixture *fixture = context;

	assert_off_loop();
	if (atomic_fetch_add(&fixture->inside, 1) != 0)
		fixture->was_alone = false;
	LIST_FOREACH(jobs, link) {
		struct work *work = CONTAINER_OF(LIST_ENTRY(link, struct job, link), struct work, job);

		fixture->order[fixture->order_length++] = work->queue;
	}
	fixture->order[fixture->order_length++] = '.';
	fixture->order[fixture->order_length] = '\0';
	LIST_FOREACH(jobs, link)
		job_complete(LIST_ENTRY(link, struct job, link));
	atomic_fetch_sub(&fixture->inside, 1);
}

static void
note_idle(void *context)
{
	((struct fixture *)context)->idle_count++;
}

/* Two users with 5 and 3 jobs, at most two at a time: they take turns. */
static void
queues_take_turns(void **state)
{
	static struct fixture fixture;
	struct job_queue *a, *b;

	(void)state;
	fixture_init(&fixture, 0);
	a = job_queue_new(fixture.workers, run_batch, &fixture);
	b = job_queue_new(fixture.workers, run_batch, &fixture);
	job_queue_set_limits(a, 2, 100);
	job_queue_set_limits(b, 2, 100);
	for (int n = 0; n < 8; n++)
		assert_true(job_queue_submit(n < 5 ? a : b, &work_new(&fixture, n, n < 5 ? 'a' : 'b')->job));
	assert_int_equal(job_queue_length(a), 5);
	while (!job_queue_is_idle(a) || !job_queue_is_idle(b))
		loop_turn(fixture.loop, true);
	assert_string_equal(fixture.order, "aa.bb.aa.b.a.");
	assert_int_equal(fixture.done_count, 8);
	job_queue_free(&a);
	job_queue_free(&b);
	fixture_fini(&fixture);
}

static void
queue_keeps_order_on_many_threads(void **state)
{
	static struct fixture fixture;
	struct job_queue *queue;

	(void)state;
	fixture_init(&fixture, 4);
	queue = job_queue_new(fixture.workers, run_batch, &fixture);
	job_queue_on_idle(queue, note_idle);
	fixture.wanted = 1000;
	for (int n = 0; n < 1000; n++)
		assert_true(job_queue_submit(queue, &work_new(&fixture, n, 'a')->job));
	loop_run(fixture.loop);
	for (int n = 0; n < 1000; n++)
		assert_int_equal(fixture.completed[n], n);
	assert_true(fixture.was_alone);
	while (!job_queue_is_idle(queue))
		loop_turn(fixture.loop, true);
	assert_true(fixture.idle_count > 0);
	job_queue_free(&queue);
	fixture_fini(&fixture);
}

static void
full_queue_refuses(void **state)
{
	static struct fixture fixture;
	struct job_queue *queue;

	(void)state;
	fixture_init(&fixture, 0);
	queue = job_queue_new(fixture.workers, run_batch, &fixture);
	job_queue_set_limits(queue, 64, 3);
	for (int n = 0; n < 5; n++)
		assert_int_equal(job_queue_submit(queue, &work_new(&fixture, n, 'a')->job), n < 3);
	job_queue_free(&queue);		/* not idle: freed later */
	assert_null(queue);
	workers_free(&fixture.workers);
	assert_int_equal(fixture.done_count, 3);
	assert_string_equal(fixture.order, "aaa.");
	loop_free(&fixture.loop);
}

/* The first of two jobs comes home while the batch waits for that with the second. */
static void
run_slow_batch(void *context, struct list *jobs)
{
	struct fixture *fixture = context;
	struct job_queue *queue = LIST_ENTRY(jobs->next, struct job, link)->queue;

	job_complete(LIST_ENTRY(jobs->next, struct job, link));
	job_queue_go_on(queue);
	while (atomic_load(&fixture->inside) == 0)
		sched_yield();
	while (!list_is_empty(jobs))
		job_complete(LIST_ENTRY(jobs->next, struct job, link));
}

static void
note_inside(struct job *job)
{
	struct fixture *fixture = CONTAINER_OF(job, struct work, job)->fixture;

	atomic_fetch_add(&fixture->inside, 1);
	on_done(job);
}

static void
completed_jobs_do_not_wait_for_slow_ones(void **state)
{
	static struct fixture fixture;
	struct job_queue *queue;

	(void)state;
	fixture_init(&fixture, 1);
	fixture.wanted = 2;
	queue = job_queue_new(fixture.workers, run_slow_batch, &fixture);
	for (int n = 0; n < 2; n++) {
		struct work *work = work_new(&fixture, n, 'a');

		work->job.done = note_inside;
		assert_true(job_queue_submit(queue, &work->job));
	}
	loop_run(fixture.loop);
	assert_int_equal(fixture.done_count, 2);
	job_queue_free(&queue);
	fixture_fini(&fixture);
}

static void
wait_for_short(struct job *job)
{
	const struct fixture *fixture = CONTAINER_OF(job, struct work, job)->fixture;

	while (atomic_load(&fixture->inside) == 0)
		sched_yield();
}

static void
be_short(struct job *job)
{
	atomic_fetch_add(&CONTAINER_OF(job, struct work, job)->fixture->inside, 1);
}

/* Each of the long jobs lasts until the short one behind them was worked on. */
static void
short_jobs_do_not_stand_behind_long_ones(void **state)
{
	static const unsigned threads[] = { 2, 4, 5, 16 };
	static struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		fixture_init(&fixture, threads[i]);
		fixture.wanted = 101;
		for (int n = 0; n < 100; n++) {
			struct work *work = work_new(&fixture, n, 'a');

			work->job.work = wait_for_short;
			work->job.is_long = true;
			workers_submit(fixture.workers, &work->job);
		}
		work_new(&fixture, 100, 'a')->job.work = be_short;
		workers_submit(fixture.workers, &fixture.works[100].job);
		loop_run(fixture.loop);
		assert_int_equal(fixture.done_count, 101);
		fixture_fini(&fixture);
	}
}

/* A worker alone, or none, does them in their order. */
static void
one_worker_keeps_their_order(void **state)
{
	static struct fixture fixture;

	(void)state;
	for (unsigned threads = 0; threads < 2; threads++) {
		fixture_init(&fixture, threads);
		fixture.wanted = 100;
		for (int n = 0; n < 100; n++) {
			work_new(&fixture, n, 'a')->job.is_long = n % 3 == 0;
			workers_submit(fixture.workers, &fixture.works[n].job);
		}
		loop_run(fixture.loop);
		for (int n = 0; n < 100; n++)
			assert_int_equal(fixture.completed[n], 2 * n);
		fixture_fini(&fixture);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_come_home),
		cmocka_unit_test(workers_free_brings_all_home),
		cmocka_unit_test(queues_take_turns),
		cmocka_unit_test(queue_keeps_order_on_many_threads),
		cmocka_unit_test(full_queue_refuses),
		cmocka_unit_test(completed_jobs_do_not_wait_for_slow_ones),
		cmocka_unit_test(short_jobs_do_not_stand_behind_long_ones),
		cmocka_unit_test(one_worker_keeps_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
