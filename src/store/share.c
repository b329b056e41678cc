/*
 * Who has a content: messages, and what is kept of those that have left.  Worker threads.
 */
#include "internal.h"

enum store_status
store_run_with_id(struct store *store, const char *text, uint64_t id)
{
	struct sql_statement *statement = sql_prepare(store->sql, text);

	sql_bind_number(statement, 1, (int64_t)id);
	return store_run(statement);
}

enum store_status
store_content_share(struct store *store, uint64_t content_id)
{
	return store_run_with_id(store,
	    "INSERT INTO shared (content_id, extra) VALUES (?1, 1) "
	    "ON CONFLICT (content_id) DO UPDATE SET extra = extra + 1", content_id);
}

enum store_status
store_content_release(struct store *store, uint64_t content_id)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT extra FROM shared WHERE content_id = ?1");
	enum store_status status;
	int64_t extra = 0;

	sql_bind_number(query, 1, content_id);
	if ((status = store_row(query)) == STORE_OK)
		extra = sql_column_number(query, 0);
	sql_reset(query);
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		return status;
	if (extra > 1)
		return store_run_with_id(store,
		    "UPDATE shared SET extra = extra - 1 WHERE content_id = ?1", content_id);
	if (extra == 1)
		return store_run_with_id(
		    store, "DELETE FROM shared WHERE content_id = ?1", content_id);
	return store_run_with_id(store, "INSERT INTO garbage (content_id) VALUES (?1)", content_id);
}
