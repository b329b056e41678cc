/*
 * Users who move, at the host that orders it: table move; and what all three hosts do.  Worker thread.
 */
#include "journey.h"

#include "base/clock.h"
#include "base/random.h"
#include "registry.h"
#include "statement.h"

enum sql_status
journey_mailbox_id(struct sql *sql, struct span name, char id_out[DIRECTORY_ID_LENGTH + 1])
{
	struct sql_statement *query = sql_prepare(sql, "SELECT mailbox_id FROM user WHERE name = ?1");
	enum sql_status step;

	sql_bind_text(query, 1, name);
	id_out[0] = '\0';
	step = sql_step(query);
	if (step == SQL_ROW)
		statement_read_id(query, 0, id_out);
	sql_reset(query);
	return step == SQL_ROW ? SQL_OK : step;
}

enum sql_status
journey_replace_mailbox(struct sql *sql, struct span name, const char *old_id, const char *new_id)
{
	static const char *const changes[] = {
		"UPDATE user SET mailbox_id = ?2 WHERE mailbox_id = ?1",
		"UPDATE member SET mailbox_id = ?2 WHERE mailbox_id = ?1",
		"UPDATE alias SET mailbox_id = ?2 WHERE mailbox_id = ?1",
		"UPDATE delegate SET mailbox_id = ?2 WHERE mailbox_id = ?1",
		"UPDATE delegate SET delegate_id = ?2 WHERE delegate_id = ?1",
		"DELETE FROM share WHERE mailbox_id = ?1 AND ?2 != ''",
	};
	struct span from = span_from_string(old_id), to = span_from_string(new_id);
	struct sql_statement *retire = sql_prepare(sql, "INSERT INTO retired_mailbox (mailbox_id, name, deleted) VALUES (?1, ?2, ?3)");
	enum sql_status run;

	sql_bind_text(retire, 1, from);
	sql_bind_text(retire, 2, name);
	sql_bind_number(retire, 3, clock_calendar_s());
	run = sql_run(retire);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0] && run == SQL_OK; i++)
		run = statement_run(sql, changes[i], TEXTS(from, to));
	return run;
}

/* ---- at the host that orders the move ---- */

#define MOVE_COLUMNS "name, move_id, source, target, is_switched, source_knows, target_knows"

static void
read_move(struct sql_statement *query, struct arena *arena, struct directory_move *move_out)
{
	struct span id = sql_column_text(query, 1);

	*move_out = (struct directory_move){ .name = arena_copy(arena, sql_column_text(query, 0)),
		.source = arena_copy(arena, sql_column_text(query, 2)),
		.target = arena_copy(arena, sql_column_text(query, 3)),
		.is_switched = sql_column_number(query, 4) != 0,
		.source_knows = sql_column_number(query, 5) != 0,
		.target_knows = sql_column_number(query, 6) != 0 };
	memcpy(move_out->move_id, id.at, id.length < DIRECTORY_MOVE_ID_LENGTH ? id.length : DIRECTORY_MOVE_ID_LENGTH);
}

/* SQL_ROW: it is there. */
static enum sql_status
find_move(struct sql *sql, struct span name, struct arena *arena, struct directory_move *move_out)
{
	struct sql_statement *query = sql_prepare(sql, "SELECT " MOVE_COLUMNS " FROM move WHERE name = ?1");
	enum sql_status step;

	sql_bind_text(query, 1, name);
	step = sql_step(query);
	if (step == SQL_ROW)
		read_move(query, arena, move_out);
	sql_reset(query);
	return step;
}

/* SQL_ROW: somebody is being renamed, and a copy that is made meanwhile might say the old name for ever. */
static enum sql_status
find_rename(struct sql *sql)
{
	return statement_find(sql, "SELECT 1 FROM rename LIMIT 1", NULL, 0);
}

static enum directory_status
note_move(struct registry *registry, struct span name, struct span target, struct arena *arena, struct directory_move *move_out)
{
	char id[DIRECTORY_MOVE_ID_LENGTH + 1];

	registry->run = find_move(registry->sql, name, arena, move_out);
	if (registry->run == SQL_ROW)
		return DIRECTORY_EXISTS;
	random_hex(id, DIRECTORY_MOVE_ID_LENGTH);
	if (registry->run == SQL_OK && (registry->run = find_rename(registry->sql)) == SQL_ROW)
		return DIRECTORY_BUSY;
	if (registry->run == SQL_OK)
		registry->run = statement_run(registry->sql, "INSERT INTO move (name, move_id, source, target) "
		    "SELECT name, ?2, home, ?3 FROM user WHERE name = ?1", TEXTS(name, span_from_string(id), target));
	if (registry->run != SQL_OK)
		return DIRECTORY_OK;
	if (sql_changed_rows(registry->sql) == 0)
		return DIRECTORY_NOT_FOUND;
	registry->run = find_move(registry->sql, name, arena, move_out);
	if (registry->run == SQL_ROW)
		registry->run = journey_mailbox_id(registry->sql, name, move_out->mailbox_id);
	return DIRECTORY_OK;
}

enum directory_status
directory_move_begin(struct directory *directory, struct span name, struct span target, struct arena *arena,
    struct directory_move *move_out)
{
	struct registry registry;
	enum directory_status status = registry_begin(directory, &registry);

	if (status != DIRECTORY_OK)
		return status;
	return registry_end(&registry, note_move(&registry, name, target, arena, move_out));
}

enum directory_status
directory_move_list(struct directory *directory, struct arena *arena, struct directory_move **moves_out,
    size_t *count_out)
{
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);
	struct directory_move *moves = NULL;
	size_t count = 0;
	struct sql_statement *query;
	enum sql_status step;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(registry.sql, "SELECT " MOVE_COLUMNS " FROM move ORDER BY name");
	while ((step = sql_step(query)) == SQL_ROW) {
		moves = registry_more(arena, moves, count, sizeof *moves);
		read_move(query, arena, &moves[count++]);
	}
	*moves_out = moves;
	*count_out = count;
	return registry_result(&registry, step);
}

static enum directory_status
set_home(struct registry *registry, const struct directory_move *move)
{
	struct sql_statement *query = sql_prepare(registry->sql,
	    "UPDATE user SET home = ?3, changed = ?4 WHERE name = ?1 AND home = ?2 AND mailbox_id = ?5");

	sql_bind_text(query, 1, move->name);
	sql_bind_text(query, 2, move->source);
	sql_bind_text(query, 3, move->target);
	sql_bind_number(query, 4, clock_calendar_s());
	sql_bind_text(query, 5, span_from_string(move->mailbox_id));
	if ((registry->run = sql_run(query)) != SQL_OK)
		return DIRECTORY_OK;
	if (sql_changed_rows(registry->sql) == 0)
		return DIRECTORY_NOT_FOUND;
	registry->run = statement_run(registry->sql, "UPDATE move SET is_switched = 1 WHERE name = ?1 AND move_id = ?2",
	    TEXTS(move->name, span_from_string(move->move_id)));
	return registry->run == SQL_OK && sql_changed_rows(registry->sql) == 0 ? DIRECTORY_NOT_FOUND : DIRECTORY_OK;
}

enum directory_status
directory_move_switch(struct directory *directory, const struct directory_move *move)
{
	struct registry registry;
	enum directory_status status = registry_begin(directory, &registry);

	if (status != DIRECTORY_OK)
		return status;
	return registry_end(&registry, set_home(&registry, move));
}

enum directory_status
directory_move_told(struct directory *directory, struct span name, const char *move_id, bool is_source)
{
	static const char source[] = "UPDATE move SET source_knows = 1 WHERE name = ?1 AND move_id = ?2";
	static const char target[] = "UPDATE move SET target_knows = 1 WHERE name = ?1 AND move_id = ?2";
	struct registry registry;
	enum directory_status status = registry_begin(directory, &registry);

	if (status != DIRECTORY_OK)
		return status;
	registry.run = statement_run(registry.sql, is_source ? source : target, TEXTS(name, span_from_string(move_id)));
	if (registry.run == SQL_OK)
		registry.run = statement_run(registry.sql, "DELETE FROM move WHERE name = ?1 AND source_knows AND target_knows",
		    TEXTS(name));
	return registry_end(&registry, DIRECTORY_OK);
}

/* ---- at mailbox servers ---- */

/* One question for all tables: each login and each recipient asks it. */
enum directory_status
directory_find_presence(struct directory *directory, struct span name, enum directory_presence *presence_out)
{
	struct registry registry;
	enum directory_status status = registry_connect(directory, &registry);
	struct sql_statement *query;
	enum sql_status step;

	*presence_out = DIRECTORY_HERE;
	if (status != DIRECTORY_OK)
		return status == DIRECTORY_READ_ONLY ? DIRECTORY_OK : status;
	query = sql_prepare(registry.sql, "SELECT 3 FROM arrival WHERE name = ?1 "
	    "UNION ALL SELECT 1 + is_gone FROM departure WHERE name = ?1 "
	    "UNION ALL SELECT 3 FROM rename WHERE new_name = ?1 AND NOT is_switched LIMIT 1");
	sql_bind_text(query, 1, name);
	step = sql_step(query);
	if (step == SQL_ROW)
		*presence_out = sql_column_number(query, 0) == 3 ? DIRECTORY_ARRIVING :
		    sql_column_number(query, 0) == 2 ? DIRECTORY_GONE : DIRECTORY_LEAVING;
	sql_reset(query);
	return registry_result(&registry, step);
}
