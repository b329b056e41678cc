/*
 * Spools: in memory, in a file, with a disk that is behind, and without room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/memory.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "loop/spool.h"

struct fixture {
	struct loop *loop;
	struct workers *workers;
	struct spool *spool;
	struct job check;
	size_t expected;
	bool is_right, has_room, is_finished;
	enum spool_status status;
};

static void
on_room(void *context)
{
	struct fixture *fixture = context;

	fixture->has_room = true;
}

static void
on_finished(enum spool_status status, void *context)
{
	struct fixture *fixture = context;

	fixture->status = status;
	fixture->is_finished = true;
}

static bool
is_pattern(struct span contents)
{
	for (size_t i = 0; i < contents.length; i++)
		if (contents.at[i] != (uint8_t)(i / 1000))
			return false;
	return true;
}

static void
check(struct job *job)
{
	struct fixture *fixture = CONTAINER_OF(job, struct fixture, check);
	struct span contents;

	fixture->is_right = spool_contents(fixture->spool, &contents) &&
	    contents.length == fixture->expected && is_pattern(contents);
	/* What was used takes no memory, and is there all the same. */
	for (uint64_t end = 0; end <= fixture->expected; end += 4097)
		spool_used(fixture->spool, end);
	spool_used(fixture->spool, UINT64_MAX);
	fixture->is_right = fixture->is_right && is_pattern(contents);
}

static void
checked(struct job *job)
{
	loop_stop(CONTAINER_OF(job, struct fixture, check)->loop);
}

static void
fill(struct fixture *fixture, size_t size)
{
	uint8_t piece[1000];

	for (size_t at = 0; at < size; at += sizeof piece) {
		size_t length = size - at < sizeof piece ? size - at : sizeof piece;

		memset(piece, (int)(at / 1000), sizeof piece);
		fixture->has_room = false;
		spool_add(fixture->spool, span_of(piece, length));
		while (spool_is_congested(fixture->spool))
			loop_turn(fixture->loop, true);
	}
}

static void
spool_gives_back_what_came(void **state)
{
	static const size_t sizes[] = { 0, 1, 1000, 9999, 10000, 10001, 64 * 1024, 3000000 };
	static const unsigned threads[] = { 0, 2 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes) * COUNT_OF(threads); i++) {
		struct fixture fixture = { .expected = sizes[i / 2] };

		fixture.loop = loop_new();
		fixture.workers = workers_new(fixture.loop, "disk", threads[i % 2]);
		fixture.spool = spool_new(fixture.loop, fixture.workers, "/tmp", 10000);
		spool_on_room(fixture.spool, on_room, &fixture);
		fill(&fixture, fixture.expected);
		spool_finish(fixture.spool, on_finished, &fixture);
		assert_false(fixture.is_finished);
		while (!fixture.is_finished)
			loop_turn(fixture.loop, true);
		assert_int_equal(fixture.status, SPOOL_OK);
		assert_int_equal(spool_size(fixture.spool), fixture.expected);
		fixture.check = (struct job){ .work = check, .done = checked };
		workers_submit(fixture.workers, &fixture.check);
		loop_run(fixture.loop);
		assert_true(fixture.is_right);
		spool_free(&fixture.spool);
		workers_free(&fixture.workers);
		loop_free(&fixture.loop);
	}
}

static void
ignore_log(enum log_level level, struct span line, void *context)
{
	(void)level;
	(void)line;
	(void)context;
}

static void
missing_directory_is_an_error(void **state)
{
	struct fixture fixture = { 0 };

	(void)state;
	log_set_sink(ignore_log, NULL);
	fixture.loop = loop_new();
	fixture.workers = workers_new(fixture.loop, "disk", 1);
	fixture.spool = spool_new(fixture.loop, fixture.workers, "/nowhere/at/all", 1000);
	fill(&fixture, 2000000);
	spool_finish(fixture.spool, on_finished, &fixture);
	while (!fixture.is_finished)
		loop_turn(fixture.loop, true);
	assert_int_equal(fixture.status, SPOOL_FAILED);
	assert_int_equal(spool_size(fixture.spool), 2000000);
	spool_free(&fixture.spool);
	workers_free(&fixture.workers);
	loop_free(&fixture.loop);
	log_set_sink(NULL, NULL);
}

static void
freed_while_writing(void **state)
{
	struct fixture fixture = { 0 };
	static uint8_t octets[400000];

	(void)state;
	fixture.loop = loop_new();
	fixture.workers = workers_new(fixture.loop, "disk", 1);
	fixture.spool = spool_new(fixture.loop, fixture.workers, "/tmp", 1000);
	spool_on_room(fixture.spool, on_room, &fixture);
	spool_add(fixture.spool, span_of(octets, sizeof octets));
	spool_add(fixture.spool, span_of(octets, sizeof octets));
	assert_true(spool_is_congested(fixture.spool));
	spool_free(&fixture.spool);
	workers_free(&fixture.workers);
	assert_false(fixture.has_room);
	loop_free(&fixture.loop);
}

/* How it ends with a folder in which no file can be made: in memory all is well. */
static enum spool_status
fill_without_file(struct fixture *fixture, size_t size)
{
	fixture->is_finished = false;
	fixture->spool = spool_new(fixture->loop, fixture->workers, "/nowhere/at/all", 1000);
	spool_on_room(fixture->spool, on_room, fixture);
	fill(fixture, size);
	spool_finish(fixture->spool, on_finished, fixture);
	while (!fixture->is_finished)
		loop_turn(fixture->loop, true);
	return fixture->status;
}

static void
what_is_shared_is_bounded(void **state)
{
	static const struct { size_t size; bool is_kept, is_in_memory; } cases[] = {
		{ 1000, false, true }, { 512000, false, true }, { 600000, false, false }, { 512000, true, true },
		{ 512000, false, true }, { 512000, true, true }, { 1000, false, true }, { 1001, false, false },
	};
	struct fixture fixture = { 0 };
	struct spool *kept[COUNT_OF(cases)] = { NULL };

	(void)state;
	log_set_sink(ignore_log, NULL);
	fixture.loop = loop_new();
	fixture.workers = workers_new(fixture.loop, "disk", 1);
	spool_share(fixture.loop, 1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(fill_without_file(&fixture, cases[i].size) == SPOOL_OK, cases[i].is_in_memory);
		if (cases[i].is_kept)
			kept[i] = fixture.spool;
		else
			spool_free(&fixture.spool);
	}
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		spool_free(&kept[i]);
	assert_int_equal(fill_without_file(&fixture, 512000), SPOOL_OK);
	spool_free(&fixture.spool);
	workers_free(&fixture.workers);
	loop_free(&fixture.loop);
	log_set_sink(NULL, NULL);
}

/* What one has left for the next holds nothing of what it held. */
static void
contents_in_spare_memory(void **state)
{
	static const size_t sizes[] = { 1500000, 400000, 1000, 900000, 2000000, 300000, 1500000 };
	struct fixture fixture = { 0 };

	(void)state;
	fixture.loop = loop_new();
	fixture.workers = workers_new(fixture.loop, "disk", 1);
	spool_share(fixture.loop, 4 * 1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		fixture.expected = sizes[i];
		assert_int_equal(fill_without_file(&fixture, sizes[i]), SPOOL_OK);
		fixture.check = (struct job){ .work = check, .done = checked };
		workers_submit(fixture.workers, &fixture.check);
		loop_run(fixture.loop);
		assert_true(fixture.is_right);
		spool_free(&fixture.spool);
	}
	workers_free(&fixture.workers);
	loop_free(&fixture.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spool_gives_back_what_came),
		cmocka_unit_test(missing_directory_is_an_error),
		cmocka_unit_test(freed_while_writing),
		cmocka_unit_test(what_is_shared_is_bounded),
		cmocka_unit_test(contents_in_spare_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
