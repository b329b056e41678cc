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

/* Whether a user, or somebody else's alias, has a name. */
static enum sql_status
is_taken(struct sql *sql, struct span alias, struct span name, bool *is_taken_out)
{
	return statement_is_true(sql, "SELECT 1 FROM user WHERE name = ?1 UNION ALL SELECT 1 FROM alias "
	    "WHERE name = ?1 AND mailbox_id IS NOT (SELECT mailbox_id FROM user WHERE name = ?2) UNION ALL "
	    "SELECT 1 FROM rename WHERE ?1 IN (name, new_name)", TEXTS(alias, name), is_taken_out);
}

/* What is there already is written again, so that a row changes when the user exists. */
enum directory_status
aliases_add(struct directory *directory, struct span alias, struct span name)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	bool is_refused = false;

	if (status == DIRECTORY_OK)
		status = sqlite_result(directory, is_taken(sql, alias, name, &is_refused));
	if (status != DIRECTORY_OK || is_refused)
		return is_refused ? DIRECTORY_EXISTS : status;
	return statement_change(directory, "INSERT INTO alias (name, mailbox_id) SELECT ?1, mailbox_id FROM user "
	    "WHERE name = ?2 ON CONFLICT DO UPDATE SET mailbox_id = excluded.mailbox_id", TEXTS(alias, name));
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
