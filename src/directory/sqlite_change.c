/*
 * Changing users in directory.db: table user, and what says something of them.
 */
#include "sqlite_users.h"

#include "alias.h"
#include "base/clock.h"
#include "delegate.h"
#include "member.h"
#include "sqlite.h"
#include "sqlite_file.h"
#include "statement.h"

static enum directory_status
insert(struct directory *directory, struct span name, struct span credential, bool is_shared)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	enum sql_status run;

	if (status != DIRECTORY_OK)
		return status;
	if ((run = sqlite_insert(sql, name, credential, is_shared)) != SQL_OK)
		return sqlite_result(directory, run);
	return sql_changed_rows(sql) == 0 ? DIRECTORY_EXISTS : DIRECTORY_OK;
}

enum directory_status
sqlite_add(struct directory *directory, struct span name, struct span credential)
{
	return insert(directory, name, credential, false);
}

enum directory_status
sqlite_add_shared(struct directory *directory, struct span name)
{
	return insert(directory, name, SPAN(""), true);
}

/* For what a shared account has none of: a credential, an entry in LDAP. */
static enum directory_status
check_not_shared(struct directory *directory, struct span name)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	bool is_shared = false;

	if (status == DIRECTORY_OK)
		status = sqlite_result(directory, statement_is_true(sql, "SELECT 1 FROM user WHERE name = ?1 AND is_shared",
		    TEXTS(name), &is_shared));
	return is_shared ? DIRECTORY_SHARED : status;
}

/* Run an UPDATE of one user, whose ?2 is bound; ?1 is the name, and ?3 the time. */
static enum directory_status
change(struct directory *directory, struct sql *sql, struct sql_statement *query, struct span name)
{
	enum directory_status status;

	sql_bind_text(query, 1, name);
	sql_bind_number(query, 3, clock_calendar_s());
	status = sqlite_result(directory, sql_run(query));
	return status == DIRECTORY_OK && sql_changed_rows(sql) == 0 ? DIRECTORY_NOT_FOUND : status;
}

static enum directory_status
set_text(struct directory *directory, const char *statement, struct span name, struct span text)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	struct sql_statement *query;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sql, statement);
	sql_bind_text(query, 2, text);
	return change(directory, sql, query, name);
}

static enum directory_status
set_number(struct directory *directory, const char *statement, struct span name, int64_t number)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	struct sql_statement *query;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sql, statement);
	sql_bind_number(query, 2, number);
	return change(directory, sql, query, name);
}

enum directory_status
sqlite_set_credential(struct directory *directory, struct span name, struct span credential)
{
	enum directory_status status = check_not_shared(directory, name);

	return status != DIRECTORY_OK ? status : set_text(directory, "UPDATE user SET credential = ?2, "
	    "credential_version = credential_version + 1, changed = ?3 WHERE name = ?1", name, credential);
}

enum directory_status
sqlite_set_enabled(struct directory *directory, struct span name, bool is_enabled)
{
	return set_number(directory, "UPDATE user SET is_enabled = ?2, changed = ?3 WHERE name = ?1", name, is_enabled);
}

/* Who says so knows better than a move that has ended, or of which nothing is heard any more. */
enum directory_status
sqlite_set_home(struct directory *directory, struct span name, struct span home)
{
	enum directory_status status = statement_change(directory, "DELETE FROM departure WHERE name = ?1", TEXTS(name));

	if (status != DIRECTORY_OK && status != DIRECTORY_NOT_FOUND)
		return status;
	return set_text(directory, "UPDATE user SET home = ?2, changed = ?3 WHERE name = ?1", name, home);
}

enum directory_status
sqlite_set_master(struct directory *directory, struct span name, bool is_master)
{
	enum directory_status status = check_not_shared(directory, name);

	return status != DIRECTORY_OK ? status :
	    set_number(directory, "UPDATE user SET is_master = ?2, changed = ?3 WHERE name = ?1", name, is_master);
}

enum directory_status
sqlite_set_limit(struct directory *directory, struct span name, enum directory_resource resource, int64_t limit)
{
	static const char *const statements[DIRECTORY_RESOURCE_COUNT] = {
		[DIRECTORY_STORAGE] = "UPDATE user SET quota_storage = nullif(?2, 0), changed = ?3 WHERE name = ?1",
		[DIRECTORY_MESSAGES] = "UPDATE user SET quota_messages = nullif(?2, 0), changed = ?3 WHERE name = ?1",
		[DIRECTORY_MAILBOXES] = "UPDATE user SET quota_mailboxes = nullif(?2, 0), changed = ?3 WHERE name = ?1",
	};

	return set_number(directory, statements[resource], name, limit);
}

enum directory_status
sqlite_release(struct directory *directory, struct span name)
{
	enum directory_status status = check_not_shared(directory, name);

	return status != DIRECTORY_OK ? status :
	    set_text(directory, "UPDATE user SET entry = ?2, entry_dn = ?2, changed = ?3 WHERE name = ?1", name, SPAN(""));
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
check_not_renamed(struct directory *directory, struct sql *sql, struct span name)
{
	enum sql_status step = statement_find(sql, "SELECT 1 FROM rename WHERE ?1 IN (name, new_name)", TEXTS(name));

	return step == SQL_ROW ? DIRECTORY_BUSY : sqlite_result(directory, step);
}

enum directory_status
sqlite_delete(struct directory *directory, struct span name)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	enum sql_status run;

	if (status != DIRECTORY_OK || (status = check_not_renamed(directory, sql, name)) != DIRECTORY_OK)
		return status;
	if ((run = sql_begin(sql)) != SQL_OK)
		return sqlite_result(directory, run);
	run = retire_mailbox(sql, name);
	if (run == SQL_OK)
		run = members_forget(sql, name);
	if (run == SQL_OK)
		run = forget_shares(sql, name);
	if (run == SQL_OK)
		run = delegates_forget(sql, name);
	if (run == SQL_OK)
		run = aliases_forget(sql, name);
	if (run == SQL_OK)
		run = statement_run(sql, "DELETE FROM departure WHERE name = ?1", TEXTS(name));
	if (run == SQL_OK)
		run = statement_run(sql, "DELETE FROM user WHERE name = ?1", TEXTS(name));
	if (run == SQL_OK && sql_changed_rows(sql) == 0)
		status = DIRECTORY_NOT_FOUND;
	run = sql_end(sql, run);
	return run == SQL_OK ? status : sqlite_result(directory, run);
}
