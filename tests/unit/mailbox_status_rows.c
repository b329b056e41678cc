/*
 * Rows that STATUS remembers: until something changes, or for some seconds; and how many are read at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../src/mailbox/shared/status_rows.h"

#define SECOND UINT64_C(1000000)

static void
add(struct status_rows *rows, uint64_t changes, uint64_t now_us, const char *name, uint32_t messages)
{
	status_rows_add(rows, changes, now_us, &(struct store_mailbox){ .name = name, .messages = messages }, 1);
}

/* -1: there is none. */
static int
messages_of(struct status_rows *rows, uint64_t now_us, const char *name)
{
	const struct store_mailbox *row = status_rows_find(rows, now_us, span_from_string(name));

	return row != NULL ? (int)row->messages : -1;
}

static void
until_something_changes(void **state)
{
	struct status_rows rows = { 0 };
	uint64_t before;

	(void)state;
	assert_int_equal(messages_of(&rows, SECOND, "a"), -1);
	add(&rows, 0, SECOND, "a", 1);
	add(&rows, 0, SECOND, "b", 2);
	assert_int_equal(messages_of(&rows, SECOND, "a"), 1);
	assert_int_equal(messages_of(&rows, SECOND, "b"), 2);
	add(&rows, 0, SECOND, "a", 3);
	assert_int_equal(messages_of(&rows, SECOND, "a"), 3);
	before = rows.changes;
	status_rows_change(&rows);
	assert_int_equal(messages_of(&rows, SECOND, "a"), -1);
	add(&rows, before, SECOND, "a", 3);		/* was read before the change */
	assert_int_equal(messages_of(&rows, SECOND, "a"), -1);
	status_rows_fini(&rows);
}

static void
for_some_seconds(void **state)
{
	struct status_rows rows = { 0 };

	(void)state;
	add(&rows, 0, 10 * SECOND, "a", 1);
	add(&rows, 0, 14 * SECOND, "b", 2);
	assert_int_equal(messages_of(&rows, 15 * SECOND, "a"), 1);
	assert_int_equal(messages_of(&rows, 16 * SECOND, "b"), -1);
	add(&rows, 0, 20 * SECOND, "a", 1);
	status_rows_sweep(&rows, 24 * SECOND);
	assert_non_null(rows.by_name);
	status_rows_sweep(&rows, 26 * SECOND);
	assert_null(rows.by_name);
}

static void
more_at_a_time_while_they_are_missing(void **state)
{
	struct status_rows rows = { 0 };

	(void)state;
	assert_int_equal(status_rows_ahead(&rows), 1);
	assert_int_equal(status_rows_ahead(&rows), 1);	/* nothing came of the first */
	add(&rows, 0, SECOND, "a", 1);
	for (size_t ahead = 2; ahead <= 64; ahead *= 2)
		assert_int_equal(status_rows_ahead(&rows), ahead);
	assert_int_equal(status_rows_ahead(&rows), 64);
	status_rows_change(&rows);
	assert_int_equal(status_rows_ahead(&rows), 1);
	status_rows_fini(&rows);
}

static void
memory_is_bounded(void **state)
{
	struct status_rows rows = { 0 };
	char name[16];
	int known = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "%d", i);
		add(&rows, 0, SECOND, name, 1);
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "%d", i);
		known += messages_of(&rows, SECOND, name) == 1;
	}
	assert_true(known > 0 && known <= 1024);
	assert_int_equal(messages_of(&rows, SECOND, "4999"), 1);
	status_rows_fini(&rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until_something_changes),
		cmocka_unit_test(for_some_seconds),
		cmocka_unit_test(more_at_a_time_while_they_are_missing),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
