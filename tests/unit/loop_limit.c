/*
 * How many workers are busy at a time where that was said, and who takes the place of those that wait.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "loop/job.h"
#include "loop/loop.h"

#define JOBS 200

struct fixture {
	struct loop *loop;
	struct workers *workers;
	struct job jobs[JOBS];
	int wanted, done;
};

static struct fixture fixture;
static atomic_int inside, most, freed, rounds;
static atomic_bool is_reading, has_read;

static void
on_done(struct job *job)
{
	(void)job;
	if (++fixture.done == fixture.wanted)
		loop_stop(fixture.loop);
}

static void
run(unsigned limit, int count, void (*work)(struct job *job))
{
	fixture = (struct fixture){ .wanted = count };
	inside = most = freed = 0;
	fixture.loop = loop_new();
	fixture.workers = workers_new(fixture.loop, "test", 8);
	workers_limit(fixture.workers, limit);
	for (int i = 0; i < count; i++) {
		fixture.jobs[i] = (struct job){ .work = work, .done = on_done };
		workers_submit(fixture.workers, &fixture.jobs[i]);
	}
	loop_run(fixture.loop);
	assert_int_equal(fixture.done, count);
	workers_free(&fixture.workers);
	loop_free(&fixture.loop);
}

static void
be_counted(struct job *job)
{
	int now = ++inside;

	(void)job;
	while (most < now)
		most = now;
	for (int i = 0; i < 20; i++)
		sched_yield();
	inside--;
}

/* The clock stands still, so that none seems to be at it for long. */
static void
no_more_are_busy(void **state)
{
	(void)state;
	for (unsigned limit = 1; limit < 4; limit++) {
		clock_fake(1000000, 1000000);
		run(limit, JOBS, be_counted);
		clock_fake(0, 0);
		assert_in_range(most, 1, limit);
	}
}

/* The last one lets all others go on. */
static void
await_the_last(void)
{
	while (freed == 0)
		sched_yield();
}

static bool
is_last(const struct job *job)
{
	return job == &fixture.jobs[fixture.wanted - 1];
}

static void
flush(struct job *job)
{
	if (is_last(job)) {
		freed = 1;
		return;
	}
	thread_begin_wait(true);
	await_the_last();
	thread_end_wait();
}

/* With a clock that stands still nothing but what they say of it brings the last one on. */
static void
another_works_while_one_waits(void **state)
{
	(void)state;
	clock_fake(1000000, 1000000);
	run(1, 8, flush);
	clock_fake(0, 0);
}

static void
read_slowly(struct job *job)
{
	if (is_last(job)) {
		freed = 1;
		return;
	}
	thread_begin_wait(false);
	await_the_last();
	thread_end_wait();
}

static void
say_nothing(struct job *job)
{
	if (is_last(job))
		freed = 1;
	else
		await_the_last();
}

static void
another_works_when_somebody_looks(void **state)
{
	(void)state;
	run(1, 8, read_slowly);
	run(2, 8, say_nothing);
}

static void
read_then_stay(struct job *job)
{
	(void)job;
	thread_begin_wait(true);
	is_reading = true;
	while (rounds == 0)
		sched_yield();
	thread_end_wait();
	has_read = true;
	await_the_last();
}

static void
come_again(struct job *job)
{
	if (++rounds == 2) {
		freed = 1;
		return;
	}
	while (!has_read)
		sched_yield();
	job->is_again = true;
}

/* The loop looks after what was submitted, not after a job that a worker has put back and may not go on with. */
static void
another_works_on_what_was_put_back(void **state)
{
	(void)state;
	fixture = (struct fixture){ .wanted = 2, .jobs = { { .work = read_then_stay, .done = on_done },
		{ .work = come_again, .done = on_done } } };
	freed = rounds = 0;
	is_reading = has_read = false;
	fixture.loop = loop_new();
	fixture.workers = workers_new(fixture.loop, "test", 8);
	workers_limit(fixture.workers, 1);
	workers_submit(fixture.workers, &fixture.jobs[0]);
	while (!is_reading)
		sched_yield();
	workers_submit(fixture.workers, &fixture.jobs[1]);
	loop_run(fixture.loop);
	assert_int_equal(fixture.done, 2);
	workers_free(&fixture.workers);
	loop_free(&fixture.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_are_busy),
		cmocka_unit_test(another_works_while_one_waits),
		cmocka_unit_test(another_works_when_somebody_looks),
		cmocka_unit_test(another_works_on_what_was_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
