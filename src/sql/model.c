/*
 * The model is a database in memory, made by the migrations; texts of CREATE may differ in spaces and comments from those of
 * an earlier program, so columns are compared.  Worker thread.
 */
#include "connection.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/thread.h"
#include "sql/model.h"
#include "sql/schema.h"

/* One text of all that matters of a table. */
static const char table_text[] =
    "SELECT (SELECT group_concat(name || ' ' || type || ' ' || \"notnull\" || ' ' || coalesce(dflt_value, '-') || ' ' || pk || ' ' || "
    "hidden, ', ') FROM pragma_table_xinfo(?1)) || ' without rowid ' || (SELECT wr FROM pragma_table_list(?1) WHERE schema = 'main') || "
    "coalesce((SELECT group_concat(text, ', ') FROM (SELECT ' index ' || l.name || ' ' || l.\"unique\" || ' ' || "
    "(SELECT group_concat(coalesce(name, '?'), ' ') FROM pragma_index_info(l.name)) AS text FROM pragma_index_list(?1) AS l "
    "WHERE l.origin = 'c' ORDER BY l.name)), '') FROM sqlite_schema WHERE type = 'table' AND name = ?1";
static const char view_text[] = "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?1";

/* Nothing is appended where there is no such thing. */
static int
describe(sqlite3 *handle, const char *query, const char *name, struct buffer *text_out)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(handle, query, -1, &statement, NULL);

	if (code == SQLITE_OK)
		sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
		buffer_add_string(text_out, (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum sql_status
replace_view(struct sql *sql, const char *name, const char *text)
{
	struct buffer statements = { 0 };
	enum sql_status status;

	buffer_printf(&statements, "DROP VIEW IF EXISTS %s; %s", name, text);
	if ((status = sql_begin(sql)) == SQL_OK)
		status = sql_end(sql, sql_execute(sql, buffer_string(&statements)));
	buffer_free(&statements);
	return status;
}

static enum sql_status
compare(struct sql *sql, sqlite3 *model, bool is_view, const char *name, struct buffer *difference_out)
{
	const char *query = is_view ? view_text : table_text;
	struct buffer wanted = { 0 }, found = { 0 };
	enum sql_status status = SQL_OK;
	bool is_same;

	if (describe(model, query, name, &wanted) != SQLITE_OK)
		abort();
	status = sql_note(sql, describe(sql->handle, query, name, &found));
	is_same = status != SQL_OK || span_equals(buffer_span(&wanted), buffer_span(&found));
	if (!is_same && is_view)
		status = replace_view(sql, name, buffer_string(&wanted));
	else if (!is_same)
		status = SQL_CORRUPT;
	if (status == SQL_CORRUPT && difference_out->length == 0)
		buffer_printf(difference_out, "the %s %s is missing, or another one than its version has", is_view ? "view" : "table", name);
	buffer_free(&wanted);
	buffer_free(&found);
	return status;
}

/* Of our own making: what fails is our fault. */
static sqlite3 *
make_model(const char *schema)
{
	sqlite3 *model;

	if (sqlite3_open_v2(":memory:", &model, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		abort();
	for (const struct sql_migration *m = sql_migrations; m->name != NULL; m++)
		if (strcmp(m->name, schema) == 0 && sqlite3_exec(model, m->text, NULL, NULL, NULL) != SQLITE_OK)
			abort();
	return model;
}

enum sql_status
sql_check_model(struct sql *sql, const char *schema, struct buffer *difference_out)
{
	sqlite3 *model = make_model(schema);
	enum sql_status status = SQL_OK;
	sqlite3_stmt *names;

	assert_off_loop();
	if (sqlite3_prepare_v2(model, "SELECT type = 'view', name FROM sqlite_schema WHERE type IN ('table', 'view') "
	    "AND name NOT LIKE 'sqlite_%' ORDER BY type, name", -1, &names, NULL) != SQLITE_OK)
		abort();
	while (status == SQL_OK && sqlite3_step(names) == SQLITE_ROW)
		status = compare(sql, model, sqlite3_column_int(names, 0) != 0, (const char *)sqlite3_column_text(names, 1),
		    difference_out);
	sqlite3_finalize(names);
	sqlite3_close(model);
	return status;
}
