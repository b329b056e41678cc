/*
 * The directory in a SQLite file, directory.db; its table is in schema/directory.*.sql.  After an I/O
 * error the file is opened anew by the next call.  Worker thread.
 */
#include <stdlib.h>

#include "backend.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "sqlite.h"

#define COMPLAIN_EVERY_US UINT64_C(60000000)

struct sqlite_directory {
	struct directory directory;
	char *path;
	struct sql *sql;	/* NULL until it can be opened */
	uint64_t complained_us;	/* 0: never */
	uint64_t suppressed;	/* complaints since */
};

static struct sqlite_directory *
own(struct directory *directory)
{
	return CONTAINER_OF(directory, struct sqlite_directory, directory);
}

/* Once a minute: each login and each recipient may find it out anew. */
static void
complain(struct sqlite_directory *sqlite, enum sql_status status)
{
	uint64_t now_us = clock_monotonic_us();

	if (sqlite->complained_us != 0 && now_us - sqlite->complained_us < COMPLAIN_EVERY_US) {
		sqlite->suppressed++;
		return;
	}
	log_error("directory-failed", log_text("path", sqlite->path),
	    log_text("reason", sql_status_text(status)),
	    log_text("message", sqlite->sql == NULL ? NULL : sql_error(sqlite->sql)),
	    log_number("suppressed", (int64_t)sqlite->suppressed));
	sqlite->complained_us = now_us;
	sqlite->suppressed = 0;
}

static enum directory_status
translate(struct sqlite_directory *sqlite, enum sql_status status)
{
	if (status == SQL_OK || status == SQL_ROW)
		return DIRECTORY_OK;
	complain(sqlite, status);
	switch (status) {
	case SQL_BUSY:
	case SQL_FULL:
	case SQL_IO:
		return DIRECTORY_UNAVAILABLE;
	default:
		return DIRECTORY_CORRUPT;
	}
}

static enum directory_status
connect_file(struct sqlite_directory *sqlite)
{
	if (sqlite->sql != NULL && sql_is_poisoned(sqlite->sql))
		sql_close(&sqlite->sql);
	if (sqlite->sql != NULL)
		return DIRECTORY_OK;
	return translate(sqlite, sql_open(sqlite->path, "directory", SQL_CREATE, &sqlite->sql));
}

enum directory_status
sqlite_connect(struct directory *directory, struct sql **sql_out)
{
	enum directory_status status = connect_file(own(directory));

	if (status == DIRECTORY_OK)
		*sql_out = own(directory)->sql;
	return status;
}

enum directory_status
sqlite_result(struct directory *directory, enum sql_status status)
{
	return translate(own(directory), status);
}

#define USER_COLUMNS "name, mailbox_id, credential, credential_version, home, is_enabled, created, changed"

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
	};
	memcpy(user_out->mailbox_id, id.at, id.length);
	return true;
}

static enum directory_status
lookup(struct directory *directory, struct span name, struct arena *arena,
    struct directory_user *user_out)
{
	struct sqlite_directory *sqlite = own(directory);
	enum directory_status status = connect_file(sqlite);
	struct sql_statement *query;
	enum sql_status step;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "SELECT " USER_COLUMNS " FROM user WHERE name = ?1");
	sql_bind_text(query, 1, name);
	step = sql_step(query);
	if (step == SQL_OK)
		return DIRECTORY_NOT_FOUND;
	if (step != SQL_ROW)
		return translate(sqlite, step);
	status = read_user(query, arena, user_out) ? DIRECTORY_OK : DIRECTORY_CORRUPT;
	sql_reset(query);
	return status;
}

/* A deleted and added user has another version, too: it begins at a random number below 2^52. */
static int64_t
new_version(void)
{
	uint64_t number;

	random_fill(&number, sizeof number);
	return (int64_t)(number >> 12);
}

enum sql_status
sqlite_insert(struct sql *sql, struct span name, struct span credential)
{
	struct sql_statement *query = sql_prepare(sql,
	    "INSERT INTO user (name, mailbox_id, credential, credential_version, created, changed) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (name) DO NOTHING");
	char id[DIRECTORY_ID_LENGTH + 1];

	random_hex(id, DIRECTORY_ID_LENGTH);	/* 128 bits: none is ever drawn twice */
	sql_bind_text(query, 1, name);
	sql_bind_text(query, 2, span_from_string(id));
	sql_bind_text(query, 3, credential);
	sql_bind_number(query, 4, new_version());
	sql_bind_number(query, 5, clock_calendar_s());
	return sql_run(query);
}

static enum directory_status
add(struct directory *directory, struct span name, struct span credential)
{
	struct sqlite_directory *sqlite = own(directory);
	enum directory_status status = connect_file(sqlite);
	enum sql_status run;

	if (status != DIRECTORY_OK)
		return status;
	if ((run = sqlite_insert(sqlite->sql, name, credential)) != SQL_OK)
		return translate(sqlite, run);
	return sql_changed_rows(sqlite->sql) == 0 ? DIRECTORY_EXISTS : DIRECTORY_OK;
}

/* Run a bound UPDATE or DELETE of one user. */
static enum directory_status
change(struct sqlite_directory *sqlite, struct sql_statement *query)
{
	enum sql_status run = sql_run(query);

	if (run != SQL_OK)
		return translate(sqlite, run);
	return sql_changed_rows(sqlite->sql) == 0 ? DIRECTORY_NOT_FOUND : DIRECTORY_OK;
}

static enum directory_status
set_credential(struct directory *directory, struct span name, struct span credential)
{
	struct sqlite_directory *sqlite = own(directory);
	enum directory_status status = connect_file(sqlite);
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
	struct sqlite_directory *sqlite = own(directory);
	enum directory_status status = connect_file(sqlite);
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
	struct sqlite_directory *sqlite = own(directory);
	enum directory_status status = connect_file(sqlite);
	struct sql_statement *query;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "UPDATE user SET home = ?2, changed = ?3 WHERE name = ?1");
	sql_bind_text(query, 1, name);
	sql_bind_text(query, 2, home);
	sql_bind_number(query, 3, clock_calendar_s());
	return change(sqlite, query);
}

static enum directory_status
release(struct directory *directory, struct span name)
{
	struct sqlite_directory *sqlite = own(directory);
	enum directory_status status = connect_file(sqlite);
	struct sql_statement *query;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "UPDATE user SET entry = '', entry_dn = '', changed = ?2 WHERE name = ?1");
	sql_bind_text(query, 1, name);
	sql_bind_number(query, 2, clock_calendar_s());
	return change(sqlite, query);
}

static enum sql_status
retire_mailbox(struct sql *sql, struct span name)
{
	struct sql_statement *query = sql_prepare(sql, "INSERT INTO retired_mailbox "
	    "SELECT mailbox_id, name, ?2 FROM user WHERE name = ?1");

	sql_bind_text(query, 1, name);
	sql_bind_number(query, 2, clock_calendar_s());
	return sql_run(query);
}

static enum directory_status
delete(struct directory *directory, struct span name)
{
	struct sqlite_directory *sqlite = own(directory);
	enum directory_status status = connect_file(sqlite);
	struct sql_statement *query;
	enum sql_status run;

	if (status != DIRECTORY_OK)
		return status;
	if ((run = sql_begin(sqlite->sql)) != SQL_OK)
		return translate(sqlite, run);
	run = retire_mailbox(sqlite->sql, name);
	if (run == SQL_OK) {
		query = sql_prepare(sqlite->sql, "DELETE FROM user WHERE name = ?1");
		sql_bind_text(query, 1, name);
		run = sql_run(query);
	}
	if (run == SQL_OK && sql_changed_rows(sqlite->sql) == 0)
		status = DIRECTORY_NOT_FOUND;
	run = sql_end(sqlite->sql, run);
	return run == SQL_OK ? status : translate(sqlite, run);
}

static enum directory_status
list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	struct sqlite_directory *sqlite = own(directory);
	enum directory_status status = connect_file(sqlite);
	struct sql_statement *query;
	enum sql_status step;
	size_t count = 0;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "SELECT " USER_COLUMNS
	    " FROM user WHERE name > ?1 ORDER BY name LIMIT ?2");
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
		return translate(sqlite, step);
	*count_out = count;
	return DIRECTORY_OK;
}

static enum directory_status
list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out)
{
	struct sqlite_directory *sqlite = own(directory);
	enum directory_status status = connect_file(sqlite);
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
		return translate(sqlite, step);
	*count_out = count;
	return DIRECTORY_OK;
}

static enum directory_status
count_users(struct directory *directory, uint64_t *count_out)
{
	struct sqlite_directory *sqlite = own(directory);
	enum directory_status status = connect_file(sqlite);
	struct sql_statement *query;
	enum sql_status step;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sqlite->sql, "SELECT count(*) FROM user");
	if ((step = sql_step(query)) != SQL_ROW)
		return translate(sqlite, step);
	*count_out = (uint64_t)sql_column_number(query, 0);
	sql_reset(query);
	return DIRECTORY_OK;
}

static void
close_file(struct directory *directory)
{
	struct sqlite_directory *sqlite = own(directory);

	sql_close(&sqlite->sql);
	free(sqlite->path);
	free(sqlite);
}

enum directory_status
directory_open_sqlite(const char *path, struct directory **directory_out)
{
	static const struct directory_backend backend = {
		.lookup = lookup,
		.add = add,
		.set_credential = set_credential,
		.set_enabled = set_enabled,
		.set_home = set_home,
		.release = release,
		.delete = delete,
		.list = list,
		.list_retired = list_retired,
		.count = count_users,
		.close = close_file,
	};
	struct sqlite_directory *sqlite;
	enum directory_status status;

	assert_off_loop();
	sqlite = NEW(struct sqlite_directory);
	sqlite->directory.backend = &backend;
	sqlite->path = memory_copy_string(path);
	if ((status = connect_file(sqlite)) == DIRECTORY_OK)
		*directory_out = &sqlite->directory;
	else
		close_file(&sqlite->directory);
	return status;
}
