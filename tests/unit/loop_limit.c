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
static atomic_int inside, most, freed;

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_are_busy),
		cmocka_unit_test(another_works_while_one_waits),
		cmocka_unit_test(another_works_when_somebody_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
