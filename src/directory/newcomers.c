/*
 * Many users in one transaction of directory.db: one flush for all of them.
 */
#include "newcomers.h"

#include "alias.h"
#include "base/clock.h"
#include "sqlite.h"
#include "sqlite_file.h"

static void
bind_optional(struct sql_statement *query, int index, bool is_there, struct span text)
{
	if (is_there)
		sql_bind_text(query, index, text);
	else
		sql_bind_null(query, index);
}

/* What was said of the user, where it is something else than what is there; nothing for a shared account. */
static enum sql_status
update(struct sql *sql, const struct directory_newcomer *newcomer)
{
	struct sql_statement *query = sql_prepare(sql, "UPDATE user SET credential = coalesce(?2, credential), "
	    "credential_version = credential_version + (coalesce(?2, credential) <> credential), home = coalesce(?3, home), "
	    "is_enabled = coalesce(?4, is_enabled), quota_storage = coalesce(?5, quota_storage), "
	    "quota_messages = coalesce(?6, quota_messages), quota_mailboxes = coalesce(?7, quota_mailboxes), changed = ?8 "
	    "WHERE name = ?1 AND NOT is_shared AND (coalesce(?2, credential), coalesce(?3, home), coalesce(?4, is_enabled), "
	    "coalesce(?5, quota_storage), coalesce(?6, quota_messages), coalesce(?7, quota_mailboxes)) IS NOT "
	    "(credential, home, is_enabled, quota_storage, quota_messages, quota_mailboxes)");

	sql_bind_text(query, 1, newcomer->name);
	bind_optional(query, 2, newcomer->has_credential, newcomer->credential);
	bind_optional(query, 3, newcomer->has_home, newcomer->home);
	if (newcomer->has_enabled)
		sql_bind_number(query, 4, newcomer->is_enabled);
	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		if (newcomer->quota.of[i] != 0)
			sql_bind_number(query, 5 + i, newcomer->quota.of[i]);
	sql_bind_number(query, 8, clock_calendar_s());
	return sql_run(query);
}

static enum sql_status
add_one(struct sql *sql, void *newcomers, size_t index, unsigned flags)
{
	struct directory_newcomer *newcomer = (struct directory_newcomer *)newcomers + index;
	struct span credential = newcomer->has_credential ? newcomer->credential : SPAN("");
	bool is_alias = false;
	enum sql_status status = sqlite_insert(sql, newcomer->name, credential, false);

	if (status != SQL_OK)
		return status;
	newcomer->outcome = sql_changed_rows(sql) > 0 ? DIRECTORY_ADDED : DIRECTORY_WAS_THERE;
	if (newcomer->outcome == DIRECTORY_WAS_THERE && (status = aliases_have(sql, newcomer->name, &is_alias)) != SQL_OK)
		return status;
	if (is_alias)
		newcomer->outcome = DIRECTORY_IS_ALIAS;
	if (newcomer->outcome == DIRECTORY_WAS_THERE && (flags & DIRECTORY_IMPORT_UPDATES) == 0)
		return SQL_OK;
	status = update(sql, newcomer);
	if (status == SQL_OK && newcomer->outcome == DIRECTORY_WAS_THERE && sql_changed_rows(sql) > 0)
		newcomer->outcome = DIRECTORY_UPDATED;
	return status;
}

enum directory_status
newcomers_add(struct directory *directory, struct directory_newcomer *newcomers, size_t count, unsigned flags)
{
	return sqlite_import(directory, add_one, newcomers, count, flags);
}
