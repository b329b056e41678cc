/*
 * Delegates in directory.db: table delegate.
 */
#include "delegate.h"

#include "base/memory.h"
#include "sqlite_file.h"
#include "statement.h"

enum sql_status
delegates_forget(struct sql *sql, struct span name)
{
	return statement_run(sql, "DELETE FROM delegate WHERE "
	    "(SELECT mailbox_id FROM user WHERE name = ?1) IN (mailbox_id, delegate_id)", TEXTS(name));
}

/* What is there already is written again, so that a row changes when both exist. */
enum directory_status
delegates_allow(struct directory *directory, struct span principal, struct span delegate, bool is_allowed)
{
	static const char add[] = "INSERT INTO delegate (mailbox_id, delegate_id) "
	    "SELECT whose.mailbox_id, who.mailbox_id FROM user AS whose, user AS who "
	    "WHERE whose.name = ?1 AND who.name = ?2 AND NOT who.is_shared "
	    "ON CONFLICT DO UPDATE SET delegate_id = excluded.delegate_id";
	static const char take[] = "DELETE FROM delegate WHERE mailbox_id = (SELECT mailbox_id FROM user WHERE name = ?1) "
	    "AND delegate_id = (SELECT mailbox_id FROM user WHERE name = ?2)";

	return statement_change(directory, is_allowed ? add : take, TEXTS(principal, delegate));
}

static enum sql_status
count_delegates(struct sql *sql, struct span mailbox_id, size_t *count_out)
{
	struct sql_statement *query = sql_prepare(sql, "SELECT count(*) FROM delegate WHERE mailbox_id = ?1");
	enum sql_status step;

	sql_bind_text(query, 1, mailbox_id);
	step = sql_step(query);
	*count_out = step == SQL_ROW ? (size_t)sql_column_number(query, 0) : 0;
	sql_reset(query);
	return step;
}

enum directory_status
delegates_list(struct directory *directory, const struct directory_user *principal, struct arena *arena,
    struct span **names_out, size_t *count_out)
{
	struct span id = span_from_string(principal->mailbox_id);
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	struct sql_statement *query;
	enum sql_status step;
	size_t limit;

	*count_out = 0;
	if (status != DIRECTORY_OK || (status = sqlite_result(directory, count_delegates(sql, id, &limit))) != DIRECTORY_OK)
		return status;
	*names_out = arena_alloc_array(arena, limit + 1, sizeof **names_out);
	query = sql_prepare(sql, "SELECT user.name FROM delegate JOIN user ON user.mailbox_id = delegate_id "
	    "WHERE delegate.mailbox_id = ?1 ORDER BY user.name LIMIT ?2");
	sql_bind_text(query, 1, id);
	sql_bind_number(query, 2, (int64_t)limit);
	while ((step = sql_step(query)) == SQL_ROW)
		(*names_out)[(*count_out)++] = arena_copy(arena, sql_column_text(query, 0));
	return sqlite_result(directory, step);
}

enum directory_status
delegates_permit(struct directory *directory, struct arena *arena, struct directory_login *login)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	struct sql_statement *query;
	enum sql_status step;

	(void)arena;
	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sql, "SELECT count(*) FROM delegate WHERE mailbox_id = ?1 AND delegate_id = ?2");
	sql_bind_text(query, 1, span_from_string(login->principal.mailbox_id));
	sql_bind_text(query, 2, span_from_string(login->prover.mailbox_id));
	if ((step = sql_step(query)) != SQL_ROW)
		return sqlite_result(directory, step);
	login->is_master = login->prover.is_master && !login->principal.is_master;
	login->is_permitted = login->is_master || sql_column_number(query, 0) > 0;
	sql_reset(query);
	return DIRECTORY_OK;
}
