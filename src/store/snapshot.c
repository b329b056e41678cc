/*
 * A whole mailbox for the state on the loop: its row, its keywords, and a packed array of its
 * messages.  Worker threads.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "flag_log.h"

#define ROOM_MAX (256 * 1024)	/* messages for which there is room at first, whatever the counter says: it may be damaged */

/*
 * Whether it is what states rely on: UIDs rise, and are below the next one, which is 0 when all are given.  A value that is
 * no number reads as 0.
 */
static bool
is_next_uid(const struct store_snapshot *snapshot, int64_t uid)
{
	uint32_t before = snapshot->count == 0 ? 0 : snapshot->messages[snapshot->count - 1].uid;

	return uid > before && uid <= (uint32_t)(snapshot->mailbox.uidnext - 1);
}

static enum store_status
load_messages(struct store *store, struct store_snapshot *snapshot)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT uid, size, flags, modseq, content_id, internal_date FROM message "
	    "WHERE mailbox_id = ?1 ORDER BY uid");
	size_t promised = (size_t)snapshot->mailbox.messages + 1, capacity = promised < ROOM_MAX ? promised : ROOM_MAX;
	enum store_status loaded;
	enum sql_status status;
	struct flag_log log;

	if ((loaded = flag_log_load(store, snapshot->mailbox.id, 1, UID_MAX, &log)) != STORE_OK)
		return loaded;

	snapshot->messages = memory_resize(NULL, capacity, sizeof *snapshot->messages);
	sql_bind_number(query, 1, snapshot->mailbox.id);
	while ((status = sql_step(query)) == SQL_ROW && is_next_uid(snapshot, sql_column_number(query, 0))) {
		if (snapshot->count == capacity) {
			capacity = promised > capacity && promised < 2 * capacity ? promised : 2 * capacity;
			snapshot->messages = memory_resize(snapshot->messages, capacity,
			    sizeof *snapshot->messages);
		}
		snapshot->messages[snapshot->count] = (struct store_message){
			.uid = sql_column_number(query, 0),
			.size = sql_column_number(query, 1),
			.flags = sql_column_number(query, 2),
			.modseq = sql_column_number(query, 3),
			.content_id = sql_column_number(query, 4),
			.internal_date_s = sql_column_number(query, 5),
		};
		flag_log_apply(&log, &snapshot->messages[snapshot->count++]);
	}
	sql_reset(query);
	return status == SQL_ROW ? STORE_CORRUPT : store_from_sql(status);
}

enum store_status
store_snapshot_init(struct store *store, uint64_t mailbox_id, struct store_snapshot *snapshot_out)
{
	struct store_snapshot snapshot = { .arena = arena_new() };
	enum store_status status;
	bool is_ours = false;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		goto out;
	status = store_mailbox_get(store, mailbox_id, snapshot.arena, &snapshot.mailbox);
	if (status == STORE_OK)
		status = store_keyword_list(store, mailbox_id, snapshot.arena, &snapshot.keywords);
	if (status == STORE_OK)
		status = store_expunged_modseq(store, mailbox_id, &snapshot.expunged_modseq);
	if (status == STORE_OK)
		status = load_messages(store, &snapshot);
	status = store_read_end(store, is_ours, status);
out:
	if (status == STORE_OK)
		*snapshot_out = snapshot;
	else
		store_snapshot_fini(&snapshot);
	return status;
}

void
store_snapshot_fini(struct store_snapshot *snapshot)
{
	arena_free(&snapshot->arena);
	free(snapshot->messages);
	*snapshot = (struct store_snapshot){ 0 };
}

enum store_status
store_message_save_date(
    struct store *store, uint64_t mailbox_id, uint32_t uid, int64_t *save_date_s_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT save_date FROM message WHERE mailbox_id = ?1 AND uid = ?2");
	enum store_status status;

	sql_bind_number(query, 1, mailbox_id);
	sql_bind_number(query, 2, uid);
	if ((status = store_row(query)) == STORE_OK)
		*save_date_s_out = sql_column_number(query, 0);
	sql_reset(query);
	return status;
}
