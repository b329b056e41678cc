/*
 * Ids of contents, reserved some at a time, so that a message that comes need not write down each.  Those that are not given
 * when the file is closed or copied are given back; after a crash they are stepped over.  Worker threads.
 */
#include "internal.h"

#define RESERVED 16

/* SQLite remembers the highest id of a table with AUTOINCREMENT once there was one, and writes it when it is exceeded. */
static enum store_status
reserve(struct store *store, uint64_t *last_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT seq FROM sqlite_sequence WHERE name = 'content'");
	struct sql_statement *write;
	enum store_status status = store_row(query);

	*last_out = status == STORE_OK ? (uint64_t)sql_column_number(query, 0) : 0;
	sql_reset(query);
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		return status;
	write = sql_prepare(store->sql, status == STORE_OK ? "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'content'" :
	    "INSERT INTO sqlite_sequence (name, seq) VALUES ('content', ?1)");
	sql_bind_number(write, 1, (int64_t)(*last_out + RESERVED));
	return store_run(write);
}

enum store_status
store_take_content_id(struct store *store, uint64_t *id_out)
{
	enum store_status status;
	uint64_t last;

	if (store->ids_left == 0) {
		if ((status = reserve(store, &last)) != STORE_OK)
			return status;
		store->next_id = last + 1;
		store->ids_left = RESERVED;
	}
	*id_out = store->next_id++;
	store->ids_left--;
	return STORE_OK;
}

void
store_give_back_content_ids(struct store *store)
{
	struct sql_statement *write;

	if (store->ids_left == 0 || sql_set_sync(store->sql, SQL_SYNC_NORMAL) != SQL_OK || sql_begin(store->sql) != SQL_OK)
		return;
	write = sql_prepare(store->sql, "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'content' AND seq = ?2");
	sql_bind_number(write, 1, (int64_t)(store->next_id - 1));
	sql_bind_number(write, 2, (int64_t)(store->next_id - 1 + store->ids_left));
	store->ids_left = 0;
	sql_end(store->sql, sql_run(write));
}
