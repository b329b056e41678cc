/*
 * Users who move, at the host that orders it: table move; and what all three hosts do.  Worker thread.
 */
#include "journey.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/thread.h"
#include "sqlite_file.h"

enum directory_status
journey_connect(struct directory *directory, struct directory **registry_out, struct sql **sql_out)
{
	assert_off_loop();
	*registry_out = directory->backend->registry == NULL ? NULL : directory->backend->registry(directory);
	return *registry_out == NULL ? DIRECTORY_READ_ONLY : sqlite_connect(*registry_out, sql_out);
}

enum directory_status
journey_begin(struct directory *directory, struct directory **registry_out, struct sql **sql_out)
{
	enum directory_status status = journey_connect(directory, registry_out, sql_out);

	return status != DIRECTORY_OK ? status : sqlite_result(*registry_out, sql_begin(*sql_out));
}

enum sql_status
journey_run(struct sql *sql, const char *statement, const struct span *texts, size_t count)
{
	struct sql_statement *query = sql_prepare(sql, statement);

	for (size_t i = 0; i < count; i++)
		sql_bind_text(query, (int)i + 1, texts[i]);
	return sql_run(query);
}

/* Full whenever the count is a power of two, from four on. */
void *
journey_more(struct arena *arena, void *rows, size_t count, size_t row_octets)
{
	void *more;

	if (count > 0 && (count < 4 || (count & (count - 1)) != 0))
		return rows;
	more = arena_alloc_array(arena, count == 0 ? 4 : 2 * count, row_octets);
	if (count > 0)
		memcpy(more, rows, count * row_octets);
	return more;
}

enum sql_status
journey_mailbox_id(struct sql *sql, struct span name, char id_out[DIRECTORY_ID_LENGTH + 1])
{
	struct sql_statement *query = sql_prepare(sql, "SELECT mailbox_id FROM user WHERE name = ?1 AND length(mailbox_id) = 32");
	enum sql_status step;

	sql_bind_text(query, 1, name);
	id_out[0] = '\0';
	step = sql_step(query);
	if (step == SQL_ROW) {
		memcpy(id_out, sql_column_text(query, 0).at, DIRECTORY_ID_LENGTH);
		id_out[DIRECTORY_ID_LENGTH] = '\0';
		step = SQL_OK;
	}
	sql_reset(query);
	return step;
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
		run = JOURNEY_RUN(sql, changes[i], from, to);
	return run;
}

enum directory_status
journey_end(struct directory *registry, struct sql *sql, enum sql_status run, enum directory_status status)
{
	if (run == SQL_OK && status != DIRECTORY_OK) {
		sql_rollback(sql);
		return status;
	}
	return sqlite_result(registry, sql_end(sql, run));
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
	struct sql_statement *query = sql_prepare(sql, "SELECT 1 FROM rename LIMIT 1");
	enum sql_status step = sql_step(query);

	sql_reset(query);
	return step;
}

static enum directory_status
note_move(struct sql *sql, enum sql_status *run, struct span name, struct span target, struct arena *arena,
    struct directory_move *move_out)
{
	char id[DIRECTORY_MOVE_ID_LENGTH + 1];

	*run = find_move(sql, name, arena, move_out);
	if (*run == SQL_ROW) {
		*run = SQL_OK;
		return DIRECTORY_EXISTS;
	}
	random_hex(id, DIRECTORY_MOVE_ID_LENGTH);
	if (*run == SQL_OK && (*run = find_rename(sql)) == SQL_ROW) {
		*run = SQL_OK;
		return DIRECTORY_BUSY;
	}
	if (*run == SQL_OK)
		*run = JOURNEY_RUN(sql, "INSERT INTO move (name, move_id, source, target) "
		    "SELECT name, ?2, home, ?3 FROM user WHERE name = ?1", name, span_from_string(id), target);
	if (*run != SQL_OK)
		return DIRECTORY_OK;
	if (sql_changed_rows(sql) == 0)
		return DIRECTORY_NOT_FOUND;
	*run = find_move(sql, name, arena, move_out);
	if (*run == SQL_ROW)
		*run = journey_mailbox_id(sql, name, move_out->mailbox_id);
	return DIRECTORY_OK;
}

enum directory_status
directory_move_begin(struct directory *directory, struct span name, struct span target, struct arena *arena,
    struct directory_move *move_out)
{
	struct directory *registry;
	struct sql *sql;
	enum directory_status status = journey_begin(directory, &registry, &sql);
	enum sql_status run;

	if (status != DIRECTORY_OK)
		return status;
	status = note_move(sql, &run, name, target, arena, move_out);
	return journey_end(registry, sql, run, status);
}

enum directory_status
directory_move_list(struct directory *directory, struct arena *arena, struct directory_move **moves_out,
    size_t *count_out)
{
	struct directory *registry;
	struct sql *sql;
	enum directory_status status = journey_connect(directory, &registry, &sql);
	struct directory_move *moves = NULL;
	size_t count = 0;
	struct sql_statement *query;
	enum sql_status step;

	if (status != DIRECTORY_OK)
		return status;
	query = sql_prepare(sql, "SELECT " MOVE_COLUMNS " FROM move ORDER BY name");
	while ((step = sql_step(query)) == SQL_ROW) {
		moves = journey_more(arena, moves, count, sizeof *moves);
		read_move(query, arena, &moves[count++]);
	}
	*moves_out = moves;
	*count_out = count;
	return sqlite_result(registry, step);
}

static enum directory_status
set_home(struct sql *sql, enum sql_status *run, const struct directory_move *move)
{
	struct sql_statement *query = sql_prepare(sql,
	    "UPDATE user SET home = ?3, changed = ?4 WHERE name = ?1 AND home = ?2 AND mailbox_id = ?5");

	sql_bind_text(query, 1, move->name);
	sql_bind_text(query, 2, move->source);
	sql_bind_text(query, 3, move->target);
	sql_bind_number(query, 4, clock_calendar_s());
	sql_bind_text(query, 5, span_from_string(move->mailbox_id));
	if ((*run = sql_run(query)) != SQL_OK)
		return DIRECTORY_OK;
	if (sql_changed_rows(sql) == 0)
		return DIRECTORY_NOT_FOUND;
	*run = JOURNEY_RUN(sql, "UPDATE move SET is_switched = 1 WHERE name = ?1 AND move_id = ?2", move->name,
	    span_from_string(move->move_id));
	return *run == SQL_OK && sql_changed_rows(sql) == 0 ? DIRECTORY_NOT_FOUND : DIRECTORY_OK;
}

enum directory_status
directory_move_switch(struct directory *directory, const struct directory_move *move)
{
	struct directory *registry;
	struct sql *sql;
	enum directory_status status = journey_begin(directory, &registry, &sql);
	enum sql_status run;

	if (status != DIRECTORY_OK)
		return status;
	status = set_home(sql, &run, move);
	return journey_end(registry, sql, run, status);
}

enum directory_status
directory_move_told(struct directory *directory, struct span name, const char *move_id, bool is_source)
{
	static const char source[] = "UPDATE move SET source_knows = 1 WHERE name = ?1 AND move_id = ?2";
	static const char target[] = "UPDATE move SET target_knows = 1 WHERE name = ?1 AND move_id = ?2";
	struct directory *registry;
	struct sql *sql;
	enum directory_status status = journey_begin(directory, &registry, &sql);
	enum sql_status run;

	if (status != DIRECTORY_OK)
		return status;
	run = JOURNEY_RUN(sql, is_source ? source : target, name, span_from_string(move_id));
	if (run == SQL_OK)
		run = JOURNEY_RUN(sql, "DELETE FROM move WHERE name = ?1 AND source_knows AND target_knows", name);
	return journey_end(registry, sql, run, DIRECTORY_OK);
}

/* ---- at mailbox servers ---- */

/* One question for all tables: each login and each recipient asks it. */
enum directory_status
directory_find_presence(struct directory *directory, struct span name, enum directory_presence *presence_out)
{
	struct directory *registry;
	struct sql *sql;
	enum directory_status status = journey_connect(directory, &registry, &sql);
	struct sql_statement *query;
	enum sql_status step;

	*presence_out = DIRECTORY_HERE;
	if (status != DIRECTORY_OK)
		return status == DIRECTORY_READ_ONLY ? DIRECTORY_OK : status;
	query = sql_prepare(sql, "SELECT 3 FROM arrival WHERE name = ?1 "
	    "UNION ALL SELECT 1 + is_gone FROM departure WHERE name = ?1 "
	    "UNION ALL SELECT 3 FROM rename WHERE new_name = ?1 AND NOT is_switched LIMIT 1");
	sql_bind_text(query, 1, name);
	step = sql_step(query);
	if (step == SQL_ROW)
		*presence_out = sql_column_number(query, 0) == 3 ? DIRECTORY_ARRIVING :
		    sql_column_number(query, 0) == 2 ? DIRECTORY_GONE : DIRECTORY_LEAVING;
	sql_reset(query);
	return sqlite_result(registry, step);
}
