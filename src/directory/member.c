/*
 * Groups in directory.db: table member.
 */
#include "member.h"

#include "base/memory.h"
#include "sqlite_file.h"
#include "statement.h"

static enum sql_status
count_groups(struct sql *sql, struct span mailbox_id, size_t *count_out)
{
	struct sql_statement *query = sql_prepare(sql, "SELECT count(*) FROM member WHERE mailbox_id = ?1");
	enum sql_status step;

	sql_bind_text(query, 1, mailbox_id);
	if ((step = sql_step(query)) == SQL_ROW)
		*count_out = (size_t)sql_column_number(query, 0);
	sql_reset(query);
	return step;
}

static enum sql_status
read_groups(struct sql *sql, struct arena *arena, struct directory_user *user)
{
	struct span id = span_from_string(user->mailbox_id), *groups;
	struct sql_statement *query;
	size_t count = 0, limit = 0;
	enum sql_status step = count_groups(sql, id, &limit);

	if (step != SQL_ROW || limit == 0)
		return step;
	groups = arena_alloc_array(arena, limit, sizeof *groups);
	query = sql_prepare(sql, "SELECT group_name FROM member WHERE mailbox_id = ?1 ORDER BY group_name LIMIT ?2");
	sql_bind_text(query, 1, id);
	sql_bind_number(query, 2, (int64_t)limit);
	while ((step = sql_step(query)) == SQL_ROW)
		groups[count++] = arena_copy(arena, sql_column_text(query, 0));
	if (step != SQL_OK)
		return step;
	user->groups = groups;
	user->group_count = count;
	return SQL_OK;
}

enum directory_status
members_find(struct directory *directory, struct arena *arena, struct directory_user *user)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);

	return status == DIRECTORY_OK ? sqlite_result(directory, read_groups(sql, arena, user)) : status;
}

enum sql_status
members_forget(struct sql *sql, struct span name)
{
	return statement_run(sql, "DELETE FROM member WHERE mailbox_id = (SELECT mailbox_id FROM user WHERE name = ?1)", TEXTS(name));
}

/* Who is a member already is written again, so that a user who is there changes a row. */
enum directory_status
members_join(struct directory *directory, struct span group, struct span name)
{
	return statement_change(directory, "INSERT INTO member (mailbox_id, group_name) SELECT mailbox_id, ?2 FROM user "
	    "WHERE name = ?1 ON CONFLICT DO UPDATE SET group_name = ?2", TEXTS(name, group));
}

enum directory_status
members_leave(struct directory *directory, struct span group, struct span name)
{
	return statement_change(directory, "DELETE FROM member WHERE group_name = ?2 AND "
	    "mailbox_id = (SELECT mailbox_id FROM user WHERE name = ?1)", TEXTS(name, group));
}

enum directory_status
members_list(struct directory *directory, const struct directory_member *after, struct arena *arena,
    struct directory_member *members_out, size_t limit, size_t *count_out)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	struct sql_statement *query;
	enum sql_status step;
	size_t count = 0;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sql, "SELECT group_name, name FROM member JOIN user USING (mailbox_id) "
	    "WHERE (group_name, name) > (?1, ?2) ORDER BY group_name, name LIMIT ?3");
	sql_bind_text(query, 1, after->group);
	sql_bind_text(query, 2, after->name);
	sql_bind_number(query, 3, (int64_t)limit);
	while ((step = sql_step(query)) == SQL_ROW)
		members_out[count++] = (struct directory_member){ arena_copy(arena, sql_column_text(query, 0)),
			arena_copy(arena, sql_column_text(query, 1)) };
	*count_out = count;
	return sqlite_result(directory, step);
}
