/*
 * Changing flags (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3): decided here row by row, written
 * by range.  Worker threads.
 */
#include "internal.h"

static uint64_t
apply(const struct store_flag_change *change, uint64_t flags)
{
	switch (change->operation) {
	case STORE_FLAGS_SET:
		return change->flags;
	case STORE_FLAGS_ADD:
		return flags | change->flags;
	case STORE_FLAGS_REMOVE:
		return flags & ~change->flags;
	}
	return flags;
}

/* Whether the flags that are to change are as who changes them knows. */
static bool
is_unchanged(const struct store_row *row, const struct store_flag_change *change)
{
	const struct store_flag_known *known;

	if (row->message.modseq <= change->unchanged_since)
		return true;
	if (change->known == NULL || change->operation == STORE_FLAGS_SET)
		return false;
	known = &change->known[row->place];
	return known->modseq <= change->unchanged_since &&
	    ((known->flags ^ row->message.flags) & change->flags) == 0;
}

/* Decide about one row; it stays wanted if it changes. */
static void
decide(struct store_row *row, const struct store_flag_change *change, struct store_tally *tally,
    struct store_flag_result *result)
{
	struct store_message *message = &row->message;
	uint64_t flags = apply(change, message->flags);

	row->is_wanted = false;
	if (!is_unchanged(row, change))
		result->outcome = STORE_FLAGS_MODIFIED;
	else if (flags == message->flags)
		result->outcome = STORE_FLAGS_SAME;
	else {
		store_tally_count(tally, message, -1);
		message->flags = flags;
		message->modseq = tally->modseq;
		store_tally_count(tally, message, 1);
		row->is_wanted = true;
		result->outcome = STORE_FLAGS_CHANGED;
	}
	result->flags = message->flags;
	result->modseq = message->modseq;
}

/* Write the same change over ranges of rows that all change. */
static enum store_status
write_ranges(struct store *store, const struct store_rows *rows,
    const struct store_flag_change *change, const struct store_tally *tally)
{
	uint64_t keep = change->operation == STORE_FLAGS_SET ? 0 :
	    change->operation == STORE_FLAGS_REMOVE ? ~change->flags : UINT64_MAX;
	uint64_t add = change->operation == STORE_FLAGS_REMOVE ? 0 : change->flags;
	enum store_status status = STORE_OK;
	struct store_uid_range range;
	size_t position = 0;

	while (status == STORE_OK && store_rows_next_range(rows, &position, &range)) {
		struct sql_statement *update = sql_prepare(store->sql,
		    "UPDATE message SET flags = (flags & ?4) | ?5, modseq = ?6 "
		    "WHERE mailbox_id = ?1 AND uid BETWEEN ?2 AND ?3");

		sql_bind_number(update, 1, tally->mailbox_id);
		sql_bind_number(update, 2, range.first);
		sql_bind_number(update, 3, range.last);
		sql_bind_number(update, 4, keep);
		sql_bind_number(update, 5, add);
		sql_bind_number(update, 6, tally->modseq);
		status = store_run(update);
	}
	return status;
}

/* Decide about all; true if something changes. */
static bool
decide_all(struct store_rows *rows, const uint32_t *uids, size_t count,
    const struct store_flag_change *change, struct store_tally *tally,
    struct store_flag_result *results)
{
	bool is_changing = false;

	for (size_t i = 0; i < count; i++)
		results[i] =
		    (struct store_flag_result){ .uid = uids[i], .outcome = STORE_FLAGS_MISSING };
	for (size_t i = 0; i < rows->count; i++) {
		struct store_row *row = &rows->rows[i];

		if (!row->is_wanted)
			continue;
		decide(row, change, tally, &results[row->place]);
		is_changing |= row->is_wanted;
	}
	return is_changing;
}

enum store_status
store_change_flags(struct store *store, uint64_t mailbox_id, const uint32_t *uids, size_t count,
    const struct store_flag_change *change, struct store_flag_result *results_out,
    uint64_t *modseq_out)
{
	struct store_flag_change masked = *change;
	struct store_rows rows = { 0 };
	struct store_tally tally;
	enum store_status status;
	bool is_changing = false;

	masked.flags &= STORE_FLAGS_ALL;
	if ((status = store_enter(store)) != STORE_OK ||
	    (status = store_tally_begin(store, mailbox_id, &tally)) != STORE_OK ||
	    (status = store_rows_init(store, mailbox_id, uids, count, &rows)) != STORE_OK)
		goto out;
	is_changing = decide_all(&rows, uids, count, &masked, &tally, results_out);
	if (is_changing && (status = write_ranges(store, &rows, &masked, &tally)) == STORE_OK)
		status = store_tally_end(store, &tally);
	if (status == STORE_OK && modseq_out != NULL)
		*modseq_out = is_changing ? tally.modseq : tally.modseq - 1;
out:
	store_rows_fini(&rows);
	return status;
}
