/*
 * What a user has seen elsewhere, as ranges that never overlap.  Worker threads.
 */
#include "store/seen.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"

static struct sql_statement *
prepare_for(struct store *store, const char *text, const struct store_seen_mailbox *mailbox)
{
	struct sql_statement *statement = sql_prepare(store->sql, text);

	sql_bind_text(statement, 1, span_from_string(mailbox->owner));
	sql_bind_number(statement, 2, (int64_t)mailbox->id);
	return statement;
}

/* A row that is missing may have been lost, too. */
static enum store_status
load_doubt(struct store *store, bool *is_doubtful_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT seen_doubt FROM account");
	enum store_status status = store_row(query);

	*is_doubtful_out = status == STORE_OK && sql_column_number(query, 0) > 0;
	sql_reset(query);
	return status;
}

/* Give the row's id; STORE_NOT_FOUND: the mailbox has none. */
static enum store_status
load_mailbox(struct store *store, const struct store_seen_mailbox *mailbox, int64_t *id_out, struct store_seen *seen)
{
	struct sql_statement *query = prepare_for(store,
	    "SELECT id, uidvalidity, floor_modseq, doubt < (SELECT seen_doubt FROM account) FROM seen_mailbox "
	    "WHERE owner = ?1 AND mailbox_id = ?2", mailbox);
	enum store_status status;

	if ((status = store_row(query)) == STORE_OK) {
		*id_out = sql_column_number(query, 0);
		seen->uidvalidity = (uint32_t)sql_column_number(query, 1);
		seen->floor_modseq = (uint64_t)sql_column_number(query, 2);
		seen->is_doubtful = sql_column_number(query, 3) != 0;
	}
	sql_reset(query);
	return status;
}

static enum store_status
load_ranges(struct store *store, int64_t id, struct store_seen *seen)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT first_uid, last_uid, is_seen, modseq FROM seen WHERE seen_mailbox_id = ?1 ORDER BY first_uid");
	enum sql_status stepped;
	size_t capacity = 0;

	sql_bind_number(query, 1, id);
	while ((stepped = sql_step(query)) == SQL_ROW) {
		if (seen->count == capacity) {
			capacity = capacity * 2 + 16;
			seen->ranges = memory_resize(seen->ranges, capacity, sizeof seen->ranges[0]);
		}
		seen->ranges[seen->count++] = (struct store_seen_range){
			(uint32_t)sql_column_number(query, 0), (uint32_t)sql_column_number(query, 1),
			sql_column_number(query, 2) != 0, (uint64_t)sql_column_number(query, 3),
		};
	}
	return store_from_sql(stepped);
}

static enum store_status
load(struct store *store, const struct store_seen_mailbox *mailbox, struct store_seen *seen)
{
	int64_t id = 0;
	enum store_status status = load_mailbox(store, mailbox, &id, seen);

	if (status == STORE_NOT_FOUND)
		return load_doubt(store, &seen->is_doubtful);
	return status == STORE_OK ? load_ranges(store, id, seen) : status;
}

enum store_status
store_seen_load(struct store *store, const struct store_seen_mailbox *mailbox, struct store_seen *seen_out)
{
	struct store_seen seen = { 0 };
	enum store_status status;
	bool is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	status = store_read_end(store, is_ours, load(store, mailbox, &seen));
	if (status == STORE_OK)
		*seen_out = seen;
	else
		store_seen_fini(&seen);
	return status;
}

void
store_seen_fini(struct store_seen *seen)
{
	free(seen->ranges);
	*seen = (struct store_seen){ 0 };
}

static enum store_status
insert(struct store *store, int64_t id, const struct store_seen_range *range)
{
	struct sql_statement *statement = sql_prepare(store->sql,
	    "INSERT INTO seen (seen_mailbox_id, first_uid, last_uid, is_seen, modseq) VALUES (?1, ?2, ?3, ?4, ?5)");

	sql_bind_number(statement, 1, id);
	sql_bind_number(statement, 2, range->first);
	sql_bind_number(statement, 3, range->last);
	sql_bind_number(statement, 4, range->is_seen);
	sql_bind_number(statement, 5, (int64_t)range->modseq);
	return store_run(statement);
}

/* Take a range out of those that are there: one that goes beyond its end keeps what lies behind, and so with its begin. */
static enum store_status
carve(struct store *store, int64_t id, struct store_uid_range range)
{
	static const struct { const char *text; bool has_last; } steps[] = {
		{ "INSERT INTO seen SELECT ?1, ?3 + 1, last_uid, is_seen, modseq FROM (SELECT last_uid, is_seen, modseq "
		"FROM seen WHERE seen_mailbox_id = ?1 AND first_uid <= ?3 ORDER BY first_uid DESC LIMIT 1) "
		"WHERE last_uid > ?3", true },
		{ "DELETE FROM seen WHERE seen_mailbox_id = ?1 AND first_uid BETWEEN ?2 AND ?3", true },
		{ "UPDATE seen SET last_uid = min(last_uid, ?2 - 1) WHERE seen_mailbox_id = ?1 AND first_uid = "
		"(SELECT max(first_uid) FROM seen WHERE seen_mailbox_id = ?1 AND first_uid < ?2)", false },
	};
	enum store_status status = STORE_OK;

	for (size_t i = 0; status == STORE_OK && i < COUNT_OF(steps); i++) {
		struct sql_statement *statement = sql_prepare(store->sql, steps[i].text);

		sql_bind_number(statement, 1, id);
		sql_bind_number(statement, 2, range.first);
		if (steps[i].has_last)
			sql_bind_number(statement, 3, range.last);
		status = store_run(statement);
	}
	return status;
}

static enum store_status
delete_ranges(struct store *store, int64_t id)
{
	struct sql_statement *statement = sql_prepare(store->sql, "DELETE FROM seen WHERE seen_mailbox_id = ?1");

	sql_bind_number(statement, 1, id);
	return store_run(statement);
}

static enum store_status
insert_mailbox(struct store *store, const struct store_seen_mailbox *mailbox, int64_t *id_out)
{
	struct sql_statement *statement = prepare_for(store,
	    "INSERT INTO seen_mailbox (owner, mailbox_id, uidvalidity, floor_modseq, doubt) "
	    "VALUES (?1, ?2, ?3, 0, 0)", mailbox);
	enum store_status status;

	sql_bind_number(statement, 3, mailbox->uidvalidity);
	if ((status = store_run(statement)) == STORE_OK)
		*id_out = sql_last_row_id(store->sql);
	return status;
}

/* What was known of other UIDs goes. */
static enum store_status
renew_mailbox(struct store *store, int64_t id, uint32_t uidvalidity)
{
	struct sql_statement *update = sql_prepare(store->sql,
	    "UPDATE seen_mailbox SET uidvalidity = ?2, floor_modseq = 0 WHERE id = ?1");
	enum store_status status;

	sql_bind_number(update, 1, id);
	sql_bind_number(update, 2, uidvalidity);
	status = store_run(update);
	return status == STORE_OK ? delete_ranges(store, id) : status;
}

/* Begin a change: the mailbox has a row, with the UIDVALIDITY that it has. */
static enum store_status
enter(struct store *store, const struct store_seen_mailbox *mailbox, int64_t *id_out)
{
	struct store_seen seen = { 0 };
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	if ((status = load_mailbox(store, mailbox, id_out, &seen)) == STORE_NOT_FOUND)
		return insert_mailbox(store, mailbox, id_out);
	if (status == STORE_OK && seen.uidvalidity != mailbox->uidvalidity)
		status = renew_mailbox(store, *id_out, mailbox->uidvalidity);
	return status;
}

enum store_status
store_seen_change(struct store *store, const struct store_seen_mailbox *mailbox, const struct store_uid_range *ranges,
    size_t count, bool is_seen)
{
	int64_t id = 0;
	enum store_status status = enter(store, mailbox, &id);

	for (size_t i = 0; status == STORE_OK && i < count; i++) {
		struct store_seen_range range = { ranges[i].first, ranges[i].last, is_seen, 0 };

		if ((status = carve(store, id, ranges[i])) == STORE_OK)
			status = insert(store, id, &range);
	}
	return status;
}

enum store_status
store_seen_settle(struct store *store, const struct store_seen_mailbox *mailbox, uint64_t modseq)
{
	struct sql_statement *update;
	int64_t id = 0;
	enum store_status status = enter(store, mailbox, &id);

	if (status != STORE_OK)
		return status;
	update = sql_prepare(store->sql, "UPDATE seen SET modseq = ?2 WHERE seen_mailbox_id = ?1 AND modseq = 0");
	sql_bind_number(update, 1, id);
	sql_bind_number(update, 2, (int64_t)modseq);
	return store_run(update);
}

enum store_status
store_seen_raise(struct store *store, const struct store_seen_mailbox *mailbox, uint64_t modseq)
{
	struct sql_statement *update;
	enum store_status status = store_seen_settle(store, mailbox, modseq);

	if (status != STORE_OK)
		return status;
	update = prepare_for(store,
	    "UPDATE seen_mailbox SET floor_modseq = ?3, doubt = (SELECT seen_doubt FROM account) "
	    "WHERE owner = ?1 AND mailbox_id = ?2", mailbox);
	sql_bind_number(update, 3, (int64_t)modseq);
	return store_run(update);
}

enum store_status
store_seen_replace(struct store *store, const struct store_seen_mailbox *mailbox, const struct store_seen_range *ranges,
    size_t count)
{
	int64_t id = 0;
	enum store_status status = enter(store, mailbox, &id);

	if (status == STORE_OK)
		status = delete_ranges(store, id);
	for (size_t i = 0; status == STORE_OK && i < count; i++)
		status = insert(store, id, &ranges[i]);
	return status;
}

enum store_status
store_seen_forget(struct store *store, const char *owner, uint64_t mailbox_id)
{
	const struct store_seen_mailbox mailbox = { .owner = owner, .id = mailbox_id };
	struct store_seen seen = { 0 };
	struct sql_statement *statement;
	enum store_status status;
	int64_t id = 0;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	if ((status = load_mailbox(store, &mailbox, &id, &seen)) != STORE_OK)
		return status == STORE_NOT_FOUND ? STORE_OK : status;
	if ((status = delete_ranges(store, id)) != STORE_OK)
		return status;
	statement = sql_prepare(store->sql, "DELETE FROM seen_mailbox WHERE id = ?1");
	sql_bind_number(statement, 1, id);
	return store_run(statement);
}

enum store_status
store_seen_mailboxes(struct store *store, const char *owner, struct arena *arena, uint64_t **ids_out, size_t *count_out)
{
	struct sql_statement *query;
	uint64_t *ids = NULL;
	size_t count = 0, capacity = 0;
	enum sql_status stepped;

	assert_off_loop();
	query = sql_prepare(store->sql, "SELECT mailbox_id FROM seen_mailbox WHERE owner = ?1 ORDER BY mailbox_id");
	sql_bind_text(query, 1, span_from_string(owner));
	while ((stepped = sql_step(query)) == SQL_ROW) {
		if (count == capacity) {
			uint64_t *more = arena_alloc_array(arena, capacity * 2 + 16, sizeof *more);

			if (count > 0)
				memcpy(more, ids, count * sizeof *more);
			capacity = capacity * 2 + 16;
			ids = more;
		}
		ids[count++] = (uint64_t)sql_column_number(query, 0);
	}
	if (stepped != SQL_OK)
		return store_from_sql(stepped);
	*ids_out = ids;
	*count_out = count;
	return STORE_OK;
}
