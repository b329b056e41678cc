/*
 * Transactions, and when what they committed reaches the disk.  Worker thread.
 */
#include "connection.h"

#include <assert.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/thread.h"
#include "metrics/metrics.h"

/* Octets of pages that are written to the WAL between two parts of a transaction. */
#define PAGES_MAX (4 * 1024 * 1024)

/*
 * What is undone must not have gone to the WAL yet: gather.c says what SQLite makes of that.  Its limit holds at once,
 * in the middle of a transaction, other than "cache_spill = OFF"; and it obeys while compiling this.
 */
static enum sql_status
keep_pages(struct sql *sql, bool is_kept)
{
	enum sql_status status = SQL_OK;

	if (sql->keeps_pages != is_kept)
		status = sql_execute(sql, is_kept ? "PRAGMA cache_spill = 16777215" : "PRAGMA cache_spill = 1");
	if (status == SQL_OK)
		sql->keeps_pages = is_kept;
	return status;
}

/* Outside of savepoints nothing but the whole transaction is undone. */
static enum sql_status
let_pages_go(struct sql *sql)
{
	int octets = 0, highest;

	sqlite3_db_status(sql->handle, SQLITE_DBSTATUS_CACHE_USED, &octets, &highest, 0);
	if (octets < PAGES_MAX)
		return SQL_OK;
	return sql_note(sql, sqlite3_db_cacheflush(sql->handle));
}

bool
sql_is_in_transaction(const struct sql *sql)
{
	return sqlite3_get_autocommit(sql->handle) == 0;
}

enum sql_status
sql_begin(struct sql *sql)
{
	assert(!sql_is_in_transaction(sql));
	sql->savepoints = 0;
	sql->is_writing = true;
	return sql_run(sql_prepare(sql, "BEGIN IMMEDIATE"));
}

enum sql_status
sql_begin_read(struct sql *sql)
{
	assert(!sql_is_in_transaction(sql));
	sql->savepoints = 0;
	sql->is_writing = false;
	return sql_run(sql_prepare(sql, "BEGIN DEFERRED"));
}

enum sql_status
sql_commit(struct sql *sql)
{
	uint64_t began_us = clock_monotonic_us();
	enum sql_status status;

	/* SQLite has rolled back already when the disk was full. */
	if (!sql_is_in_transaction(sql))
		return sql->is_poisoned ? SQL_IO : SQL_FULL;
	status = sql_run(sql_prepare(sql, "COMMIT"));
	if (sql->is_writing)
		metric_observe_us(METRIC_COMMIT_DURATION, 0, clock_monotonic_us() - began_us);
	if (status != SQL_OK)
		sql_rollback(sql);
	else
		keep_pages(sql, false);
	return status;
}

void
sql_rollback(struct sql *sql)
{
	assert_off_loop();
	/* Also on a poisoned connection: it gives back locks, and its result changes nothing. */
	if (sql_is_in_transaction(sql))
		sqlite3_exec(sql->handle, "ROLLBACK", NULL, NULL, NULL);
	sql->savepoints = 0;
	keep_pages(sql, false);
}

enum sql_status
sql_end(struct sql *sql, enum sql_status status)
{
	if (status == SQL_OK)
		return sql_commit(sql);
	sql_rollback(sql);
	return status;
}

enum sql_status
sql_savepoint(struct sql *sql)
{
	enum sql_status status;

	assert(sql_is_in_transaction(sql) || sql->is_poisoned);
	if ((status = keep_pages(sql, true)) == SQL_OK)
		status = sql_run(sql_prepare(sql, "SAVEPOINT part"));
	if (status == SQL_OK)
		sql->savepoints++;
	return status;
}

enum sql_status
sql_savepoint_end(struct sql *sql, enum sql_status status)
{
	enum sql_status ended;

	/* After a full disk the transaction, and the savepoints with it, may be gone. */
	if (!sql_is_in_transaction(sql))
		return status == SQL_OK ? SQL_FULL : status;
	assert(sql->savepoints > 0);
	sql->savepoints--;
	ended = status == SQL_OK ? SQL_OK : sql_run(sql_prepare(sql, "ROLLBACK TO part"));
	if (ended == SQL_OK)
		ended = sql_run(sql_prepare(sql, "RELEASE part"));
	if (ended == SQL_OK && sql->savepoints == 0)
		ended = let_pages_go(sql);
	return ended == SQL_OK ? status : ended;
}

enum sql_status
sql_set_sync(struct sql *sql, enum sql_sync sync)
{
	enum sql_status status;

	assert_off_loop();
	assert(!sql_is_in_transaction(sql));
	if (sql->sync == sync)
		return sql->is_poisoned ? SQL_IO : SQL_OK;
	/* SQLite obeys while compiling this, so a kept statement would do nothing. */
	status = sql_execute(sql, sync == SQL_SYNC_FULL ? "PRAGMA synchronous = FULL" :
							  "PRAGMA synchronous = NORMAL");
	if (status == SQL_OK)
		sql->sync = sync;
	return status;
}

enum sql_status
sql_flush(struct sql *sql)
{
	sqlite3_file *wal = NULL;
	int code;

	assert_off_loop();
	if (sql->is_poisoned)
		return SQL_IO;
	if (!sql->has_unflushed)
		return SQL_OK;
	code = sqlite3_file_control(sql->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
	if (code == SQLITE_OK && wal != NULL && wal->pMethods != NULL)
		code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
	if (code == SQLITE_OK)
		sql->has_unflushed = false;
	return sql_note(sql, code);
}

enum sql_status
sql_fold(struct sql *sql)
{
	uint64_t began_us = clock_monotonic_us();
	int pages, folded;
	enum sql_status status;

	assert_off_loop();
	if (sql->is_poisoned)
		return SQL_IO;
	if (sql->is_wal_held)
		return SQL_OK;
	status = sql_note(sql, sqlite3_wal_checkpoint_v2(sql->handle, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &folded));
	metric_observe_us(METRIC_FOLD_DURATION, 0, clock_monotonic_us() - began_us);
	if (status == SQL_OK) {
		sql->wal_pages = pages;
		sql->wal_folded = folded;
	}
	return status;
}

uint64_t
sql_wal_octets(const struct sql *sql)
{
	return (uint64_t)(sql->wal_pages - sql->wal_folded) * 4096;
}

enum sql_status
sql_checkpoint(struct sql *sql)
{
	uint64_t began_us = clock_monotonic_us();
	enum sql_status status;

	assert_off_loop();
	assert(!sql_is_in_transaction(sql));
	if (sql->is_poisoned)
		return SQL_IO;
	status = sql_note(sql, sqlite3_wal_checkpoint_v2(sql->handle, "main",
	    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
	metric_observe_us(METRIC_FOLD_DURATION, 0, clock_monotonic_us() - began_us);
	if (status == SQL_OK) {
		sql->has_unflushed = false;
		sql->wal_pages = sql->wal_folded = 0;
	}
	return status;
}

enum sql_status
sql_quick_check(struct sql *sql, struct buffer *findings_out)
{
	struct sql_statement *query = sql_prepare(sql, "PRAGMA quick_check");
	bool is_sound = true;
	enum sql_status status;

	while ((status = sql_step(query)) == SQL_ROW) {
		struct span line = sql_column_text(query, 0);

		if (span_equals(line, SPAN("ok")))
			continue;
		is_sound = false;
		buffer_add_span(findings_out, line);
		buffer_add_octet(findings_out, '\n');
	}
	return status == SQL_OK && !is_sound ? SQL_CORRUPT : status;
}
