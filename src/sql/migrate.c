/*
 * Numbered migrations: PRAGMA user_version says how many a file has seen; each runs in one transaction
 * that also counts it.  Worker thread.
 */
#include "connection.h"

#include <stdio.h>

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

static int
newest_of(const char *schema)
{
	int newest = 0;

	for (const struct sql_migration *m = sql_migrations; m->name != NULL; m++)
		if (strcmp(m->name, schema) == 0)
			newest = m->number;
	return newest;
}

/* user_version is a number of four octets, the highest first (sqlite.org/fileformat2.html section 1.3.10). */
bool
sql_file_is_too_new(const char *path, const char *schema)
{
	uint8_t head[64];
	FILE *file = fopen(path, "re");
	bool is_whole = file != NULL && fread(head, sizeof head, 1, file) == 1;
	int64_t version = 0;

	if (file != NULL)
		fclose(file);
	for (size_t i = 60; i < 64 && is_whole; i++)
		version = version << 8 | head[i];
	return is_whole && memcmp(head, "SQLite format 3", 16) == 0 && version > newest_of(schema);
}

enum sql_status
sql_migrate(struct sql *sql, const char *schema)
{
	enum sql_status status;
	int version = 0;

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
	}
	return version > newest_of(schema) ? SQL_TOO_NEW : SQL_OK;
}
