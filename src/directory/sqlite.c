/*
 * The directory in a SQLite file, directory.db; its tables are in schema/directory.*.sql.  Worker thread.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "alias.h"
#include "delegate.h"
#include "member.h"
#include "newcomers.h"
#include "restored.h"
#include "sqlite.h"
#include "sqlite_file.h"
#include "statement.h"

static struct sqlite_file *
own(struct directory *directory)
{
	return CONTAINER_OF(directory, struct sqlite_file, directory);
}

#define USER_COLUMNS "name, mailbox_id, credential, credential_version, home, is_enabled, created, changed, is_shared, " \
	"quota_storage, quota_messages, quota_mailboxes, is_master"

static bool
read_user(struct sql_statement *query, struct arena *arena, struct directory_user *user_out)
{
	struct span id = sql_column_text(query, 1);

	if (id.length != DIRECTORY_ID_LENGTH)
		return false;
	*user_out = (struct directory_user){
		.name = arena_copy(arena, sql_column_text(query, 0)),
		.credential = arena_copy(arena, sql_column_text(query, 2)),
		.credential_version = (uint64_t)sql_column_number(query, 3),
		.home = arena_copy(arena, sql_column_text(query, 4)),
		.is_enabled = sql_column_number(query, 5) != 0,
		.created_s = sql_column_number(query, 6),
		.changed_s = sql_column_number(query, 7),
		.is_shared = sql_column_number(query, 8) != 0,
	};
	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		user_out->quota.of[i] = sql_column_number(query, 9 + i);
	user_out->is_master = sql_column_number(query, 12) != 0;
	memcpy(user_out->mailbox_id, id.at, id.length);
	return true;
}

/* The user whom a statement finds by a name, its one place. */
static enum directory_status
lookup_by(const char *statement, struct directory *directory, struct span name, struct arena *arena,
    struct directory_user *user_out)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = sqlite_file_connect(sqlite);
	struct sql_statement *query;
	enum sql_status step;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, statement);
	sql_bind_text(query, 1, name);
	step = sql_step(query);
	if (step == SQL_OK)
		return DIRECTORY_NOT_FOUND;
	if (step != SQL_ROW)
		return sqlite_file_result(sqlite, step);
	status = read_user(query, arena, user_out) ? DIRECTORY_OK : DIRECTORY_CORRUPT;
	sql_reset(query);
	return status;
}

static enum directory_status
lookup(struct directory *directory, struct span name, struct arena *arena, struct directory_user *user_out)
{
	return lookup_by("SELECT " USER_COLUMNS " FROM user WHERE name = ?1", directory, name, arena, user_out);
}

static enum directory_status
lookup_alias(struct directory *directory, struct span alias, struct arena *arena, struct directory_user *user_out)
{
	static const char statement[] = "SELECT " USER_COLUMNS " FROM user "
	    "WHERE mailbox_id = (SELECT mailbox_id FROM alias WHERE name = ?1)";

	return lookup_by(statement, directory, alias, arena, user_out);
}

static enum directory_status
insert(struct directory *directory, struct span name, struct span credential, bool is_shared)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = sqlite_file_connect(sqlite);
	enum sql_status run;

	if (status != DIRECTORY_OK)
		return status;
	if ((run = sqlite_insert(sqlite->sql, name, credential, is_shared)) != SQL_OK)
		return sqlite_file_result(sqlite, run);
	return sql_changed_rows(sqlite->sql) == 0 ? DIRECTORY_EXISTS : DIRECTORY_OK;
}

static enum directory_status
add(struct directory *directory, struct span name, struct span credential)
{
	return insert(directory, name, credential, false);
}

static enum directory_status
add_shared(struct directory *directory, struct span name)
{
	return insert(directory, name, SPAN(""), true);
}

static enum sql_status
find_shared(struct sql *sql, struct span name, bool *is_shared_out)
{
	struct sql_statement *query = sql_prepare(sql, "SELECT is_shared FROM user WHERE name = ?1");
	enum sql_status step;

	sql_bind_text(query, 1, name);
	step = sql_step(query);
	*is_shared_out = step == SQL_ROW && sql_column_number(query, 0) != 0;
	sql_reset(query);
	return step;
}

/* Open the file for what a shared account has none of: a credential, an entry in LDAP. */
static enum directory_status
connect_for_login(struct sqlite_file *sqlite, struct span name)
{
	enum directory_status status = sqlite_file_connect(sqlite);
	bool is_shared = false;

	if (status == DIRECTORY_OK)
		status = sqlite_file_result(sqlite, find_shared(sqlite->sql, name, &is_shared));
	return status == DIRECTORY_OK && is_shared ? DIRECTORY_SHARED : status;
}

/* Run a bound UPDATE or DELETE of one user. */
static enum directory_status
change(struct sqlite_file *sqlite, struct sql_statement *query)
{
	enum sql_status run = sql_run(query);

	if (run != SQL_OK)
		return sqlite_file_result(sqlite, run);
	return sql_changed_rows(sqlite->sql) == 0 ? DIRECTORY_NOT_FOUND : DIRECTORY_OK;
}

static enum directory_status
set_credential(struct directory *directory, struct span name, struct span credential)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = connect_for_login(sqlite, name);
	struct sql_statement *query;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "UPDATE user SET credential = ?2, "
	    "credential_version = credential_version + 1, changed = ?3 WHERE name = ?1");
	sql_bind_text(query, 1, name);
	sql_bind_text(query, 2, credential);
	sql_bind_number(query, 3, clock_calendar_s());
	return change(sqlite, query);
}

static enum directory_status
set_enabled(struct directory *directory, struct span name, bool is_enabled)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = sqlite_file_connect(sqlite);
	struct sql_statement *query;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "UPDATE user SET is_enabled = ?2, changed = ?3 WHERE name = ?1");
	sql_bind_text(query, 1, name);
	sql_bind_number(query, 2, is_enabled);
	sql_bind_number(query, 3, clock_calendar_s());
	return change(sqlite, query);
}

static enum directory_status
set_home(struct directory *directory, struct span name, struct span home)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = sqlite_file_connect(sqlite);
	struct sql_statement *query;

	if (status != DIRECTORY_OK)
		return status;
	/* Who says so knows better than a move that has ended, or of which nothing is heard any more. */
	query = sql_prepare(sqlite->sql, "DELETE FROM departure WHERE name = ?1");
	sql_bind_text(query, 1, name);
	if ((status = sqlite_file_result(sqlite, sql_run(query))) != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "UPDATE user SET home = ?2, changed = ?3 WHERE name = ?1");
	sql_bind_text(query, 1, name);
	sql_bind_text(query, 2, home);
	sql_bind_number(query, 3, clock_calendar_s());
	return change(sqlite, query);
}

static enum directory_status
set_master(struct directory *directory, struct span name, bool is_master)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = connect_for_login(sqlite, name);
	struct sql_statement *query;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "UPDATE user SET is_master = ?2, changed = ?3 WHERE name = ?1");
	sql_bind_text(query, 1, name);
	sql_bind_number(query, 2, is_master);
	sql_bind_number(query, 3, clock_calendar_s());
	return change(sqlite, query);
}

static enum directory_status
set_limit(struct directory *directory, struct span name, enum directory_resource resource, int64_t limit)
{
	static const char *const statements[DIRECTORY_RESOURCE_COUNT] = {
		[DIRECTORY_STORAGE] = "UPDATE user SET quota_storage = ?2, changed = ?3 WHERE name = ?1",
		[DIRECTORY_MESSAGES] = "UPDATE user SET quota_messages = ?2, changed = ?3 WHERE name = ?1",
		[DIRECTORY_MAILBOXES] = "UPDATE user SET quota_mailboxes = ?2, changed = ?3 WHERE name = ?1",
	};
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = sqlite_file_connect(sqlite);
	struct sql_statement *query;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, statements[resource]);
	sql_bind_text(query, 1, name);
	if (limit == 0)
		sql_bind_null(query, 2);
	else
		sql_bind_number(query, 2, limit);
	sql_bind_number(query, 3, clock_calendar_s());
	return change(sqlite, query);
}

static enum directory_status
release(struct directory *directory, struct span name)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = connect_for_login(sqlite, name);
	struct sql_statement *query;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "UPDATE user SET entry = '', entry_dn = '', changed = ?2 WHERE name = ?1");
	sql_bind_text(query, 1, name);
	sql_bind_number(query, 2, clock_calendar_s());
	return change(sqlite, query);
}

/* Users that imapctl health makes come and go each minute: their mail is purged at once, and the last one is remembered. */
static enum sql_status
forget_probes(struct sql *sql, struct span name)
{
	if (!span_starts_with(name, SPAN("healthmailbox-")))
		return SQL_OK;
	return sql_run(sql_prepare(sql, "DELETE FROM retired_mailbox WHERE name GLOB 'healthmailbox-*'"));
}

static enum sql_status
retire_mailbox(struct sql *sql, struct span name)
{
	struct sql_statement *query;
	enum sql_status status = forget_probes(sql, name);

	if (status != SQL_OK)
		return status;
	query = sql_prepare(sql, "INSERT INTO retired_mailbox "
	    "SELECT mailbox_id, name, ?2 FROM user WHERE name = ?1");
	sql_bind_text(query, 1, name);
	sql_bind_number(query, 2, clock_calendar_s());
	return sql_run(query);
}

/* What the user shares, and what is shared with the user: who gets the name next gets none of it. */
static enum sql_status
forget_shares(struct sql *sql, struct span name)
{
	return statement_run(sql, "DELETE FROM share WHERE identifier = ?1 OR "
	    "mailbox_id = (SELECT mailbox_id FROM user WHERE name = ?1)", TEXTS(name));
}

/* Whoever goes while files still say the old name would leave rights behind in them. */
static enum directory_status
check_not_renamed(struct sqlite_file *sqlite, struct span name)
{
	enum sql_status step = statement_find(sqlite->sql, "SELECT 1 FROM rename WHERE ?1 IN (name, new_name)", TEXTS(name));

	return step == SQL_ROW ? DIRECTORY_BUSY : sqlite_file_result(sqlite, step);
}

static enum directory_status
delete(struct directory *directory, struct span name)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = sqlite_file_connect(sqlite);
	enum sql_status run;

	if (status != DIRECTORY_OK || (status = check_not_renamed(sqlite, name)) != DIRECTORY_OK)
		return status;
	if ((run = sql_begin(sqlite->sql)) != SQL_OK)
		return sqlite_file_result(sqlite, run);
	run = retire_mailbox(sqlite->sql, name);
	if (run == SQL_OK)
		run = members_forget(sqlite->sql, name);
	if (run == SQL_OK)
		run = forget_shares(sqlite->sql, name);
	if (run == SQL_OK)
		run = delegates_forget(sqlite->sql, name);
	if (run == SQL_OK)
		run = aliases_forget(sqlite->sql, name);
	if (run == SQL_OK)
		run = statement_run(sqlite->sql, "DELETE FROM departure WHERE name = ?1", TEXTS(name));
	if (run == SQL_OK)
		run = statement_run(sqlite->sql, "DELETE FROM user WHERE name = ?1", TEXTS(name));
	if (run == SQL_OK && sql_changed_rows(sqlite->sql) == 0)
		status = DIRECTORY_NOT_FOUND;
	run = sql_end(sqlite->sql, run);
	return run == SQL_OK ? status : sqlite_file_result(sqlite, run);
}

/* A page of users, by a statement with the places of directory_list(). */
static enum directory_status
list_by(const char *statement, struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = sqlite_file_connect(sqlite);
	struct sql_statement *query;
	enum sql_status step;
	size_t count = 0;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, statement);
	sql_bind_text(query, 1, after);
	sql_bind_number(query, 2, (int64_t)limit);
	while ((step = sql_step(query)) == SQL_ROW) {
		if (!read_user(query, arena, &users_out[count])) {
			sql_reset(query);
			return DIRECTORY_CORRUPT;
		}
		count++;
	}
	if (step != SQL_OK)
		return sqlite_file_result(sqlite, step);
	*count_out = count;
	return DIRECTORY_OK;
}

static enum directory_status
list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	static const char statement[] = "SELECT " USER_COLUMNS " FROM user WHERE name > ?1 ORDER BY name LIMIT ?2";

	return list_by(statement, directory, after, arena, users_out, limit, count_out);
}

/* By the index user_quota, whose condition this is. */
static enum directory_status
list_limited(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	static const char statement[] = "SELECT " USER_COLUMNS " FROM user WHERE name > ?1 AND "
	    "coalesce(quota_storage, quota_messages, quota_mailboxes) IS NOT NULL ORDER BY name LIMIT ?2";

	return list_by(statement, directory, after, arena, users_out, limit, count_out);
}

static enum directory_status
list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = sqlite_file_connect(sqlite);
	struct sql_statement *query;
	enum sql_status step;
	size_t count = 0;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "SELECT mailbox_id, name, deleted FROM retired_mailbox "
	    "WHERE mailbox_id > ?1 AND length(mailbox_id) = 32 ORDER BY mailbox_id LIMIT ?2");
	sql_bind_text(query, 1, after);
	sql_bind_number(query, 2, (int64_t)limit);
	while ((step = sql_step(query)) == SQL_ROW) {
		struct directory_retired *retired = &retired_out[count++];

		*retired = (struct directory_retired){ .name = arena_copy(arena, sql_column_text(query, 1)),
			.deleted_s = sql_column_number(query, 2) };
		memcpy(retired->mailbox_id, sql_column_text(query, 0).at, DIRECTORY_ID_LENGTH);
	}
	if (step != SQL_OK)
		return sqlite_file_result(sqlite, step);
	*count_out = count;
	return DIRECTORY_OK;
}

static enum directory_status
count_users(struct directory *directory, uint64_t *count_out)
{
	struct sqlite_file *sqlite = own(directory);
	enum directory_status status = sqlite_file_connect(sqlite);
	struct sql_statement *query;
	enum sql_status step;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "SELECT count(*) FROM user");
	if ((step = sql_step(query)) != SQL_ROW)
		return sqlite_file_result(sqlite, step);
	*count_out = (uint64_t)sql_column_number(query, 0);
	sql_reset(query);
	return DIRECTORY_OK;
}

static void
begin_reading(struct directory *directory)
{
	struct sqlite_file *sqlite = own(directory);

	if (sqlite_file_connect(sqlite) == DIRECTORY_OK)
		sql_begin_read(sqlite->sql);
}

/* It may have been opened anew meanwhile. */
static void
end_reading(struct directory *directory)
{
	struct sqlite_file *sqlite = own(directory);

	if (sqlite->sql != NULL && sql_is_in_transaction(sqlite->sql))
		sql_commit(sqlite->sql);
}

static void
close_file(struct directory *directory)
{
	struct sqlite_file *sqlite = own(directory);

	sql_close(&sqlite->sql);
	free(sqlite->path);
	free(sqlite);
}

static struct directory *
registry(struct directory *directory)
{
	return directory;
}

enum directory_status
directory_open_sqlite(const char *path, struct directory **directory_out)
{
	static const struct directory_backend backend = {
		.lookup = lookup,
		.find_groups = members_find,
		.add = add,
		.import = newcomers_add,
		.add_shared = add_shared,
		.restore = restored_add,
		.set_credential = set_credential,
		.set_enabled = set_enabled,
		.begin_reading = begin_reading,
		.end_reading = end_reading,
		.registry = registry,
		.set_home = set_home,
		.set_limit = set_limit,
		.set_master = set_master,
		.allow = delegates_allow,
		.list_delegates = delegates_list,
		.permits = delegates_permit,
		.release = release,
		.join = members_join,
		.leave = members_leave,
		.list_members = members_list,
		.lookup_alias = lookup_alias,
		.add_alias = aliases_add,
		.remove_alias = aliases_remove,
		.list_aliases = aliases_list,
		.delete = delete,
		.list = list,
		.list_limited = list_limited,
		.list_retired = list_retired,
		.count = count_users,
		.close = close_file,
	};
	struct sqlite_file *sqlite;
	enum directory_status status;

	assert_off_loop();
	sqlite = NEW(struct sqlite_file);
	sqlite->directory.backend = &backend;
	sqlite->path = memory_copy_string(path);
	if ((status = sqlite_file_connect(sqlite)) == DIRECTORY_OK)
		*directory_out = &sqlite->directory;
	else
		close_file(&sqlite->directory);
	return status;
}
