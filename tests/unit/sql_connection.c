/*
 * A connection: opening, migrating, statements, transactions, flushing and blobs, on real files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "folder_fixture.h"
#include "sql/sql.h"

static char folder[64], path[96];

static int
make_folder(void **state)
{
	(void)state;
	folder_make(folder, sizeof folder, "imapd-sql");
	snprintf(path, sizeof path, "%s/test.db", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

/* The directory's schema serves as an example; these tests make a table of their own beside it. */
static struct sql *
open_with_table(void)
{
	struct sql *sql = NULL;

	assert_int_equal(sql_open(path, "directory", SQL_CREATE, &sql), SQL_OK);
	assert_int_equal(sql_run(sql_prepare(sql,
	    "CREATE TABLE IF NOT EXISTS thing (id INTEGER PRIMARY KEY, value BLOB, "
	    "CHECK (value <> x'00'))")), SQL_OK);
	return sql;
}

static enum sql_status
insert(struct sql *sql, int64_t id, struct span value)
{
	struct sql_statement *query = sql_prepare(sql, "INSERT INTO thing VALUES (?1, ?2)");

	sql_bind_number(query, 1, id);
	sql_bind_blob(query, 2, value);
	return sql_run(query);
}

static int64_t
count(struct sql *sql)
{
	struct sql_statement *query = sql_prepare(sql, "SELECT count(*) FROM thing");
	int64_t number;

	assert_int_equal(sql_step(query), SQL_ROW);
	number = sql_column_number(query, 0);
	assert_int_equal(sql_step(query), SQL_OK);
	return number;
}

static void
opens(void **state)
{
	static const struct {
		const char *pragma, *expected;
	} pragmas[] = {
		{ "PRAGMA journal_mode", "wal" },
		{ "PRAGMA synchronous", "2" },
		{ "PRAGMA secure_delete", "2" },
		{ "PRAGMA page_size", "4096" },
		{ "PRAGMA cache_size", "-1000" },
		{ "PRAGMA foreign_keys", "1" },
		{ "PRAGMA trusted_schema", "0" },
		{ "PRAGMA cell_size_check", "1" },
		{ "PRAGMA user_version", "11" },
	};
	struct stat about;
	struct sql *sql = NULL;

	(void)state;
	assert_int_equal(sql_open(path, "directory", 0, &sql), SQL_NOT_FOUND);
	assert_null(sql);
	sql = open_with_table();
	for (size_t i = 0; i < COUNT_OF(pragmas); i++) {
		struct sql_statement *query = sql_prepare(sql, pragmas[i].pragma);

		assert_int_equal(sql_step(query), SQL_ROW);
		assert_true(span_equals(sql_column_text(query, 0),
		    span_from_string(pragmas[i].expected)));
		sql_reset(query);
	}
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	sql_close(&sql);
	assert_null(sql);
	sql_close(&sql);
	assert_int_equal(sql_open(path, "directory", 0, &sql), SQL_OK);
	sql_close(&sql);
}

/* A backup's folder is anybody's: what a file brings with it beside rows is not run. */
static void
runs_no_triggers(void **state)
{
	struct sql *sql = open_with_table();
	sqlite3 *foreign;

	(void)state;
	sql_close(&sql);
	assert_int_equal(sqlite3_open(path, &foreign), SQLITE_OK);
	assert_int_equal(sqlite3_exec(foreign, "CREATE TRIGGER lost AFTER INSERT ON thing BEGIN DELETE FROM thing; END;", NULL, NULL,
	    NULL), SQLITE_OK);
	sqlite3_close(foreign);
	sql = open_with_table();
	assert_int_equal(insert(sql, 1, SPAN("one")), SQL_OK);
	assert_int_equal(insert(sql, 2, SPAN("two")), SQL_OK);
	assert_int_equal(count(sql), 2);
	sql_close(&sql);
}

static void
refuses_foreign_files(void **state)
{
	struct sql *sql = NULL;
	char text[8192];
	FILE *file;

	(void)state;
	sql = open_with_table();
	assert_int_equal(sql_run(sql_prepare(sql, "PRAGMA user_version = 99")), SQL_OK);
	sql_close(&sql);
	assert_int_equal(sql_open(path, "directory", 0, &sql), SQL_TOO_NEW);

	memset(text, 'x', sizeof text);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, sizeof text, file), sizeof text);
	fclose(file);
	assert_int_equal(sql_open(path, "directory", SQL_CREATE, &sql), SQL_CORRUPT);
	assert_null(sql);
	assert_int_equal(sql_open("/nonexistent/x.db", "directory", SQL_CREATE, &sql), SQL_NOT_FOUND);
}

static void
keeps_values(void **state)
{
	static const struct {
		struct span value;
	} cases[] = {
		{ SPAN("") }, { SPAN("a") }, { SPAN("with\0nul") }, { SPAN("\xff\xfe") },
	};
	struct sql *sql = open_with_table();
	struct sql_statement *query;
	enum sql_status status;
	size_t i = 0;

	(void)state;
	for (i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(insert(sql, INT64_MAX - (int64_t)i, cases[i].value), SQL_OK);
	assert_int_equal(sql_last_row_id(sql), INT64_MAX - 3);
	assert_int_equal(sql_changed_rows(sql), 1);
	query = sql_prepare(sql, "SELECT id, value, NULL FROM thing WHERE id > ?1 ORDER BY id DESC");
	sql_bind_number(query, 1, 5);
	for (i = 0; (status = sql_step(query)) == SQL_ROW; i++) {
		assert_true(sql_column_number(query, 0) == INT64_MAX - (int64_t)i);
		assert_true(span_equals(sql_column_blob(query, 1), cases[i].value));
		assert_false(sql_column_is_null(query, 1));
		assert_true(sql_column_is_null(query, 2));
	}
	assert_int_equal(status, SQL_OK);
	assert_int_equal(i, COUNT_OF(cases));
	sql_close(&sql);
}

static void
reports_constraints(void **state)
{
	struct sql *sql = open_with_table();

	(void)state;
	assert_int_equal(insert(sql, 1, SPAN("a")), SQL_OK);
	assert_int_equal(insert(sql, 1, SPAN("b")), SQL_CONSTRAINT);
	assert_int_equal(insert(sql, 2, SPAN("\0")), SQL_CONSTRAINT);
	assert_int_equal(insert(sql, 2, SPAN("b")), SQL_OK);	/* the statement is usable again */
	assert_int_equal(sql_run(sql_prepare(sql, "SELECT x FROM missing")), SQL_CORRUPT);
	assert_int_equal(sql_run(sql_prepare(sql, "INSERT INTO thing (id) SELECT 'five'")), SQL_CORRUPT);
	assert_false(sql_is_poisoned(sql));
	sql_close(&sql);
}

static void
ends_transactions(void **state)
{
	struct sql *sql = open_with_table();

	(void)state;
	assert_int_equal(sql_begin(sql), SQL_OK);
	assert_int_equal(insert(sql, 1, SPAN("a")), SQL_OK);
	assert_int_equal(sql_end(sql, SQL_CONSTRAINT), SQL_CONSTRAINT);
	assert_int_equal(count(sql), 0);

	assert_int_equal(sql_begin(sql), SQL_OK);
	assert_int_equal(insert(sql, 1, SPAN("a")), SQL_OK);
	assert_int_equal(sql_savepoint(sql), SQL_OK);
	assert_int_equal(insert(sql, 2, SPAN("b")), SQL_OK);
	assert_int_equal(sql_savepoint(sql), SQL_OK);
	assert_int_equal(insert(sql, 3, SPAN("c")), SQL_OK);
	assert_int_equal(sql_savepoint_end(sql, SQL_OK), SQL_OK);
	assert_int_equal(count(sql), 3);
	assert_int_equal(sql_savepoint_end(sql, SQL_CONSTRAINT), SQL_CONSTRAINT);
	assert_int_equal(count(sql), 1);
	assert_int_equal(sql_end(sql, SQL_OK), SQL_OK);
	assert_false(sql_is_in_transaction(sql));

	assert_int_equal(sql_begin_read(sql), SQL_OK);
	assert_int_equal(count(sql), 1);
	assert_int_equal(sql_commit(sql), SQL_OK);
	sql_rollback(sql);
	assert_int_equal(sql_commit(sql), SQL_FULL);	/* as if SQLite had ended it */
	sql_close(&sql);
}

static void
reads_and_writes_blobs(void **state)
{
	struct sql *sql = open_with_table();
	struct sql_statement *query = sql_prepare(sql, "INSERT INTO thing VALUES (7, ?1)");
	struct sql_blob *blob = NULL;
	char text[8];

	(void)state;
	assert_int_equal(sql_begin(sql), SQL_OK);
	sql_bind_zeros(query, 1, 100000);
	assert_int_equal(sql_run(query), SQL_OK);
	assert_int_equal(sql_blob_open_write(sql, "thing", "value", 7, &blob), SQL_OK);
	assert_int_equal(sql_blob_write(blob, 99990, SPAN("0123456789")), SQL_OK);
	sql_blob_close(&blob);
	assert_int_equal(insert(sql, 8, SPAN("short")), SQL_OK);
	assert_int_equal(sql_commit(sql), SQL_OK);

	assert_int_equal(sql_blob_open(sql, "thing", "value", 6, &blob), SQL_NOT_FOUND);
	assert_null(blob);
	assert_int_equal(sql_blob_open(sql, "thing", "value", 7, &blob), SQL_OK);
	assert_int_equal(sql_blob_length(blob), 100000);
	assert_int_equal(sql_blob_read(blob, 99992, text, sizeof text), SQL_OK);
	assert_memory_equal(text, "23456789", 8);
	assert_int_equal(sql_blob_move(blob, 8), SQL_OK);
	assert_int_equal(sql_blob_length(blob), 5);
	assert_int_equal(sql_blob_move(blob, 9), SQL_NOT_FOUND);
	sql_blob_close(&blob);
	sql_blob_close(&blob);
	assert_int_equal(count(sql), 2);
	sql_close(&sql);
}

/* A file system that counts flushes, and fails them on demand. */
static int flushes, fail_flushes;
static sqlite3_vfs spy;
static sqlite3_vfs *real;
static sqlite3_io_methods spy_methods[2];	/* of databases, and of journals, which are not locked */
static int (*real_sync)(sqlite3_file *file, int flags);

static int
spy_sync(sqlite3_file *file, int flags)
{
	flushes++;
	return fail_flushes ? SQLITE_IOERR_FSYNC : real_sync(file, flags);
}

static int
spy_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *flags_out)
{
	int code = real->xOpen(vfs, name, file, flags, flags_out);

	if (code == SQLITE_OK && file->pMethods != NULL) {
		sqlite3_io_methods *methods = &spy_methods[(flags & SQLITE_OPEN_MAIN_DB) == 0];

		*methods = *file->pMethods;
		real_sync = methods->xSync;
		methods->xSync = spy_sync;
		file->pMethods = methods;
	}
	return code;
}

static int
install_spy(void **state)
{
	real = sqlite3_vfs_find(NULL);
	spy = *real;
	spy.zName = "spy";
	spy.xOpen = spy_open;
	sqlite3_vfs_register(&spy, 1);
	fail_flushes = 0;
	return make_folder(state);
}

static int
remove_spy(void **state)
{
	sqlite3_vfs_unregister(&spy);
	sqlite3_vfs_register(real, 1);
	return remove_folder(state);
}

static void
flushes_as_promised(void **state)
{
	struct sql *sql = open_with_table();

	(void)state;
	flushes = 0;
	assert_int_equal(insert(sql, 1, SPAN("a")), SQL_OK);
	assert_int_equal(flushes, 1);
	assert_int_equal(sql_flush(sql), SQL_OK);
	assert_int_equal(flushes, 1);

	assert_int_equal(sql_set_sync(sql, SQL_SYNC_NORMAL), SQL_OK);
	assert_int_equal(insert(sql, 2, SPAN("b")), SQL_OK);
	assert_int_equal(flushes, 1);
	assert_int_equal(sql_set_sync(sql, SQL_SYNC_FULL), SQL_OK);
	/* A transaction that writes nothing flushes nothing, and must not hide the one before. */
	assert_int_equal(sql_begin(sql), SQL_OK);
	assert_int_equal(sql_commit(sql), SQL_OK);
	assert_int_equal(sql_flush(sql), SQL_OK);
	assert_int_equal(flushes, 2);
	assert_int_equal(sql_flush(sql), SQL_OK);
	assert_int_equal(flushes, 2);
	assert_int_equal(sql_checkpoint(sql), SQL_OK);
	sql_close(&sql);
}

static void
is_poisoned_by_a_failed_flush(void **state)
{
	struct sql *sql = open_with_table();

	(void)state;
	assert_int_equal(insert(sql, 1, SPAN("a")), SQL_OK);
	fail_flushes = 1;
	assert_int_equal(insert(sql, 2, SPAN("b")), SQL_IO);
	fail_flushes = 0;
	assert_true(sql_is_poisoned(sql));
	assert_int_equal(insert(sql, 3, SPAN("c")), SQL_IO);
	assert_int_equal(sql_begin(sql), SQL_IO);
	assert_int_equal(sql_set_sync(sql, SQL_SYNC_NORMAL), SQL_IO);
	assert_int_equal(sql_flush(sql), SQL_IO);
	assert_int_equal(sql_checkpoint(sql), SQL_IO);
	sql_close(&sql);
	sql = open_with_table();
	assert_int_equal(insert(sql, 3, SPAN("c")), SQL_OK);
	sql_close(&sql);
}

static void
finds_damage(void **state)
{
	struct sql *sql = open_with_table();
	struct buffer findings = { 0 };
	char garbage[2048];
	int file;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		char value[32];

		snprintf(value, sizeof value, "a value numbered %d", i);
		assert_int_equal(insert(sql, i, span_from_string(value)), SQL_OK);
	}
	assert_int_equal(sql_quick_check(sql, &findings), SQL_OK);
	assert_int_equal(findings.length, 0);
	sql_close(&sql);

	memset(garbage, 0xa5, sizeof garbage);
	file = open(path, O_WRONLY);
	assert_int_equal(pwrite(file, garbage, sizeof garbage, 4096 * 12), sizeof garbage);
	close(file);
	assert_int_equal(sql_open(path, "directory", 0, &sql), SQL_OK);
	assert_int_equal(sql_quick_check(sql, &findings), SQL_CORRUPT);
	sql_close(&sql);
	buffer_free(&findings);
}

/* The pages of what was written stay in memory, as far as they may. */
static void
holds_as_much_as_it_may(void **state)
{
	static const uint8_t octets[3000] = { 1 };
	struct sql *sql = open_with_table();

	(void)state;
	assert_int_equal(sql_set_cache(sql, 500), SQL_OK);
	assert_int_equal(sql_begin(sql), SQL_OK);
	for (int64_t id = 1; id <= 400; id++)
		assert_int_equal(insert(sql, id, span_of(octets, sizeof octets)), SQL_OK);
	assert_int_equal(sql_commit(sql), SQL_OK);
	assert_in_range(sql_page_octets(sql), 400 * 1024, 600 * 1024);
	assert_int_equal(sql_set_cache(sql, 125), SQL_OK);
	assert_in_range(sql_page_octets(sql), 80 * 1024, 200 * 1024);
	assert_int_equal(count(sql), 400);
	assert_in_range(sql_page_octets(sql), 80 * 1024, 200 * 1024);
	sql_close(&sql);
}

int
main(void)
{
#define ON_FILES(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
#define ON_SPY(test) cmocka_unit_test_setup_teardown(test, install_spy, remove_spy)
	const struct CMUnitTest tests[] = {
		ON_FILES(opens),
		ON_FILES(runs_no_triggers),
		ON_FILES(refuses_foreign_files),
		ON_FILES(keeps_values),
		ON_FILES(reports_constraints),
		ON_FILES(ends_transactions),
		ON_FILES(reads_and_writes_blobs),
		ON_FILES(finds_damage),
		ON_FILES(holds_as_much_as_it_may),
		ON_SPY(flushes_as_promised),
		ON_SPY(is_poisoned_by_a_failed_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
