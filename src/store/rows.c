/*
 * Rows of message by lists of UIDs.  Looking up 100,000 rows one by one takes three times as long
 * as walking over a range, and so does changing them; lists are therefore turned into ranges: UIDs
 * near each other are looked up together, and neighbours that all change are changed together. 
 * Worker threads.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "flag_log.h"

/* Reading over so many rows that nobody asked for costs about as much as another lookup. */
#define GAP_MAX 16

static struct store_row *
add_row(struct store_rows *rows)
{
	if (rows->count == rows->capacity) {
		rows->capacity = rows->capacity == 0 ? 64 : 2 * rows->capacity;
		rows->rows = memory_resize(rows->rows, rows->capacity, sizeof *rows->rows);
	}
	return &rows->rows[rows->count++];
}

/* Look up the rows from uids[begin] to uids[end - 1] and match them with the list. */
static enum store_status
load_range(struct store *store, uint64_t mailbox_id, const uint32_t *uids, size_t begin, size_t end,
    struct store_rows *rows)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT uid, size, flags, modseq, content_id, internal_date FROM message "
	    "WHERE mailbox_id = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid");
	bool begins_range = true;
	enum store_status loaded;
	enum sql_status status;
	struct flag_log log;

	if ((loaded = flag_log_load(store, mailbox_id, uids[begin], uids[end - 1], &log)) != STORE_OK)
		return loaded;
	sql_bind_number(query, 1, mailbox_id);
	sql_bind_number(query, 2, uids[begin]);
	sql_bind_number(query, 3, uids[end - 1]);
	while ((status = sql_step(query)) == SQL_ROW) {
		struct store_row *row = add_row(rows);
		uint32_t uid = sql_column_number(query, 0);

		while (begin < end && uids[begin] < uid)
			begin++;
		row->message = (struct store_message){
			.uid = uid,
			.size = sql_column_number(query, 1),
			.flags = sql_column_number(query, 2),
			.modseq = sql_column_number(query, 3),
			.content_id = sql_column_number(query, 4),
			.internal_date_s = sql_column_number(query, 5),
		};
		flag_log_apply(&log, &row->message);
		row->is_wanted = begin < end && uids[begin] == uid;
		row->place = row->is_wanted ? begin : SIZE_MAX;
		row->begins_range = begins_range;
		begins_range = false;
	}
	return store_from_sql(status);
}

enum store_status
store_rows_init(struct store *store, uint64_t mailbox_id, const uint32_t *uids, size_t count,
    struct store_rows *rows)
{
	enum store_status status = STORE_OK;
	size_t begin, end;

	for (begin = 0; status == STORE_OK && begin < count; begin = end) {
		for (end = begin + 1; end < count && uids[end] - uids[end - 1] <= GAP_MAX; end++)
			;
		status = load_range(store, mailbox_id, uids, begin, end, rows);
	}
	return status;
}

enum store_status
store_uids_list(struct store *store, uint64_t mailbox_id, uint32_t **uids_out, size_t *count_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT uid FROM message WHERE mailbox_id = ?1 ORDER BY uid");
	size_t count = 0, capacity = 0;
	uint32_t *uids = NULL;
	enum sql_status status;

	sql_bind_number(query, 1, mailbox_id);
	while ((status = sql_step(query)) == SQL_ROW) {
		if (count == capacity) {
			capacity = capacity == 0 ? 1024 : 2 * capacity;
			uids = memory_resize(uids, capacity, sizeof *uids);
		}
		uids[count++] = sql_column_number(query, 0);
	}
	*uids_out = uids;
	*count_out = count;
	return store_from_sql(status);
}

enum store_status
store_rows_init_all(struct store *store, uint64_t mailbox_id, struct store_rows *rows)
{
	uint32_t *uids;
	size_t count;
	enum store_status status = store_uids_list(store, mailbox_id, &uids, &count);

	if (status == STORE_OK)
		status = store_rows_init(store, mailbox_id, uids, count, rows);
	free(uids);
	return status;
}

void
store_rows_fini(struct store_rows *rows)
{
	free(rows->rows);
	*rows = (struct store_rows){ 0 };
}

bool
store_rows_next_range(
    const struct store_rows *rows, size_t *position, struct store_uid_range *range_out)
{
	const struct store_row *row = rows->rows;
	size_t i = *position;

	while (i < rows->count && !row[i].is_wanted)
		i++;
	if (i == rows->count)
		return false;
	range_out->first = row[i].message.uid;
	do
		range_out->last = row[i++].message.uid;
	while (i < rows->count && row[i].is_wanted && !row[i].begins_range);
	*position = i;
	return true;
}

enum store_status
store_message_insert(struct store *store, uint64_t mailbox_id, const struct store_message *message,
    int64_t save_date_s)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT INTO message (mailbox_id, uid, content_id, size, flags, modseq, internal_date, "
	    "save_date) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");

	sql_bind_number(insert, 1, mailbox_id);
	sql_bind_number(insert, 2, message->uid);
	sql_bind_number(insert, 3, message->content_id);
	sql_bind_number(insert, 4, message->size);
	sql_bind_number(insert, 5, message->flags);
	sql_bind_number(insert, 6, message->modseq);
	sql_bind_number(insert, 7, message->internal_date_s);
	sql_bind_number(insert, 8, save_date_s);
	return store_run(insert);
}
