/*
 * A file read as it lies there, beside the connection that writes to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "folder_fixture.h"
#include "sql/still.h"

#define ENDLESS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

static char folder[64], path[96];
static struct sql *sql;
static struct sql_still *still;

static void
execute(const char *text)
{
	assert_int_equal(sql_run(sql_prepare(sql, text)), SQL_OK);
}

static int
set_up(void **state)
{
	(void)state;
	folder_make(folder, sizeof folder, "imapd-still");
	snprintf(path, sizeof path, "%s/a %% b?mode=ro#.db", folder);	/* a path is no URI */
	assert_int_equal(sql_open(path, "directory", SQL_CREATE | SQL_LEAVE_WAL | SQL_SOLE, &sql), SQL_OK);
	execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, value BLOB)");
	execute("INSERT INTO thing SELECT value, zeroblob(3000) FROM json_each('[1,2,3,4,5,6,7,8,9,10]')");
	still = sql_still_new();
	return 0;
}

static int
tear_down(void **state)
{
	char command[160];

	(void)state;
	sql_close(&sql);
	sql_still_free(&still);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static enum sql_status
count(struct sql *from, int64_t *number_out)
{
	struct sql_statement *query = sql_prepare(from, "SELECT count(*), sum(length(value)) FROM thing");
	enum sql_status status = sql_step(query);

	*number_out = status == SQL_ROW ? sql_column_number(query, 0) : -1;
	sql_reset(query);
	return status;
}

static void
assert_count(struct sql *from, int64_t expected)
{
	int64_t number;

	assert_int_equal(count(from, &number), SQL_ROW);
	assert_int_equal(number, expected);
}

static struct sql *
open_still(void)
{
	struct sql *opened = NULL;

	assert_int_equal(sql_open_still(path, still, &opened), SQL_OK);
	return opened;
}

/* Whatever is done, with or without a page that is read, ends. */
static void
assert_over(struct sql *beside)
{
	assert_int_equal(sql_step(sql_prepare(beside, ENDLESS)), SQL_IO);
	sql_close(&beside);
}

/* What was in the WAL is there; what comes then is not, and is no matter; nor is who reads, to who writes. */
static void
test_as_it_was(void **state)
{
	struct buffer findings = { 0 };
	struct sql *beside;

	(void)state;
	assert_int_equal(sql_still_begin(sql, still), SQL_OK);
	beside = open_still();
	assert_count(beside, 10);
	execute("DELETE FROM thing WHERE id > 5");
	assert_int_equal(sql_flush(sql), SQL_OK);
	assert_count(beside, 10);
	assert_count(sql, 5);
	assert_int_equal(sql_quick_check(beside, &findings), SQL_OK);
	assert_int_equal(findings.length, 0);
	assert_true(sql_still_octets(still) >= 4096);
	assert_false(sql_still_has_moved(still));
	sql_close(&beside);
	sql_still_end(still);
	assert_int_equal(sql_checkpoint(sql), SQL_OK);
	assert_false(sql_still_has_moved(still));	/* nobody asks any more */
	buffer_free(&findings);
}

/* The WAL is folded: what was read is worth nothing, and it is begun anew. */
static void
test_moved(void **state)
{
	struct sql *beside;

	(void)state;
	assert_int_equal(sql_still_begin(sql, still), SQL_OK);
	beside = open_still();
	assert_count(beside, 10);
	execute("DELETE FROM thing WHERE id > 5");
	assert_int_equal(sql_fold(sql), SQL_OK);
	assert_true(sql_still_has_moved(still));
	assert_over(beside);
	assert_int_equal(sql_still_begin(sql, still), SQL_OK);
	assert_false(sql_still_has_moved(still));
	beside = open_still();
	assert_count(beside, 5);
	sql_close(&beside);
	sql_still_end(still);
}

static void
test_closed(void **state)
{
	(void)state;
	assert_int_equal(sql_still_begin(sql, still), SQL_OK);
	sql_close(&sql);
	assert_true(sql_still_has_moved(still));
	sql_still_end(still);
}

/* At once and for ever; who writes is not concerned. */
static void
test_stopped(void **state)
{
	struct sql *beside;
	int64_t number;

	(void)state;
	assert_int_equal(sql_still_begin(sql, still), SQL_OK);
	beside = open_still();
	sql_still_stop(still);
	assert_over(beside);
	assert_int_equal(sql_still_begin(sql, still), SQL_OK);
	beside = open_still();
	assert_int_equal(count(beside, &number), SQL_IO);
	sql_close(&beside);
	assert_count(sql, 10);
	execute("DELETE FROM thing");
	sql_still_end(still);
}

/* A connection that writes can be ended, too: what it was at is undone. */
static void
test_stopped_by_a_flag(void **state)
{
	atomic_bool flag = false;
	int64_t number;

	(void)state;
	sql_stop_by(sql, &flag);
	assert_count(sql, 10);
	assert_int_equal(sql_begin(sql), SQL_OK);
	execute("DELETE FROM thing WHERE id > 5");
	atomic_store(&flag, true);
	assert_int_equal(sql_step(sql_prepare(sql, ENDLESS)), SQL_IO);
	assert_true(sql_is_poisoned(sql));
	assert_int_equal(count(sql, &number), SQL_IO);
	sql_close(&sql);
	assert_int_equal(sql_open(path, "directory", SQL_LEAVE_WAL | SQL_SOLE, &sql), SQL_OK);
	assert_count(sql, 10);
}

/* Of an older state not all is in the file. */
static void
test_foreign_reader(void **state)
{
	sqlite3 *foreign;

	(void)state;
	assert_int_equal(sqlite3_open_v2(path, &foreign, SQLITE_OPEN_READONLY, "unix"), SQLITE_OK);
	assert_int_equal(sqlite3_exec(foreign, "BEGIN; SELECT * FROM thing", NULL, NULL, NULL), SQLITE_OK);
	execute("DELETE FROM thing WHERE id > 5");
	assert_int_equal(sql_still_begin(sql, still), SQL_BUSY);
	assert_int_equal(sqlite3_exec(foreign, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(foreign);
	assert_int_equal(sql_still_begin(sql, still), SQL_OK);
	sql_still_end(still);
}

#define ON_FILES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_FILES(test_as_it_was),
		ON_FILES(test_moved),
		ON_FILES(test_closed),
		ON_FILES(test_stopped),
		ON_FILES(test_stopped_by_a_flag),
		ON_FILES(test_foreign_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
