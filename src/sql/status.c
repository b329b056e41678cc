/*
 * SQLite's result codes as the few cases that callers treat differently.  A failed read, write or flush
 * poisons the connection: SQLite and the kernel no longer agree on what is on the disk, and a second
 * fsync would report success for pages that were dropped.
 */
#include "connection.h"

#include <stdlib.h>

#include "base/log.h"
#include "metrics/metrics.h"

const char *
sql_status_text(enum sql_status status)
{
	static const char *const texts[SQL_STATUS_COUNT] = {
		[SQL_OK] = "done",
		[SQL_ROW] = "row",
		[SQL_NOT_FOUND] = "not found",
		[SQL_CONSTRAINT] = "against a rule of the schema",
		[SQL_TOO_BIG] = "value too big",
		[SQL_BUSY] = "locked by another program",
		[SQL_DENIED] = "no permission",
		[SQL_FULL] = "disk full",
		[SQL_IO] = "reading or writing failed",
		[SQL_CORRUPT] = "damaged",
		[SQL_TOO_NEW] = "made by a later version",
	};

	return texts[status];
}

/* Our own fault, or no memory: nothing a caller could do. */
static void
die(struct sql *sql, int code)
{
	log_error("sql-bug", log_number("code", code), log_text("message", sql_error(sql)));
	abort();
}

static enum sql_status
translate(struct sql *sql, int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
		return SQL_OK;
	case SQLITE_ROW:
		return SQL_ROW;
	case SQLITE_CONSTRAINT:
		return SQL_CONSTRAINT;
	case SQLITE_TOOBIG:
		return SQL_TOO_BIG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return SQL_BUSY;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return SQL_DENIED;
	case SQLITE_FULL:
		return SQL_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR:	/* "no such table": a file that is not one of ours */
	case SQLITE_MISMATCH:	/* what a row has in the place of an id is no number */
		return SQL_CORRUPT;
	case SQLITE_IOERR:
	case SQLITE_PROTOCOL:
		return SQL_IO;
	default:
		die(sql, code);
		return SQL_IO;
	}
}

static void
count_error(enum sql_status status)
{
	static const uint8_t errors[SQL_STATUS_COUNT] = {	/* enum metric_db_error and 1 */
		[SQL_IO] = METRIC_DB_IO + 1,
		[SQL_FULL] = METRIC_DB_FULL + 1,
		[SQL_CORRUPT] = METRIC_DB_CORRUPT + 1,
		[SQL_BUSY] = METRIC_DB_BUSY + 1,
		[SQL_DENIED] = METRIC_DB_DENIED + 1,
	};

	if (errors[status] != 0)
		metric_count(METRIC_DB_ERRORS, errors[status] - 1u, 0);
}

enum sql_status
sql_note(struct sql *sql, int code)
{
	enum sql_status status;

	if (code == SQLITE_INTERRUPT) {		/* as ordered: no fault of the disk */
		sql->is_poisoned = true;
		return SQL_IO;
	}
	status = translate(sql, code);
	if (code == SQLITE_IOERR_NOMEM)
		die(sql, code);
	count_error(status);
	if (status == SQL_IO)
		sql->is_poisoned = true;
	return status;
}

bool
sql_is_poisoned(const struct sql *sql)
{
	return sql->is_poisoned;
}

const char *
sql_error(const struct sql *sql)
{
	return sqlite3_errmsg(sql->handle);
}
