/*
 * Statements: compiled once per connection, found again by where their text is, reset as soon as they are done,
 * so that none holds a read transaction open between two jobs.  Worker thread.
 */
#include "connection.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

struct sql_statement {
	struct sql *sql;
	sqlite3_stmt *handle;		/* NULL when compiling failed */
	enum sql_status failure;	/* then why */
	bool is_stepping;		/* a row is there to be read */
};

enum sql_status
sql_execute(struct sql *sql, const char *text)
{
	if (sql->is_poisoned)
		return SQL_IO;
	return sql_note(sql, sqlite3_exec(sql->handle, text, NULL, NULL, NULL));
}

static void
compile(struct sql_statement *statement, struct span text)
{
	int code;

	if (statement->sql->is_poisoned) {
		statement->failure = SQL_IO;
		return;
	}
	code = sqlite3_prepare_v3(statement->sql->handle, (const char *)text.at, (int)text.length,
	    SQLITE_PREPARE_PERSISTENT, &statement->handle, NULL);
	statement->failure = sql_note(statement->sql, code);
	if (code == SQLITE_ERROR)	/* a file that is not ours, or a slip in the text */
		log_error("sql-not-compiled", log_text("message", sql_error(statement->sql)));
}

struct sql_statement *
sql_prepare(struct sql *sql, const char *text)
{
	struct span address = span_of(&text, sizeof text);
	struct sql_statement *statement = map_get(sql->statements, address);

	assert_off_loop();
	if (statement == NULL) {
		statement = NEW(struct sql_statement);
		statement->sql = sql;
		map_put(sql->statements, address, statement);
	}
	assert(!statement->is_stepping);
	if (statement->handle == NULL)
		compile(statement, span_from_string(text));
	return statement;
}

void
sql_free_statements(struct sql *sql)
{
	size_t position = 0;
	struct span text;
	void *value;

	while (map_next(sql->statements, &position, &text, &value)) {
		struct sql_statement *statement = value;

		sqlite3_finalize(statement->handle);
		free(statement);
	}
}

/* A parameter that the text does not have is our own fault; too big a value shows at the next step. */
static void
note_bound(struct sql_statement *statement, int code)
{
	assert(code != SQLITE_RANGE && code != SQLITE_MISUSE);
	if (code != SQLITE_OK)
		statement->failure = sql_note(statement->sql, code);
}

void
sql_bind_number(struct sql_statement *statement, int index, int64_t number)
{
	if (statement->handle != NULL)
		note_bound(statement, sqlite3_bind_int64(statement->handle, index, number));
}

void
sql_bind_text(struct sql_statement *statement, int index, struct span utf8)
{
	const char *at = utf8.length == 0 ? "" : (const char *)utf8.at;

	if (statement->handle != NULL)
		note_bound(statement, sqlite3_bind_text64(statement->handle, index, at, utf8.length,
		    SQLITE_STATIC, SQLITE_UTF8));
}

void
sql_bind_blob(struct sql_statement *statement, int index, struct span octets)
{
	const void *at = octets.length == 0 ? "" : (const void *)octets.at;

	if (statement->handle != NULL)
		note_bound(statement, sqlite3_bind_blob64(statement->handle, index, at,
		    octets.length, SQLITE_STATIC));
}

void
sql_bind_null(struct sql_statement *statement, int index)
{
	if (statement->handle != NULL)
		note_bound(statement, sqlite3_bind_null(statement->handle, index));
}

void
sql_bind_zeros(struct sql_statement *statement, int index, size_t length_octets)
{
	if (statement->handle != NULL)
		note_bound(statement, sqlite3_bind_zeroblob64(statement->handle, index,
		    length_octets));
}

void
sql_reset(struct sql_statement *statement)
{
	statement->is_stepping = false;
	statement->failure = SQL_OK;
	if (statement->handle == NULL)
		return;
	/* The result repeats what the last step said. */
	sqlite3_reset(statement->handle);
	sqlite3_clear_bindings(statement->handle);
}

enum sql_status
sql_step(struct sql_statement *statement)
{
	struct sql *sql = statement->sql;
	enum sql_status status = statement->failure;

	assert_off_loop();
	if (sql->is_poisoned)
		status = SQL_IO;
	if (status == SQL_OK)
		status = sql_note(sql, sqlite3_step(statement->handle));
	if (status == SQL_ROW)
		statement->is_stepping = true;
	else
		sql_reset(statement);
	return status;
}

enum sql_status
sql_run(struct sql_statement *statement)
{
	enum sql_status status = sql_step(statement);

	if (status != SQL_ROW)
		return status;
	sql_reset(statement);
	return SQL_OK;
}

int64_t
sql_column_number(struct sql_statement *statement, int column)
{
	assert(statement->is_stepping);
	return sqlite3_column_int64(statement->handle, column);
}

struct span
sql_column_text(struct sql_statement *statement, int column)
{
	const unsigned char *at;

	assert(statement->is_stepping);
	at = sqlite3_column_text(statement->handle, column);
	return span_of(at, (size_t)sqlite3_column_bytes(statement->handle, column));
}

struct span
sql_column_blob(struct sql_statement *statement, int column)
{
	const void *at;

	assert(statement->is_stepping);
	at = sqlite3_column_blob(statement->handle, column);
	return span_of(at, (size_t)sqlite3_column_bytes(statement->handle, column));
}

bool
sql_column_is_null(struct sql_statement *statement, int column)
{
	assert(statement->is_stepping);
	return sqlite3_column_type(statement->handle, column) == SQLITE_NULL;
}

int64_t
sql_last_row_id(const struct sql *sql)
{
	return sqlite3_last_insert_rowid(sql->handle);
}

int64_t
sql_changed_rows(const struct sql *sql)
{
	return sqlite3_changes64(sql->handle);
}
