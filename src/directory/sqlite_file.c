/*
 * Opening directory.db, and what a failure there means.
 */
#include "sqlite_file.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#define COMPLAIN_EVERY_US UINT64_C(60000000)

/* Once a minute: each login and each recipient may find it out anew. */
static void
complain(struct sqlite_file *sqlite, enum sql_status status)
{
	uint64_t now_us = clock_monotonic_us();

	if (sqlite->complained_us != 0 && now_us - sqlite->complained_us < COMPLAIN_EVERY_US) {
		sqlite->suppressed++;
		return;
	}
	log_error("directory-failed", log_text("path", sqlite->path),
	    log_text("reason", sql_status_text(status)),
	    log_text("message", sqlite->sql == NULL ? NULL : sql_error(sqlite->sql)),
	    log_number("suppressed", (int64_t)sqlite->suppressed));
	sqlite->complained_us = now_us;
	sqlite->suppressed = 0;
}

enum directory_status
sqlite_file_result(struct sqlite_file *sqlite, enum sql_status status)
{
	if (status == SQL_OK || status == SQL_ROW)
		return DIRECTORY_OK;
	complain(sqlite, status);
	switch (status) {
	case SQL_BUSY:
	case SQL_FULL:
	case SQL_IO:
		return DIRECTORY_UNAVAILABLE;
	default:
		return DIRECTORY_CORRUPT;
	}
}

enum directory_status
sqlite_file_connect(struct sqlite_file *sqlite)
{
	if (sqlite->sql != NULL && sql_is_poisoned(sqlite->sql))
		sql_close(&sqlite->sql);
	if (sqlite->sql != NULL)
		return DIRECTORY_OK;
	return sqlite_file_result(sqlite, sql_open(sqlite->path, "directory", SQL_CREATE, &sqlite->sql));
}

enum directory_status
sqlite_connect(struct directory *directory, struct sql **sql_out)
{
	struct sqlite_file *file = CONTAINER_OF(directory, struct sqlite_file, directory);
	enum directory_status status = sqlite_file_connect(file);

	if (status == DIRECTORY_OK)
		*sql_out = file->sql;
	return status;
}

enum directory_status
sqlite_result(struct directory *directory, enum sql_status status)
{
	return sqlite_file_result(CONTAINER_OF(directory, struct sqlite_file, directory), status);
}

enum directory_status
sqlite_import(struct directory *directory, sqlite_import_row *import_row, void *rows, size_t count, unsigned flags)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	enum sql_status run;

	if (status != DIRECTORY_OK)
		return status;
	if ((run = sql_begin(sql)) != SQL_OK)
		return sqlite_result(directory, run);
	for (size_t i = 0; i < count && run == SQL_OK; i++)
		run = import_row(sql, rows, i, flags);
	if (run == SQL_OK && (flags & DIRECTORY_IMPORT_TRIAL) != 0)
		sql_rollback(sql);
	else
		run = sql_end(sql, run);
	return sqlite_result(directory, run);
}
