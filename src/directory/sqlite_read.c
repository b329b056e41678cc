/*
 * Looking users up in directory.db: table user, and retired_mailbox.
 */
#include "sqlite_users.h"

#include "base/memory.h"
#include "sqlite_file.h"

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
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	struct sql_statement *query;
	enum sql_status step;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sql, statement);
	sql_bind_text(query, 1, name);
	step = sql_step(query);
	if (step == SQL_OK)
		return DIRECTORY_NOT_FOUND;
	if (step != SQL_ROW)
		return sqlite_result(directory, step);
	status = read_user(query, arena, user_out) ? DIRECTORY_OK : DIRECTORY_CORRUPT;
	sql_reset(query);
	return status;
}

enum directory_status
sqlite_lookup(struct directory *directory, struct span name, struct arena *arena, struct directory_user *user_out)
{
	return lookup_by("SELECT " USER_COLUMNS " FROM user WHERE name = ?1", directory, name, arena, user_out);
}

enum directory_status
sqlite_lookup_alias(struct directory *directory, struct span alias, struct arena *arena, struct directory_user *user_out)
{
	static const char statement[] = "SELECT " USER_COLUMNS " FROM user "
	    "WHERE mailbox_id = (SELECT mailbox_id FROM alias WHERE name = ?1)";

	return lookup_by(statement, directory, alias, arena, user_out);
}

/* A page of users, by a statement with the places of directory_list(). */
static enum directory_status
list_by(const char *statement, struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	struct sql_statement *query;
	enum sql_status step;
	size_t count = 0;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sql, statement);
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
		return sqlite_result(directory, step);
	*count_out = count;
	return DIRECTORY_OK;
}

enum directory_status
sqlite_list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	static const char statement[] = "SELECT " USER_COLUMNS " FROM user WHERE name > ?1 ORDER BY name LIMIT ?2";

	return list_by(statement, directory, after, arena, users_out, limit, count_out);
}

/* By the index user_quota, whose condition this is. */
enum directory_status
sqlite_list_limited(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	static const char statement[] = "SELECT " USER_COLUMNS " FROM user WHERE name > ?1 AND "
	    "coalesce(quota_storage, quota_messages, quota_mailboxes) IS NOT NULL ORDER BY name LIMIT ?2";

	return list_by(statement, directory, after, arena, users_out, limit, count_out);
}

enum directory_status
sqlite_list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	struct sql_statement *query;
	enum sql_status step;
	size_t count = 0;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sql, "SELECT mailbox_id, name, deleted FROM retired_mailbox "
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
		return sqlite_result(directory, step);
	*count_out = count;
	return DIRECTORY_OK;
}

enum directory_status
sqlite_count(struct directory *directory, uint64_t *count_out)
{
	struct sql *sql;
	enum directory_status status = sqlite_connect(directory, &sql);
	struct sql_statement *query;
	enum sql_status step;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sql, "SELECT count(*) FROM user");
	if ((step = sql_step(query)) != SQL_ROW)
		return sqlite_result(directory, step);
	*count_out = (uint64_t)sql_column_number(query, 0);
	sql_reset(query);
	return DIRECTORY_OK;
}
