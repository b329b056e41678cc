/*
 * Writes that go out together: how many are left of them, that another program sees what was committed and nothing
 * else, and what comes of writes that fail.  What SQLite itself makes of the files is the judge: a connection of its
 * own, on its own VFS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "../fault/vfs.h"
#include "base/log.h"
#include "base/memory.h"
#include "folder_fixture.h"
#include "sql/sql.h"

#define ROW_COUNT 24
#define SIZE_MAX_OCTETS 60000
#define ROUNDS 400

static char folder[64], path[96], copy[96], index_of_copy[112];

static int
make_folder(void **state)
{
	(void)state;
	folder_make(folder, sizeof folder, "imapd-gather");
	snprintf(path, sizeof path, "%s/test.db", folder);
	snprintf(copy, sizeof copy, "%s/copy.db", folder);
	snprintf(index_of_copy, sizeof index_of_copy, "%s-shm", copy);
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

static unsigned open_flags = SQL_SOLE;

/* The cache is small, so that pages leave it in the middle of a transaction, and come back. */
static struct sql *
open_small(void)
{
	struct sql *sql = NULL;
	struct sql_statement *cache;

	assert_int_equal(sql_open(path, "directory", SQL_CREATE | open_flags, &sql), SQL_OK);
	cache = sql_prepare(sql, "PRAGMA cache_size = 20");
	assert_int_equal(sql_run(cache), SQL_OK);
	assert_int_equal(sql_run(sql_prepare(sql,
	    "CREATE TABLE IF NOT EXISTS thing (id INTEGER PRIMARY KEY, value BLOB)")), SQL_OK);
	return sql;
}

/* A row's value is made from its seed; 0 is a row that is not there. */
static struct span
make_value(uint32_t seed)
{
	static uint32_t words[SIZE_MAX_OCTETS / 4];
	uint32_t state = seed;

	for (size_t i = 0; i < COUNT_OF(words); i++)
		words[i] = state = state * 1664525 + 1013904223;
	return span_of(words, seed * 2654435761u % SIZE_MAX_OCTETS);
}

static enum sql_status
put(struct sql *sql, int id, uint32_t seed)
{
	struct sql_statement *statement = sql_prepare(sql, "INSERT OR REPLACE INTO thing VALUES (?1, ?2)");

	if (seed == 0)
		statement = sql_prepare(sql, "DELETE FROM thing WHERE id = ?1");
	sql_bind_number(statement, 1, id);
	if (seed != 0)
		sql_bind_blob(statement, 2, make_value(seed));
	return sql_run(statement);
}

static sqlite3 *
open_foreign(const char *name)
{
	sqlite3 *foreign = NULL;

	assert_int_equal(sqlite3_open_v2(name, &foreign, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
	return foreign;
}

/* Whether the rows that another program reads are those. */
static bool
holds(sqlite3 *foreign, const uint32_t *seeds)
{
	sqlite3_stmt *query = NULL;
	bool is_equal = true;
	int id = 0;

	assert_int_equal(sqlite3_prepare_v2(foreign, "SELECT id, value FROM thing ORDER BY id", -1, &query, NULL), SQLITE_OK);
	for (int found; is_equal && id < ROW_COUNT; id = found + 1) {
		bool is_row = sqlite3_step(query) == SQLITE_ROW;

		found = is_row ? sqlite3_column_int(query, 0) : ROW_COUNT;
		for (; id < found; id++)
			is_equal &= seeds[id] == 0;
		if (is_row && is_equal)
			is_equal = seeds[id] != 0 && span_equals(make_value(seeds[id]),
			    span_of(sqlite3_column_blob(query, 1), (size_t)sqlite3_column_bytes(query, 1)));
	}
	sqlite3_finalize(query);
	return is_equal;
}

static void
assert_sound(sqlite3 *foreign)
{
	sqlite3_stmt *query = NULL;

	assert_int_equal(sqlite3_prepare_v2(foreign, "PRAGMA integrity_check", -1, &query, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(query), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(query, 0), "ok");
	sqlite3_finalize(query);
}

static void
copy_file(const char *suffix)
{
	static char octets[65536];
	char from[128], to[128];
	FILE *in, *out;
	size_t length;

	snprintf(from, sizeof from, "%s%s", path, suffix);
	snprintf(to, sizeof to, "%s%s", copy, suffix);
	in = fopen(from, "rb");
	out = fopen(to, "wb");
	assert_true(in != NULL && out != NULL);
	while ((length = fread(octets, 1, sizeof octets, in)) > 0)
		assert_int_equal(fwrite(octets, 1, length, out), length);
	fclose(in);
	fclose(out);
}

/* The files as they are now, as after kill -9. */
static void
assert_files_hold(const uint32_t *seeds)
{
	sqlite3 *foreign;

	unlink(index_of_copy);
	copy_file("");
	copy_file("-wal");
	foreign = open_foreign(copy);
	assert_true(holds(foreign, seeds));
	assert_sound(foreign);
	sqlite3_close(foreign);
}

/* As this connection reads them. */
static void
assert_values(struct sql *sql, const uint32_t *seeds)
{
	assert_int_equal(sql_begin(sql), SQL_OK);
	for (int id = 0; id < ROW_COUNT; id++) {
		struct sql_statement *query = sql_prepare(sql, "SELECT value FROM thing WHERE id = ?1");

		sql_bind_number(query, 1, id);
		assert_int_equal(sql_step(query), SQL_ROW);
		assert_true(span_equals(sql_column_blob(query, 0), make_value(seeds[id])));
		sql_reset(query);
	}
	assert_int_equal(sql_commit(sql), SQL_OK);
}

static void
a_commit_is_few_writes(void **state)
{
	struct sql *sql = open_small();
	uint32_t seeds[ROW_COUNT] = { 0 };
	unsigned before;

	(void)state;
	assert_int_equal(sql_set_sync(sql, SQL_SYNC_NORMAL), SQL_OK);
	/* In a WAL that is long enough. */
	for (uint32_t seed = 1; seed <= 8; seed++)
		assert_int_equal(put(sql, 5, seed), SQL_OK);
	assert_int_equal(sql_fold(sql), SQL_OK);
	for (uint32_t seed = 1; seed <= 3; seed++) {
		before = disk.writes;
		assert_int_equal(put(sql, 5, seeds[5] = seed), SQL_OK);
		assert_in_range(disk.writes - before, 1, 2);
		assert_files_hold(seeds);	/* without a flush */
	}
	sql_close(&sql);
}

static off_t
wal_size(void)
{
	char name[128];
	struct stat about;

	snprintf(name, sizeof name, "%s-wal", path);
	return stat(name, &about) == 0 ? about.st_size : 0;
}

/* Where there is no room for more than what is committed, that is committed all the same. */
static void
a_wal_seldom_grows(void **state)
{
	struct sql *sql = open_small();
	uint32_t seeds[ROW_COUNT] = { 0 };
	unsigned grown = 0, full = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= 300; seed++) {
		off_t before = wal_size();

		/* The third write is that of zeros, where there is one. */
		fault_vfs_plan(seed % 3 == 0 ? FAULT_FULL_ONCE : FAULT_NONE, 2);
		assert_int_equal(put(sql, (int)(seed % 5), seeds[seed % 5] = seed), SQL_OK);
		full += fault_vfs_has_failed();
		fault_vfs_plan(FAULT_NONE, 0);
		grown += wal_size() != before;
		if (seed % 50 == 0)
			assert_files_hold(seeds);
	}
	assert_true(wal_size() > 3000000);
	assert_in_range(grown, 5, 100);
	assert_true(full > 0);
	sql_close(&sql);
}

/* Both are larger than what is held at a time, and a write of SQLite's VFS must stay below 128 KiB. */
static void
a_checkpoint_is_few_writes(void **state)
{
	struct sql *sql = open_small();
	uint32_t seeds[ROW_COUNT] = { 0 };
	unsigned before = disk.writes;
	size_t pages = 0;

	(void)state;
	assert_int_equal(sql_begin(sql), SQL_OK);
	for (int id = 0; id < ROW_COUNT; id++) {
		assert_int_equal(put(sql, id, seeds[id] = (uint32_t)id + 7), SQL_OK);
		pages += make_value(seeds[id]).length / 4096;
	}
	assert_int_equal(sql_commit(sql), SQL_OK);
	assert_true(pages > 100);
	assert_in_range(disk.writes - before, 2, pages / 5);
	before = disk.writes;
	assert_int_equal(sql_checkpoint(sql), SQL_OK);
	assert_in_range(disk.writes - before, 2, pages / 5);
	assert_in_range(disk.longest, 65536, 131071);
	assert_files_hold(seeds);
	sql_close(&sql);
}

/* Values come back as they are, also where nothing longer than a page can be read, and after they have changed. */
static void
pages_are_read_ahead(void **state)
{
	struct sql *sql = open_small();
	uint32_t seeds[ROW_COUNT] = { 0 };
	unsigned before;
	size_t pages = 0;

	(void)state;
	for (uint32_t round = 1; round <= 3; round++) {
		pages = 0;
		for (int id = 0; id < ROW_COUNT; id++) {
			assert_int_equal(put(sql, id, seeds[id] = (uint32_t)id + 50 * round), SQL_OK);
			pages += make_value(seeds[id]).length / 4096;
		}
		assert_int_equal(sql_checkpoint(sql), SQL_OK);
		before = disk.reads;
		assert_values(sql, seeds);
		if (round == 1)		/* later they lie where there was room */
			assert_in_range(disk.reads - before, 1, pages * 3 / 4);
		disk.read_max = 4096;
		assert_values(sql, seeds);
		disk.read_max = 0;
	}
	sql_close(&sql);
}

struct story {
	struct sql *sql;
	sqlite3 *foreign;
	uint32_t seeds[ROW_COUNT], next[ROW_COUNT];	/* as committed; as they will be */
	uint32_t random, seed;
	bool is_bare;					/* savepoints are SQLite's own, without what sql_savepoint() sees to */
	bool is_reading;				/* the other program, one state, for a while */
	uint32_t read[ROW_COUNT];
};

static uint32_t
draw(struct story *story, uint32_t below)
{
	story->random = story->random * 1664525 + 1013904223;
	return (story->random >> 8) % below;
}

static enum sql_status
change(struct story *story)
{
	int id = (int)draw(story, ROW_COUNT);

	story->next[id] = draw(story, 4) == 0 ? 0 : ++story->seed;
	return put(story->sql, id, story->next[id]);
}

static enum sql_status
begin_part(struct story *story)
{
	return story->is_bare ? sql_run(sql_prepare(story->sql, "SAVEPOINT bare")) : sql_savepoint(story->sql);
}

/* Take it back. */
static enum sql_status
end_part(struct story *story, enum sql_status status)
{
	enum sql_status ended;

	if (!story->is_bare)
		ended = sql_savepoint_end(story->sql, status == SQL_OK ? SQL_CONSTRAINT : status);
	else if ((ended = sql_run(sql_prepare(story->sql, "ROLLBACK TO bare"))) == SQL_OK)
		return status != SQL_OK ? status : sql_run(sql_prepare(story->sql, "RELEASE bare"));
	return status == SQL_OK && ended == SQL_CONSTRAINT ? SQL_OK : ended;
}

/* Some rows, and a part that is taken back. */
static enum sql_status
change_some(struct story *story)
{
	uint32_t kept[ROW_COUNT];
	enum sql_status status = SQL_OK;

	for (uint32_t count = 1 + draw(story, 6); status == SQL_OK && count > 0; count--)
		status = change(story);
	if (status != SQL_OK || draw(story, 3) != 0)
		return status;
	memcpy(kept, story->next, sizeof kept);
	if ((status = begin_part(story)) != SQL_OK)
		return status;
	for (uint32_t count = 1 + draw(story, 6); status == SQL_OK && count > 0; count--)
		status = change(story);
	status = end_part(story, status);
	memcpy(story->next, kept, sizeof kept);
	return status;
}

static void
transact(struct story *story)
{
	enum sql_status status;

	memcpy(story->next, story->seeds, sizeof story->next);
	if (sql_set_sync(story->sql, draw(story, 2) ? SQL_SYNC_FULL : SQL_SYNC_NORMAL) != SQL_OK ||
	    sql_begin(story->sql) != SQL_OK)
		return;
	status = change_some(story);
	if (status == SQL_OK && draw(story, 5) == 0)
		sql_rollback(story->sql);
	else if (sql_end(story->sql, status) == SQL_OK)
		memcpy(story->seeds, story->next, sizeof story->seeds);
}

/* The other program goes on seeing the state with which it began, until it ends. */
static void
read_along(struct story *story)
{
	if (story->is_reading) {
		assert_true(holds(story->foreign, story->read));
		if (draw(story, 4) != 0)
			return;
		sqlite3_exec(story->foreign, "COMMIT", NULL, NULL, NULL);
		story->is_reading = false;
	}
	if (draw(story, 4) == 0) {
		sqlite3_exec(story->foreign, "BEGIN", NULL, NULL, NULL);
		assert_true(holds(story->foreign, story->seeds));
		memcpy(story->read, story->seeds, sizeof story->read);
		story->is_reading = true;
	}
}

/* After an error of the disk the outcome is unknown: all of the transaction, or nothing. */
static void
recover(struct story *story)
{
	sqlite3_close(story->foreign);
	sql_close(&story->sql);
	story->sql = open_small();
	story->foreign = open_foreign(path);
	story->is_reading = false;
	if (!holds(story->foreign, story->seeds)) {
		assert_true(holds(story->foreign, story->next));
		memcpy(story->seeds, story->next, sizeof story->seeds);
	}
}

static void
go_on(struct story *story, enum fault fault)
{
	if (draw(story, 3) == 0)
		fault_vfs_plan(fault, 1 + draw(story, 12));
	if (draw(story, 8) == 0)
		sql_fold(story->sql);
	else
		transact(story);
	fault_vfs_plan(FAULT_NONE, 0);
	assert_true(fault == FAULT_IO_ONCE || story->is_bare || !sql_is_poisoned(story->sql));
	if (sql_is_poisoned(story->sql))
		recover(story);
	if (!story->is_reading)
		assert_true(holds(story->foreign, story->seeds));
	read_along(story);
}

static void
drop_line(enum log_level level, struct span line, void *context)
{
	(void)level;
	(void)line;
	(void)context;
}

static void
tell(enum fault fault, bool is_bare)
{
	struct story story = { .random = 1 + (uint32_t)fault, .is_bare = is_bare, .sql = open_small() };

	log_set_sink(drop_line, NULL);
	story.foreign = open_foreign(path);
	for (int round = 1; round <= ROUNDS; round++) {
		go_on(&story, fault);
		if (round % 100 == 0)
			assert_sound(story.foreign);
		if (round % 20 == 0)
			assert_files_hold(story.seeds);
	}
	log_set_sink(NULL, NULL);
	sqlite3_close(story.foreign);
	sql_close(&story.sql);
}

static void
others_read_what_is_committed(void **state)
{
	(void)state;
	tell(FAULT_NONE, false);
}

/* What SQLite would lose is not committed. */
static void
a_frame_without_a_checksum_is_refused(void **state)
{
	(void)state;
	tell(FAULT_NONE, true);
}

/* Without a lock of its own others may write, too; they only read here. */
static void
others_read_where_they_may_write(void **state)
{
	(void)state;
	open_flags = 0;
	tell(FAULT_NONE, false);
	open_flags = SQL_SOLE;
}

/* Who leaves the WAL alone folds it; else a commit does, from a thousand pages on. */
static void
a_wal_is_left_or_folded(void **state)
{
	static const struct { unsigned flags; uint64_t least, most; } cases[] = {
		{ SQL_LEAVE_WAL, 6000000, 16000000 },
		{ 0, 0, 4200000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sql *sql;

		open_flags = cases[i].flags;
		sql = open_small();
		for (uint32_t seed = 1; seed <= 300; seed++)
			assert_int_equal(put(sql, (int)(seed % ROW_COUNT), seed), SQL_OK);
		assert_in_range(sql_wal_octets(sql), cases[i].least, cases[i].most);
		assert_int_equal(sql_fold(sql), SQL_OK);
		assert_int_equal(sql_wal_octets(sql), 0);
		assert_int_equal(put(sql, 1, 1), SQL_OK);
		assert_in_range(sql_wal_octets(sql), 1, 1000000);
		sql_close(&sql);
	}
	open_flags = SQL_SOLE;
}

static void
others_do_not_write(void **state)
{
	struct sql *sql = open_small();
	uint32_t seeds[ROW_COUNT] = { 0 };
	sqlite3 *foreign;

	(void)state;
	assert_int_equal(put(sql, 3, seeds[3] = 11), SQL_OK);
	foreign = open_foreign(path);
	assert_int_equal(sqlite3_exec(foreign, "DELETE FROM thing", NULL, NULL, NULL), SQLITE_BUSY);
	assert_int_equal(sqlite3_wal_checkpoint_v2(foreign, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), SQLITE_BUSY);
	assert_true(holds(foreign, seeds));
	assert_int_equal(put(sql, 4, seeds[4] = 12), SQL_OK);
	assert_true(holds(foreign, seeds));
	sql_close(&sql);
	assert_int_equal(sqlite3_exec(foreign, "DELETE FROM thing", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(foreign);
}

/* Where a reader stops it a checkpoint says how far it came without a flush: only what is written by then. */
static void
a_checkpoint_beside_a_reader_fails_whole(void **state)
{
	struct sql *sql = open_small();
	sqlite3 *foreign = open_foreign(path);
	uint32_t seeds[ROW_COUNT] = { 0 };
	bool has_failed = true;

	(void)state;
	for (unsigned at = 1; has_failed; at++) {
		for (int id = 0; id < 8; id++)
			assert_int_equal(put(sql, id, seeds[id] = at * 100 + (unsigned)id), SQL_OK);
		assert_int_equal(sqlite3_exec(foreign, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
		assert_true(holds(foreign, seeds));
		assert_int_equal(put(sql, 9, seeds[9] = at), SQL_OK);
		fault_vfs_plan(FAULT_FULL_ONCE, at);
		sql_fold(sql);
		has_failed = fault_vfs_has_failed() || at < 3;	/* the WAL is flushed first */
		fault_vfs_plan(FAULT_NONE, 0);
		assert_int_equal(sqlite3_exec(foreign, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
		assert_true(holds(foreign, seeds));
		assert_sound(foreign);
		assert_int_equal(sql_fold(sql), SQL_OK);
	}
	sqlite3_close(foreign);
	sql_close(&sql);
}

static void
a_failed_write_undoes_its_transaction(void **state)
{
	(void)state;
	tell(FAULT_IO_ONCE, false);
}

static void
a_full_disk_undoes_its_transaction(void **state)
{
	(void)state;
	tell(FAULT_FULL_ONCE, false);
}

static void
a_write_cut_short_undoes_its_transaction(void **state)
{
	(void)state;
	tell(FAULT_SHORT_ONCE, false);
}

int
main(void)
{
#define ON_FILES(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		ON_FILES(a_commit_is_few_writes),
		ON_FILES(a_wal_seldom_grows),
		ON_FILES(a_checkpoint_is_few_writes),
		ON_FILES(pages_are_read_ahead),
		ON_FILES(others_read_what_is_committed),
		ON_FILES(others_read_where_they_may_write),
		ON_FILES(others_do_not_write),
		ON_FILES(a_wal_is_left_or_folded),
		ON_FILES(a_frame_without_a_checksum_is_refused),
		ON_FILES(a_checkpoint_beside_a_reader_fails_whole),
		ON_FILES(a_failed_write_undoes_its_transaction),
		ON_FILES(a_full_disk_undoes_its_transaction),
		ON_FILES(a_write_cut_short_undoes_its_transaction),
	};

	fault_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
