/*
 * Other names of users in directory.db: table alias.
 */
#include "alias.h"

#include "base/memory.h"
#include "sqlite_file.h"
#include "statement.h"

enum sql_status
aliases_forget(struct sql *sql, struct span name)
{
	return statement_run(sql, "DELETE FROM alias WHERE mailbox_id = (SELECT mailbox_id FROM user WHERE name = ?1)", TEXTS(name));
}

enum sql_status
aliases_have(struct sql *sql, struct span name, bool *is_alias_out)
{
	return statement_is_true(sql, "SELECT 1 FROM alias WHERE name = ?1 UNION ALL "
	    "SELECT 1 FROM rename WHERE name = ?1 OR (new_name = ?1 AND NOT is_switched)", TEXTS(name), is_alias_out);
}

/* What would become of one, but that it may be updated. */
static enum sql_status
judge(struct sql *sql, struct directory_new_alias *alias)
{
	struct sql_statement *query = sql_prepare(sql, "SELECT (SELECT mailbox_id FROM user WHERE name = ?2), "
	    "(SELECT mailbox_id FROM alias WHERE name = ?1), "
	    "EXISTS (SELECT 1 FROM user WHERE name = ?1) OR EXISTS (SELECT 1 FROM rename WHERE ?1 IN (name, new_name))");
	enum sql_status step;

	sql_bind_text(query, 1, alias->alias);
	sql_bind_text(query, 2, alias->name);
	if ((step = sql_step(query)) != SQL_ROW)
		return step;
	if (sql_column_number(query, 2) != 0)
		alias->outcome = DIRECTORY_ALIAS_TAKEN;
	else if (sql_column_is_null(query, 0))
		alias->outcome = sql_column_is_null(query, 1) ? DIRECTORY_ALIAS_OF_NOBODY : DIRECTORY_ALIAS_TAKEN;
	else if (sql_column_is_null(query, 1))
		alias->outcome = DIRECTORY_ALIAS_ADDED;
	else
		alias->outcome = span_equals(sql_column_text(query, 0), sql_column_text(query, 1)) ? DIRECTORY_ALIAS_WAS_THERE :
		    DIRECTORY_ALIAS_UPDATED;
	sql_reset(query);
	return SQL_OK;
}

static enum sql_status
add_one(struct sql *sql, void *aliases, size_t index, unsigned flags)
{
	struct directory_new_alias *alias = (struct directory_new_alias *)aliases + index;
	enum sql_status status = judge(sql, alias);

	if (alias->outcome == DIRECTORY_ALIAS_UPDATED && (flags & DIRECTORY_IMPORT_UPDATES) == 0)
		alias->outcome = DIRECTORY_ALIAS_TAKEN;
	if (status != SQL_OK || (alias->outcome != DIRECTORY_ALIAS_ADDED && alias->outcome != DIRECTORY_ALIAS_UPDATED))
		return status;
	return statement_run(sql, "INSERT INTO alias (name, mailbox_id) SELECT ?1, mailbox_id FROM user WHERE name = ?2 "
	    "ON CONFLICT DO UPDATE SET mailbox_id = excluded.mailbox_id", TEXTS(alias->alias, alias->name));
}

enum directory_status
aliases_import(struct directory *directory, struct directory_new_alias *aliases, size_t count, unsigned flags)
{
	return sqlite_import(directory, add_one, aliases, count, flags);
}

enum directory_status
aliases_add(struct directory *directory, struct span alias, struct span name)
{
	struct directory_new_alias added = { .alias = alias, .name = name };
	enum directory_status status = aliases_import(directory, &added, 1, 0);

	if (status != DIRECTORY_OK)
		return status;
	return added.outcome == DIRECTORY_ALIAS_TAKEN ? DIRECTORY_EXISTS :
	    added.outcome == DIRECTORY_ALIAS_OF_NOBODY ? DIRECTORY_NOT_FOUND : DIRECTORY_OK;
}

enum directory_status
aliases_remove(struct directory *directory, struct span alias)
{
	return statement_change(directory, "DELETE FROM alias WHERE name = ?1", TEXTS(alias));
}

enum directory_status
aliases_list(struct directory *directory, struct span after, struct span name, struct arena *arena,
    struct directory_alias *aliases_out, size_t limit, size_t *count_out)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	struct sql_statement *query;
	enum sql_status step;
	size_t count = 0;

	*count_out = 0;
	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sql, "SELECT alias.name, user.name FROM alias JOIN user USING (mailbox_id) "
	    "WHERE alias.name > ?1 AND (?2 = '' OR user.name = ?2) ORDER BY alias.name LIMIT ?3");
	sql_bind_text(query, 1, after);
	sql_bind_text(query, 2, name);
	sql_bind_number(query, 3, (int64_t)limit);
	while ((step = sql_step(query)) == SQL_ROW)
		aliases_out[count++] = (struct directory_alias){ arena_copy(arena, sql_column_text(query, 0)),
			arena_copy(arena, sql_column_text(query, 1)) };
	*count_out = count;
	return sqlite_result(directory, step);
}
