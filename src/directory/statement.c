#include "statement.h"

#include <string.h>

#include "sqlite_file.h"

static struct sql_statement *
bind(struct sql *sql, const char *statement, const struct span *texts, size_t count)
{
	struct sql_statement *query = sql_prepare(sql, statement);

	for (size_t i = 0; i < count; i++)
		sql_bind_text(query, (int)i + 1, texts[i]);
	return query;
}

enum sql_status
statement_run(struct sql *sql, const char *statement, const struct span *texts, size_t count)
{
	return sql_run(bind(sql, statement, texts, count));
}

enum sql_status
statement_find(struct sql *sql, const char *statement, const struct span *texts, size_t count)
{
	struct sql_statement *query = bind(sql, statement, texts, count);
	enum sql_status step = sql_step(query);

	sql_reset(query);
	return step;
}

enum sql_status
statement_is_true(struct sql *sql, const char *statement, const struct span *texts, size_t count, bool *is_true_out)
{
	enum sql_status step = statement_find(sql, statement, texts, count);

	*is_true_out = step == SQL_ROW;
	return step == SQL_ROW ? SQL_OK : step;
}

enum directory_status
statement_change(struct directory *directory, const char *statement, const struct span *texts, size_t count)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);

	if (status == DIRECTORY_OK)
		status = sqlite_result(directory, statement_run(sql, statement, texts, count));
	return status == DIRECTORY_OK && sql_changed_rows(sql) == 0 ? DIRECTORY_NOT_FOUND : status;
}

bool
statement_read_id(struct sql_statement *query, int column, char id_out[DIRECTORY_ID_LENGTH + 1])
{
	struct span id = sql_column_text(query, column);

	id_out[0] = '\0';
	if (id.length != DIRECTORY_ID_LENGTH)
		return false;
	memcpy(id_out, id.at, id.length);
	id_out[id.length] = '\0';
	return true;
}
