/*
 * The table flag_change.  Worker threads.
 */
#include "flag_log.h"

#define RANGE_MIN 64		/* UIDs: rows of fewer are written as fast */

static struct flag_log_entry
read_entry(struct sql_statement *query)
{
	return (struct flag_log_entry){
		.range = { sql_column_number(query, 0), sql_column_number(query, 1) },
		.modseq = sql_column_number(query, 2),
		.keep = sql_column_number(query, 3),
		.set = sql_column_number(query, 4),
	};
}

enum store_status
flag_log_load(struct store *store, uint64_t mailbox_id, uint32_t first, uint32_t last, struct flag_log *log)
{
	struct sql_statement *query;
	enum sql_status status;

	log->count = log->next = 0;
	if (!store->may_have_flag_log)
		return STORE_OK;
	query = sql_prepare(store->sql, "SELECT first_uid, last_uid, modseq, keep_bits, set_bits FROM flag_change "
	    "WHERE mailbox_id = ?1 AND first_uid <= ?3 AND last_uid >= ?2 ORDER BY first_uid");
	sql_bind_number(query, 1, mailbox_id);
	sql_bind_number(query, 2, first);
	sql_bind_number(query, 3, last);
	while ((status = sql_step(query)) == SQL_ROW && log->count < FLAG_LOG_MAX)
		log->entries[log->count++] = read_entry(query);
	sql_reset(query);
	return status == SQL_ROW ? STORE_CORRUPT : store_from_sql(status);
}

void
flag_log_apply(struct flag_log *log, struct store_message *message)
{
	const struct flag_log_entry *entry;

	while (log->next < log->count && log->entries[log->next].range.last < message->uid)
		log->next++;
	entry = &log->entries[log->next];
	if (log->next == log->count || entry->range.first > message->uid || entry->modseq <= message->modseq)
		return;
	message->flags = (message->flags & entry->keep) | entry->set;
	message->modseq = entry->modseq;
}

/* Whether the file may have one more. */
static enum store_status
has_room(struct store *store, bool *has_room_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT count(*) FROM flag_change");
	enum store_status status = store_row(query);

	*has_room_out = status == STORE_OK && sql_column_number(query, 0) < FLAG_LOG_MAX;
	sql_reset(query);
	return status;
}

static enum store_status
write_entry(struct store *store, uint64_t mailbox_id, const struct flag_log_entry *entry)
{
	struct sql_statement *insert = sql_prepare(store->sql, "INSERT OR REPLACE INTO flag_change "
	    "(mailbox_id, first_uid, last_uid, modseq, keep_bits, set_bits) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

	store->may_have_flag_log = true;
	sql_bind_number(insert, 1, mailbox_id);
	sql_bind_number(insert, 2, entry->range.first);
	sql_bind_number(insert, 3, entry->range.last);
	sql_bind_number(insert, 4, entry->modseq);
	sql_bind_number(insert, 5, entry->keep);
	sql_bind_number(insert, 6, entry->set);
	return store_run(insert);
}

/*
 * Two changes of the same range become one if nothing has happened in the mailbox between them: otherwise there may be rows
 * that are newer than the first, for which it does not hold.
 */
static bool
can_join(const struct flag_log *log, const struct flag_log_entry *next)
{
	const struct flag_log_entry *before = &log->entries[0];

	return log->count == 1 && before->range.first == next->range.first && before->range.last == next->range.last &&
	    before->modseq == next->modseq - 1;
}

enum store_status
flag_log_add(struct store *store, const struct store_uid_range *range, uint64_t keep, uint64_t set,
    const struct store_tally *tally, bool *is_kept_out)
{
	struct flag_log_entry entry = { *range, tally->modseq, keep, set };
	struct flag_log log;
	enum store_status status;

	*is_kept_out = false;
	if (range->last - range->first + 1 < RANGE_MIN)
		return STORE_OK;
	if ((status = flag_log_load(store, tally->mailbox_id, range->first, range->last, &log)) != STORE_OK)
		return status;
	if (log.count == 0) {
		status = has_room(store, is_kept_out);
	} else if (can_join(&log, &entry)) {
		entry.set |= log.entries[0].set & keep;
		entry.keep &= log.entries[0].keep;
		*is_kept_out = true;
	}
	return status == STORE_OK && *is_kept_out ? write_entry(store, tally->mailbox_id, &entry) : status;
}

/* Rows that are newer have it already. */
static enum store_status
write_rows(struct store *store, uint64_t mailbox_id, const struct flag_log_entry *entry, uint32_t first, uint32_t last)
{
	struct sql_statement *update = sql_prepare(store->sql,
	    "UPDATE message SET flags = (flags & ?4) | ?5, modseq = ?6 "
	    "WHERE mailbox_id = ?1 AND uid BETWEEN ?2 AND ?3 AND modseq < ?6");

	sql_bind_number(update, 1, mailbox_id);
	sql_bind_number(update, 2, first);
	sql_bind_number(update, 3, last);
	sql_bind_number(update, 4, entry->keep);
	sql_bind_number(update, 5, entry->set);
	sql_bind_number(update, 6, entry->modseq);
	return store_run(update);
}

/* An entry has been written up to a UID. */
static enum store_status
shorten(struct store *store, uint64_t mailbox_id, const struct flag_log_entry *entry, uint32_t through)
{
	struct sql_statement *statement = sql_prepare(store->sql, through < entry->range.last ?
	    "UPDATE flag_change SET first_uid = ?3 WHERE mailbox_id = ?1 AND first_uid = ?2" :
	    "DELETE FROM flag_change WHERE mailbox_id = ?1 AND first_uid = ?2");

	sql_bind_number(statement, 1, mailbox_id);
	sql_bind_number(statement, 2, entry->range.first);
	if (through < entry->range.last)
		sql_bind_number(statement, 3, (int64_t)through + 1);
	return store_run(statement);
}

enum store_status
flag_log_settle(struct store *store, uint64_t mailbox_id, const struct store_uid_range *range)
{
	struct flag_log log;
	enum store_status status = flag_log_load(store, mailbox_id, range->first, range->last, &log);

	for (size_t i = 0; status == STORE_OK && i < log.count; i++) {
		const struct flag_log_entry *entry = &log.entries[i];
		uint32_t first = entry->range.first > range->first ? entry->range.first : range->first;
		uint32_t last = entry->range.last < range->last ? entry->range.last : range->last;

		status = write_rows(store, mailbox_id, entry, first, last);
		if (status == STORE_OK && first == entry->range.first)
			status = shorten(store, mailbox_id, entry, last);
	}
	return status;
}

/* The UID of the last of so many messages from a UID on; UINT32_MAX: there are not so many. */
static enum store_status
find_end(struct store *store, uint64_t mailbox_id, uint32_t first, uint32_t count, uint32_t *uid_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT uid FROM message WHERE mailbox_id = ?1 AND uid >= ?2 ORDER BY uid LIMIT 1 OFFSET ?3");
	enum store_status status;

	sql_bind_number(query, 1, mailbox_id);
	sql_bind_number(query, 2, first);
	sql_bind_number(query, 3, count - 1);
	status = store_row(query);
	*uid_out = status == STORE_OK ? (uint32_t)sql_column_number(query, 0) : UID_MAX;
	sql_reset(query);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* STORE_NOT_FOUND: there is none. */
static enum store_status
first_entry(struct store *store, uint64_t *mailbox_id_out, struct flag_log_entry *entry_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT first_uid, last_uid, modseq, keep_bits, set_bits, mailbox_id FROM flag_change LIMIT 1");
	enum store_status status = store_row(query);

	if (status == STORE_OK) {
		*entry_out = read_entry(query);
		*mailbox_id_out = sql_column_number(query, 5);
	}
	sql_reset(query);
	return status;
}

enum store_status
store_settle_flags(struct store *store, uint32_t messages_max, bool *is_more_out)
{
	struct flag_log_entry entry;
	enum store_status status;
	uint64_t mailbox_id;
	uint32_t end;

	*is_more_out = false;
	if ((status = store_enter(store)) != STORE_OK || !store->may_have_flag_log)
		return status;
	if ((status = first_entry(store, &mailbox_id, &entry)) != STORE_OK) {
		store->may_have_flag_log = status != STORE_NOT_FOUND;
		return status == STORE_NOT_FOUND ? STORE_OK : status;
	}
	*is_more_out = true;
	if ((status = find_end(store, mailbox_id, entry.range.first, messages_max, &end)) != STORE_OK)
		return status;
	return flag_log_settle(store, mailbox_id, &(struct store_uid_range){ entry.range.first,
		end < entry.range.last ? end : entry.range.last });
}

enum store_status
flag_log_settle_all(struct store *store)
{
	enum store_status status;
	bool is_more = true;

	do
		status = store_settle_flags(store, UID_MAX, &is_more);
	while (status == STORE_OK && is_more);
	return status;
}

bool
store_has_unsettled_flags(const struct store *store)
{
	return store->may_have_flag_log;
}

enum store_status
flag_log_open(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT count(*) FROM flag_change");
	enum store_status status = store_row(query);

	store->may_have_flag_log = status == STORE_OK && sql_column_number(query, 0) > 0;
	sql_reset(query);
	return status;
}
