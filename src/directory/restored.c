/*
 * A user who was deleted, made again as a backup has them: table user of directory.db.  Worker thread.
 */
#include "restored.h"

#include "alias.h"
#include "base/clock.h"
#include "base/random.h"
#include "sqlite.h"
#include "sqlite_file.h"
#include "statement.h"

/* The mailbox id, if it is nobody's, is that of before, so that what others keep of the user's mailboxes holds again. */
static enum sql_status
take_back_id(struct sql *sql, struct span mailbox_id)
{
	return statement_run(sql, "DELETE FROM retired_mailbox WHERE mailbox_id = ?1", TEXTS(mailbox_id));
}

static void
bind_limit(struct sql_statement *query, int index, int64_t limit)
{
	if (limit == 0)
		sql_bind_null(query, index);
	else
		sql_bind_number(query, index, limit);
}

static enum sql_status
insert(struct sql *sql, const struct directory_user *user, struct span mailbox_id)
{
	struct sql_statement *query = sql_prepare(sql,
	    "INSERT INTO user (name, mailbox_id, credential, credential_version, home, is_enabled, created, changed, is_shared, "
	    "entry, quota_storage, quota_messages, quota_mailboxes, is_master) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, iif(?9, 'shared=' || ?1, ''), ?10, ?11, ?12, ?13)");
	int64_t now_s = clock_calendar_s();

	sql_bind_text(query, 1, user->name);
	sql_bind_text(query, 2, mailbox_id);
	sql_bind_text(query, 3, user->credential);
	sql_bind_number(query, 4, sqlite_new_version());
	sql_bind_text(query, 5, user->home);
	sql_bind_number(query, 6, user->is_enabled);
	sql_bind_number(query, 7, user->created_s > 0 ? user->created_s : now_s);
	sql_bind_number(query, 8, now_s);
	sql_bind_number(query, 9, user->is_shared);
	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		bind_limit(query, 10 + i, user->quota.of[i]);
	sql_bind_number(query, 13, user->is_master);
	return sql_run(query);
}

static enum sql_status
join(struct sql *sql, const struct directory_user *user, struct span mailbox_id)
{
	enum sql_status status = SQL_OK;

	for (size_t i = 0; i < user->group_count && status == SQL_OK; i++)
		status = statement_run(sql, "INSERT OR IGNORE INTO member (mailbox_id, group_name) VALUES (?1, ?2)",
		    TEXTS(mailbox_id, user->groups[i]));
	return status;
}

/* Of those who are there. */
static enum sql_status
allow(struct sql *sql, const struct directory_user *user, struct span mailbox_id)
{
	enum sql_status status = SQL_OK;

	for (size_t i = 0; i < user->delegate_count && status == SQL_OK; i++)
		status = statement_run(sql, "INSERT OR IGNORE INTO delegate (mailbox_id, delegate_id) "
		    "SELECT ?1, mailbox_id FROM user WHERE name = ?2 AND NOT is_shared", TEXTS(mailbox_id, user->delegates[i]));
	return status;
}

/* SQL_CONSTRAINT: the name is somebody's alias. */
static enum sql_status
check_name(struct sql *sql, struct span name)
{
	bool is_alias = false;
	enum sql_status status = aliases_have(sql, name, &is_alias);

	return status == SQL_OK && is_alias ? SQL_CONSTRAINT : status;
}

/* Those that nobody else has by now. */
static enum sql_status
give_aliases(struct sql *sql, const struct directory_user *user, struct span mailbox_id)
{
	enum sql_status status = SQL_OK;

	for (size_t i = 0; i < user->alias_count && status == SQL_OK; i++)
		status = statement_run(sql, "INSERT OR IGNORE INTO alias (name, mailbox_id) "
		    "SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM user WHERE name = ?1)", TEXTS(user->aliases[i], mailbox_id));
	return status;
}

enum directory_status
restored_add(struct directory *directory, const struct directory_user *user)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	char id[DIRECTORY_ID_LENGTH + 1];
	enum sql_status run;

	if (status != DIRECTORY_OK)
		return status;
	memcpy(id, user->mailbox_id, sizeof id);
	if (id[0] == '\0')
		random_hex(id, DIRECTORY_ID_LENGTH);
	if ((run = sql_begin(sql)) != SQL_OK)
		return sqlite_result(directory, run);
	run = check_name(sql, user->name);
	if (run == SQL_OK)
		run = take_back_id(sql, span_from_string(id));
	if (run == SQL_OK)
		run = insert(sql, user, span_from_string(id));
	if (run == SQL_OK)
		run = join(sql, user, span_from_string(id));
	if (run == SQL_OK)
		run = allow(sql, user, span_from_string(id));
	if (run == SQL_OK)
		run = give_aliases(sql, user, span_from_string(id));
	run = sql_end(sql, run);
	return run == SQL_CONSTRAINT ? DIRECTORY_EXISTS : sqlite_result(directory, run);
}
