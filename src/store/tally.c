/*
 * The kept counters of a mailbox: each operation on its messages adds up what it changes and writes
 * the mailbox's row once, with the modseq and UIDs it gave.  Worker threads.
 */
#include "internal.h"

enum store_status
store_tally_begin(struct store *store, uint64_t mailbox_id, struct store_tally *tally)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT uidnext, highest_modseq FROM mailbox WHERE id = ?1");
	enum store_status status;

	sql_bind_number(query, 1, mailbox_id);
	if ((status = store_row(query)) == STORE_OK)
		*tally = (struct store_tally){
			.mailbox_id = mailbox_id,
			.uidnext = sql_column_number(query, 0),
			.modseq = sql_column_number(query, 1) + 1,
			.given = 1,
		};
	sql_reset(query);
	return status;
}

enum store_status
store_tally_take_uid(struct store_tally *tally, uint32_t *uid_out)
{
	if (tally->uidnext > UID_MAX)
		return STORE_LIMIT;
	*uid_out = tally->uidnext++;
	tally->given++;
	return STORE_OK;
}

void
store_tally_count(struct store_tally *tally, const struct store_message *message, int sign)
{
	tally->messages += sign;
	tally->size += sign * (int64_t)message->size;
	if ((message->flags & STORE_FLAG_SEEN) == 0)
		tally->unseen += sign;
	if ((message->flags & STORE_FLAG_DELETED) != 0) {
		tally->deleted += sign;
		tally->deleted_size += sign * (int64_t)message->size;
	}
}

enum store_status
store_tally_end(struct store *store, const struct store_tally *tally)
{
	struct sql_statement *update = sql_prepare(store->sql,
	    "UPDATE mailbox SET uidnext = ?2, highest_modseq = ?3, messages = messages + ?4, "
	    "unseen = unseen + ?5, deleted = deleted + ?6, size = size + ?7, changes = ?8, deleted_size = deleted_size + ?9, "
	    "recent_uid = CASE WHEN ?10 THEN ?2 ELSE recent_uid END WHERE id = ?1");

	store->position.changes += tally->given;
	sql_bind_number(update, 1, tally->mailbox_id);
	sql_bind_number(update, 2, tally->uidnext);
	sql_bind_number(update, 3, tally->modseq);
	sql_bind_number(update, 4, tally->messages);
	sql_bind_number(update, 5, tally->unseen);
	sql_bind_number(update, 6, tally->deleted);
	sql_bind_number(update, 7, tally->size);
	sql_bind_number(update, 8, (int64_t)store->position.changes);
	sql_bind_number(update, 9, tally->deleted_size);
	sql_bind_number(update, 10, tally->claims_recent);
	return store_run(update);
}
