/*
 * Values read and written in pieces, through one handle that moves from row to row.  Worker thread.
 */
#include "connection.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"

struct sql_blob {
	struct sql *sql;
	sqlite3_blob *handle;
};

/* SQLite says SQLITE_ERROR for a row that is not there. */
static enum sql_status
note(struct sql *sql, int code)
{
	return code == SQLITE_ERROR ? SQL_NOT_FOUND : sql_note(sql, code);
}

static enum sql_status
open_blob(struct sql *sql, const char *table, const char *column, int64_t row_id, int is_writing,
    struct sql_blob **blob_out)
{
	sqlite3_blob *handle = NULL;
	enum sql_status status;

	assert_off_loop();
	if (sql->is_poisoned)
		return SQL_IO;
	status = note(sql, sqlite3_blob_open(sql->handle, "main", table, column, row_id, is_writing,
	    &handle));
	if (status != SQL_OK)
		return status;
	*blob_out = NEW(struct sql_blob);
	(*blob_out)->sql = sql;
	(*blob_out)->handle = handle;
	return SQL_OK;
}

enum sql_status
sql_blob_open(struct sql *sql, const char *table, const char *column, int64_t row_id,
    struct sql_blob **blob_out)
{
	return open_blob(sql, table, column, row_id, 0, blob_out);
}

enum sql_status
sql_blob_open_write(struct sql *sql, const char *table, const char *column, int64_t row_id,
    struct sql_blob **blob_out)
{
	assert(sql_is_in_transaction(sql) || sql->is_poisoned);
	return open_blob(sql, table, column, row_id, 1, blob_out);
}

enum sql_status
sql_blob_move(struct sql_blob *blob, int64_t row_id)
{
	assert_off_loop();
	if (blob->sql->is_poisoned)
		return SQL_IO;
	return note(blob->sql, sqlite3_blob_reopen(blob->handle, row_id));
}

size_t
sql_blob_length(const struct sql_blob *blob)
{
	return (size_t)sqlite3_blob_bytes(blob->handle);
}

enum sql_status
sql_blob_read(struct sql_blob *blob, size_t offset, void *octets_out, size_t length)
{
	assert_off_loop();
	if (blob->sql->is_poisoned)
		return SQL_IO;
	assert(offset <= sql_blob_length(blob) && length <= sql_blob_length(blob) - offset);
	return sql_note(blob->sql, sqlite3_blob_read(blob->handle, octets_out, (int)length,
	    (int)offset));
}

enum sql_status
sql_blob_write(struct sql_blob *blob, size_t offset, struct span octets)
{
	size_t length = sql_blob_length(blob);

	assert_off_loop();
	if (blob->sql->is_poisoned)
		return SQL_IO;
	assert(offset <= length && octets.length <= length - offset);
	return sql_note(blob->sql, sqlite3_blob_write(blob->handle, octets.at, (int)octets.length,
	    (int)offset));
}

void
sql_blob_close(struct sql_blob **blob)
{
	if (*blob == NULL)
		return;
	assert_off_loop();
	/* Reports errors of earlier calls again; they have been noted. */
	sqlite3_blob_close((*blob)->handle);
	free(*blob);
	*blob = NULL;
}
