/*
 * Numbered migrations: PRAGMA user_version says how many a file has seen; each runs in one transaction
 * that also counts it.  Worker thread.
 */
#include "connection.h"

#include "base/buffer.h"
#include "sql/schema.h"

static enum sql_status
read_version(struct sql *sql, int *version_out)
{
	struct sql_statement *query = sql_prepare(sql, "PRAGMA user_version");
	enum sql_status status = sql_step(query);

	if (status != SQL_ROW)
		return status;
	*version_out = (int)sql_column_number(query, 0);
	sql_reset(query);
	return SQL_OK;
}

static enum sql_status
migrate_once(struct sql *sql, const struct sql_migration *migration)
{
	struct buffer count = { 0 };
	enum sql_status status;

	if ((status = sql_begin(sql)) != SQL_OK)
		return status;
	status = sql_execute(sql, migration->text);
	buffer_printf(&count, "PRAGMA user_version = %d", migration->number);
	if (status == SQL_OK)
		status = sql_execute(sql, buffer_string(&count));
	buffer_free(&count);
	return sql_end(sql, status);
}

enum sql_status
sql_migrate(struct sql *sql, const char *schema)
{
	enum sql_status status;
	int version = 0, newest = 0;

	if ((status = read_version(sql, &version)) != SQL_OK)
		return status;
	for (const struct sql_migration *m = sql_migrations; m->name != NULL; m++) {
		if (strcmp(m->name, schema) != 0)
			continue;
		if (m->number == version + 1) {
			if ((status = migrate_once(sql, m)) != SQL_OK)
				return status;
			version++;
		}
		newest = m->number;
	}
	return version > newest ? SQL_TOO_NEW : SQL_OK;
}
