/*
 * Which UIDs went when, for clients that come back (RFC 7162 section 3.2.5.1).  It is bounded as section 5.3 asks:
 * what is too old or too much is forgotten, and up to which modseq that was is kept.  Worker threads.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "internal.h"

#define RANGES_MAX 10000	/* of one mailbox; some 30 octets each */
#define AGE_MAX_S  (366 * 86400)

/*
 * Up to so many ranges of one expunge hold nothing but UIDs that went with it.  More are joined over UIDs that went
 * before: what is told then is more than asked for, never less.
 */
#define EXACT_MAX 1000

static enum store_status
insert_range(struct store *store, const struct store_tally *tally, struct store_uid_range range)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT INTO expunged (mailbox_id, modseq, first_uid, last_uid, expunged_at) "
	    "VALUES (?1, ?2, ?3, ?4, ?5)");

	sql_bind_number(insert, 1, tally->mailbox_id);
	sql_bind_number(insert, 2, tally->modseq);
	sql_bind_number(insert, 3, range.first);
	sql_bind_number(insert, 4, range.last);
	sql_bind_number(insert, 5, clock_calendar_s());
	return store_run(insert);
}

/* The next run of UIDs that are all wanted, without a gap; *position starts at 0; false at the end. */
static bool
next_run(const struct store_rows *rows, size_t *position, struct store_uid_range *range_out)
{
	size_t i = *position;

	while (i < rows->count && !rows->rows[i].is_wanted)
		i++;
	if (i == rows->count)
		return false;
	range_out->first = range_out->last = rows->rows[i++].message.uid;
	while (i < rows->count && rows->rows[i].is_wanted && rows->rows[i].message.uid == range_out->last + 1)
		range_out->last = rows->rows[i++].message.uid;
	*position = i;
	return true;
}

void
store_history_look_at(struct store *store, uint64_t mailbox_id)
{
	for (size_t i = 0; i < store->forget_count; i++)
		if (store->forget_ids[i] == mailbox_id)
			return;
	if (store->forget_count == store->forget_capacity) {
		store->forget_capacity = store->forget_capacity * 2 + 4;
		store->forget_ids = memory_resize(store->forget_ids, store->forget_capacity, sizeof store->forget_ids[0]);
	}
	store->forget_ids[store->forget_count++] = mailbox_id;
}

enum store_status
store_history_add(struct store *store, const struct store_rows *rows, const struct store_tally *tally)
{
	bool (*next)(const struct store_rows *, size_t *, struct store_uid_range *) = next_run;
	enum store_status status = STORE_OK;
	struct store_uid_range range;
	size_t position = 0, runs = 0;

	while (runs <= EXACT_MAX && next_run(rows, &position, &range))
		runs++;
	if (runs > EXACT_MAX)
		next = store_rows_next_range;
	position = 0;
	while (status == STORE_OK && next(rows, &position, &range))
		status = insert_range(store, tally, range);
	store_history_look_at(store, tally->mailbox_id);
	return status;
}

static enum store_status
read_number(struct sql_statement *query, int64_t *number_out)
{
	enum store_status status = store_row(query);

	if (status == STORE_OK)
		*number_out = sql_column_number(query, 0);
	sql_reset(query);
	return status;
}

/* The modseq up to which a mailbox is to forget; 0: nothing. */
static enum store_status
find_forgotten(struct store *store, uint64_t mailbox_id, int64_t *modseq_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT max(coalesce((SELECT modseq FROM expunged WHERE mailbox_id = ?1 "
	    "ORDER BY modseq DESC LIMIT 1 OFFSET ?2), 0), "
	    "coalesce((SELECT max(modseq) FROM expunged WHERE mailbox_id = ?1 AND expunged_at < ?3), 0))");

	sql_bind_number(query, 1, mailbox_id);
	sql_bind_number(query, 2, RANGES_MAX);
	sql_bind_number(query, 3, clock_calendar_s() - AGE_MAX_S);
	return read_number(query, modseq_out);
}

static enum store_status
run_with_modseq(struct store *store, const char *text, uint64_t mailbox_id, int64_t modseq)
{
	struct sql_statement *statement = sql_prepare(store->sql, text);

	sql_bind_number(statement, 1, mailbox_id);
	sql_bind_number(statement, 2, modseq);
	return store_run(statement);
}

static enum store_status
forget(struct store *store, uint64_t mailbox_id)
{
	enum store_status status;
	int64_t modseq = 0;

	if ((status = find_forgotten(store, mailbox_id, &modseq)) != STORE_OK || modseq == 0)
		return status;
	status = run_with_modseq(store, "DELETE FROM expunged WHERE mailbox_id = ?1 AND modseq <= ?2", mailbox_id,
	    modseq);
	if (status != STORE_OK)
		return status;
	return run_with_modseq(store, "UPDATE mailbox SET forgotten_modseq = ?2 WHERE id = ?1", mailbox_id, modseq);
}

/* Mailboxes in which nothing was expunged lately grow old, too: their first range tells. */
static enum store_status
look_for_old(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT id FROM mailbox WHERE "
	    "(SELECT expunged_at FROM expunged WHERE mailbox_id = mailbox.id ORDER BY modseq LIMIT 1) < ?1");
	enum sql_status stepped;

	sql_bind_number(query, 1, clock_calendar_s() - AGE_MAX_S);
	while ((stepped = sql_step(query)) == SQL_ROW)
		store_history_look_at(store, (uint64_t)sql_column_number(query, 0));
	return store_from_sql(stepped);
}

enum store_status
store_history_forget(struct store *store)
{
	enum store_status status = look_for_old(store);

	while (status == STORE_OK && store->forget_count > 0)
		status = forget(store, store->forget_ids[--store->forget_count]);
	return status;
}

enum store_status
store_expunged_modseq(struct store *store, uint64_t mailbox_id, uint64_t *modseq_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT max(forgotten_modseq, coalesce((SELECT max(modseq) FROM expunged WHERE mailbox_id = ?1), 0)) "
	    "FROM mailbox WHERE id = ?1");
	enum store_status status;
	int64_t modseq = 0;

	sql_bind_number(query, 1, mailbox_id);
	if ((status = read_number(query, &modseq)) == STORE_OK)
		*modseq_out = (uint64_t)modseq;
	return status;
}

static enum store_status
find_whether_whole(struct store *store, uint64_t mailbox_id, uint64_t modseq, bool *is_whole_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT forgotten_modseq FROM mailbox WHERE id = ?1");
	enum store_status status;
	int64_t forgotten = 0;

	sql_bind_number(query, 1, mailbox_id);
	status = read_number(query, &forgotten);
	*is_whole_out = modseq >= (uint64_t)forgotten;
	return status;
}

static void
add_range(struct store_history *history, size_t *capacity, struct arena *arena, struct store_uid_range range)
{
	if (history->count == *capacity) {
		struct store_uid_range *more;

		*capacity = *capacity == 0 ? 64 : 2 * *capacity;
		more = arena_alloc_array(arena, *capacity, sizeof *more);
		if (history->count > 0)
			memcpy(more, history->ranges, history->count * sizeof *more);
		history->ranges = more;
	}
	history->ranges[history->count++] = range;
}

enum store_status
store_expunged_since(struct store *store, uint64_t mailbox_id, uint64_t modseq, struct arena *arena,
    struct store_history *history_out)
{
	struct store_history history = { .is_whole = false };
	struct sql_statement *query;
	enum store_status status;
	enum sql_status stepped;
	size_t capacity = 0;

	modseq = modseq > INT64_MAX ? INT64_MAX : modseq;
	if ((status = find_whether_whole(store, mailbox_id, modseq, &history.is_whole)) != STORE_OK)
		return status;
	*history_out = history;
	if (!history.is_whole)
		return STORE_OK;
	query = sql_prepare(store->sql,
	    "SELECT first_uid, last_uid FROM expunged WHERE mailbox_id = ?1 AND modseq > ?2 "
	    "ORDER BY modseq, first_uid");
	sql_bind_number(query, 1, mailbox_id);
	sql_bind_number(query, 2, (int64_t)modseq);
	while ((stepped = sql_step(query)) == SQL_ROW)
		add_range(&history, &capacity, arena, (struct store_uid_range){
		    sql_column_number(query, 0), sql_column_number(query, 1) });
	if (stepped != SQL_OK)
		return store_from_sql(stepped);
	*history_out = history;
	return STORE_OK;
}
