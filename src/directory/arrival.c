/*
 * Users who move, at the mailbox server that they come to: table arrival.  Worker thread.
 */
#include <assert.h>

#include "base/memory.h"
#include "journey.h"
#include "registry.h"
#include "sqlite.h"
#include "statement.h"

static_assert(DIRECTORY_MOVE_ID_LENGTH == DIRECTORY_ID_LENGTH, "a mailbox that arrives has the id of the move");

struct row {
	struct directory_arriving arrival;
	struct span facts;
	bool is_same;			/* by this move */
};

/* SQL_ROW: somebody of this name is expected. */
static enum sql_status
find_row(struct sql *sql, struct span name, const char *move_id, struct arena *arena, struct row *row_out)
{
	struct sql_statement *query = sql_prepare(sql,
	    "SELECT move_id, mailbox_id, is_whole, facts FROM arrival WHERE name = ?1");
	enum sql_status step;

	sql_bind_text(query, 1, name);
	if ((step = sql_step(query)) == SQL_ROW) {
		*row_out = (struct row){ .is_same = span_equals(sql_column_text(query, 0), span_from_string(move_id)),
			.facts = arena_copy(arena, sql_column_text(query, 3)) };
		statement_read_id(query, 1, row_out->arrival.mailbox_id);
		row_out->arrival.is_whole = sql_column_number(query, 2) != 0;
	}
	sql_reset(query);
	return step;
}

/* The next line of the facts. */
static bool
next_fact(struct span *rest, struct span *key_out, struct span *value_out)
{
	size_t end = span_find(*rest, '\n'), space;
	struct span line = span_slice(*rest, 0, end);

	if (rest->length == 0)
		return false;
	*rest = span_from(*rest, end + 1);
	space = span_find(line, ' ');
	*key_out = span_slice(line, 0, space);
	*value_out = span_from(line, space + 1);
	return true;
}

static bool
is_fact(struct span facts, struct span key, struct span value)
{
	struct span found_key, found_value;

	while (next_fact(&facts, &found_key, &found_value))
		if (span_equals(found_key, key))
			return span_equals(found_value, value);
	return false;
}

/* SQL_ROW: it is somebody's, or was, or will be: nothing may be written there. */
static enum sql_status
find_mailbox(struct sql *sql, struct span mailbox_id)
{
	return statement_find(sql, "SELECT 1 FROM user WHERE mailbox_id = ?1 UNION ALL "
	    "SELECT 1 FROM retired_mailbox WHERE mailbox_id = ?1 UNION ALL SELECT 1 FROM arrival WHERE mailbox_id = ?1",
	    TEXTS(mailbox_id));
}

static enum directory_status
expect(struct registry *registry, struct span name, const char *move_id, char old_id_out[DIRECTORY_ID_LENGTH + 1])
{
	struct span id = span_from_string(move_id);
	struct arena *arena = arena_new();
	struct row row;

	registry->run = find_row(registry->sql, name, move_id, arena, &row);
	arena_free(&arena);
	if (registry->run == SQL_ROW)
		return DIRECTORY_EXISTS;
	if (registry->run == SQL_OK)
		registry->run = journey_mailbox_id(registry->sql, name, old_id_out);
	if (registry->run == SQL_OK && (registry->run = find_mailbox(registry->sql, id)) == SQL_ROW)
		return DIRECTORY_EXISTS;
	if (registry->run == SQL_OK)
		registry->run = statement_run(registry->sql, "INSERT INTO arrival (name, move_id, mailbox_id) "
		    "SELECT ?1, ?2, ?2 WHERE NOT EXISTS (SELECT 1 FROM rename)", TEXTS(name, id));
	return registry->run == SQL_OK && sql_changed_rows(registry->sql) == 0 ? DIRECTORY_BUSY : DIRECTORY_OK;
}

enum directory_status
directory_expect(struct directory *directory, struct span name, const char *move_id,
    char old_id_out[DIRECTORY_ID_LENGTH + 1])
{
	struct registry registry;
	enum directory_status status = registry_begin(directory, &registry);

	if (status != DIRECTORY_OK)
		return status;
	return registry_end(&registry, expect(&registry, name, move_id, old_id_out));
}

enum directory_status
directory_expect_whole(struct directory *directory, struct span name, const char *move_id, struct span facts)
{
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);
	enum sql_status run;

	if (status != DIRECTORY_OK)
		return status;
	run = statement_run(registry.sql, "UPDATE arrival SET is_whole = 1, facts = ?3 WHERE name = ?1 AND move_id = ?2",
	    TEXTS(name, span_from_string(move_id), facts));
	if (run == SQL_OK && sql_changed_rows(registry.sql) == 0)
		return DIRECTORY_NOT_FOUND;
	return registry_result(&registry, run);
}

static void
list_shares(struct span facts, struct arena *arena, struct directory_arriving *arrival)
{
	struct span rest = facts, key, value;
	size_t lines = 0;

	while (next_fact(&rest, &key, &value))
		lines++;
	arrival->shares = arena_alloc_array(arena, lines + 1, sizeof *arrival->shares);
	while (next_fact(&facts, &key, &value))
		if (span_equals(key, SPAN("share")))
			arrival->shares[arrival->share_count++] = value;
}

enum directory_status
directory_find_arrival(struct directory *directory, struct span name, const char *move_id, struct arena *arena,
    struct directory_arriving *arrival_out)
{
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);
	enum sql_status step;
	struct row row;

	if (status != DIRECTORY_OK)
		return status;
	step = find_row(registry.sql, name, move_id, arena, &row);
	if (step == SQL_OK || (step == SQL_ROW && !row.is_same))
		return DIRECTORY_NOT_FOUND;
	if (step != SQL_ROW)
		return registry_result(&registry, step);
	*arrival_out = row.arrival;
	arrival_out->is_shared = is_fact(row.facts, SPAN("shared"), SPAN("1"));
	list_shares(row.facts, arena, arrival_out);
	return DIRECTORY_OK;
}

/* Quota, groups and other names as they were; what is not understood comes from a later version, and is left out. */
static enum sql_status
take_facts(struct sql *sql, struct span name, struct span facts)
{
	static const char *const quotas[DIRECTORY_RESOURCE_COUNT] = {
		[DIRECTORY_STORAGE] = "UPDATE user SET quota_storage = CAST(?2 AS INTEGER) WHERE name = ?1",
		[DIRECTORY_MESSAGES] = "UPDATE user SET quota_messages = CAST(?2 AS INTEGER) WHERE name = ?1",
		[DIRECTORY_MAILBOXES] = "UPDATE user SET quota_mailboxes = CAST(?2 AS INTEGER) WHERE name = ?1",
	};
	enum sql_status run = SQL_OK;
	struct span key, value;

	while (run == SQL_OK && next_fact(&facts, &key, &value)) {
		if (key.length == 6 && span_starts_with(key, SPAN("quota")) && key.at[5] >= '0' &&
		    key.at[5] < '0' + DIRECTORY_RESOURCE_COUNT)
			run = statement_run(sql, quotas[key.at[5] - '0'], TEXTS(name, value));
		else if (span_equals(key, SPAN("enabled")))
			run = statement_run(sql, "UPDATE user SET is_enabled = ?2 != '0' WHERE name = ?1", TEXTS(name, value));
		else if (span_equals(key, SPAN("alias")))
			run = statement_run(sql, "INSERT OR IGNORE INTO alias (name, mailbox_id) SELECT ?2, mailbox_id FROM user "
			    "WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM user WHERE name = ?2)", TEXTS(name, value));
		else if (span_equals(key, SPAN("group")))
			run = statement_run(sql, "INSERT OR IGNORE INTO member (mailbox_id, group_name) "
			    "SELECT mailbox_id, ?2 FROM user WHERE name = ?1", TEXTS(name, value));
	}
	return run;
}

/* Who may find something with the user from now on: at the same moment as the rights can be had. */
static enum sql_status
take_shares(struct sql *sql, struct span mailbox_id, struct span facts)
{
	enum sql_status run = SQL_OK;
	struct span key, value;

	while (run == SQL_OK && next_fact(&facts, &key, &value))
		if (span_equals(key, SPAN("share")))
			run = statement_run(sql, "INSERT OR IGNORE INTO share (mailbox_id, identifier) VALUES (?1, ?2)",
			    TEXTS(mailbox_id, value));
	return run;
}

/* A user who is known keeps what is said here; one who is not gets what was said elsewhere. */
static enum sql_status
take_in(struct sql *sql, struct span name, const struct row *row)
{
	char old_id[DIRECTORY_ID_LENGTH + 1];
	enum sql_status run = journey_mailbox_id(sql, name, old_id);
	bool is_new = run == SQL_OK && old_id[0] == '\0';

	if (is_new)
		run = sqlite_insert(sql, name, SPAN(""), is_fact(row->facts, SPAN("shared"), SPAN("1")));
	if (is_new && run == SQL_OK)
		run = journey_mailbox_id(sql, name, old_id);
	if (run == SQL_OK && is_new)
		run = statement_run(sql, "UPDATE user SET mailbox_id = ?2 WHERE name = ?1",
		    TEXTS(name, span_from_string(row->arrival.mailbox_id)));
	else if (run == SQL_OK)
		run = journey_replace_mailbox(sql, name, old_id, row->arrival.mailbox_id);
	if (run == SQL_OK && is_new)
		run = take_facts(sql, name, row->facts);
	return run == SQL_OK ? take_shares(sql, span_from_string(row->arrival.mailbox_id), row->facts) : run;
}

static enum directory_status
arrive(struct registry *registry, struct span name, const char *move_id)
{
	char id[DIRECTORY_ID_LENGTH + 1] = "";
	struct arena *arena = arena_new();
	struct row row;

	registry->run = find_row(registry->sql, name, move_id, arena, &row);
	if (registry->run == SQL_OK) {
		registry->run = journey_mailbox_id(registry->sql, name, id);
		arena_free(&arena);
		return id[0] == '\0' ? DIRECTORY_NOT_FOUND : DIRECTORY_OK;
	}
	if (registry->run == SQL_ROW && (!row.is_same || !row.arrival.is_whole)) {
		arena_free(&arena);
		return DIRECTORY_EXISTS;
	}
	registry->run = registry->run == SQL_ROW ? take_in(registry->sql, name, &row) : registry->run;
	/* The home of a user who lives here is whatever the host that decides says of it. */
	if (registry->run == SQL_OK)
		registry->run = statement_run(registry->sql, "UPDATE user SET home = '' WHERE name = ?1 AND "
		    "home = (SELECT target FROM departure WHERE name = ?1)", TEXTS(name));
	if (registry->run == SQL_OK)
		registry->run = statement_run(registry->sql, "DELETE FROM departure WHERE name = ?1 AND is_gone", TEXTS(name));
	if (registry->run == SQL_OK)
		registry->run = statement_run(registry->sql, "DELETE FROM arrival WHERE name = ?1", TEXTS(name));
	arena_free(&arena);
	return DIRECTORY_OK;
}

enum directory_status
directory_arrive(struct directory *directory, struct span name, const char *move_id)
{
	struct registry registry;
	enum directory_status status = registry_begin(directory, &registry);

	if (status != DIRECTORY_OK)
		return status;
	return registry_end(&registry, arrive(&registry, name, move_id));
}

enum directory_status
directory_unexpect(struct directory *directory, struct span name, const char *move_id)
{
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);

	if (status != DIRECTORY_OK)
		return status;
	return registry_result(&registry, statement_run(registry.sql, "DELETE FROM arrival WHERE name = ?1 AND move_id = ?2",
	    TEXTS(name, span_from_string(move_id))));
}
