/*
 * Removing messages: their rows go by range, the ranges are remembered, and the messages are kept for a while (retain.c)
 * or, when nobody has their content any more, noted for store_purge().  Worker threads.
 */
#include "internal.h"

static enum store_status
delete_range(struct store *store, uint64_t mailbox_id, struct store_uid_range range)
{
	struct sql_statement *delete = sql_prepare(store->sql,
	    "DELETE FROM message WHERE mailbox_id = ?1 AND uid BETWEEN ?2 AND ?3");

	sql_bind_number(delete, 1, mailbox_id);
	sql_bind_number(delete, 2, range.first);
	sql_bind_number(delete, 3, range.last);
	return store_run(delete);
}

enum store_status
store_rows_expunge(struct store *store, const struct store_rows *rows, struct store_tally *tally)
{
	enum store_status status = STORE_OK;
	struct store_uid_range range;
	size_t position = 0;

	while (status == STORE_OK && store_rows_next_range(rows, &position, &range))
		status = delete_range(store, tally->mailbox_id, range);
	if (status == STORE_OK)
		status = store_history_add(store, rows, tally);
	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].is_wanted)
			store_tally_count(tally, &rows->rows[i].message, -1);
	return status;
}

enum store_status
store_expunge(struct store *store, uint64_t mailbox_id, const uint32_t *uids, size_t count,
    const struct store_parting *parting, uint32_t *expunged_out, size_t *expunged_count_out, uint64_t *modseq_out)
{
	struct store_rows rows = { 0 };
	struct store_tally tally;
	enum store_status status;
	size_t expunged = 0;

	if ((status = store_enter(store)) != STORE_OK ||
	    (status = store_tally_begin(store, mailbox_id, &tally)) != STORE_OK ||
	    (status = store_rows_init(store, mailbox_id, uids, count, &rows)) != STORE_OK ||
	    (status = store_rows_expunge(store, &rows, &tally)) != STORE_OK ||
	    (status = store_rows_part(store, mailbox_id, &rows, parting)) != STORE_OK)
		goto out;
	for (size_t i = 0; i < rows.count; i++)
		if (rows.rows[i].is_wanted)
			expunged_out[expunged++] = rows.rows[i].message.uid;
	if (expunged > 0 && (status = store_tally_end(store, &tally)) != STORE_OK)
		goto out;
	*expunged_count_out = expunged;
	*modseq_out = expunged > 0 ? tally.modseq : tally.modseq - 1;
out:
	store_rows_fini(&rows);
	return status;
}
