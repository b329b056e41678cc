/*
 * The rows of ordering.  Worker threads.
 */
#include "store/ordering.h"

#include "internal.h"

static void
read_row(struct sql_statement *row, struct store_ordering *out)
{
	*out = (struct store_ordering){
		.has_sent_date = !sql_column_is_null(row, 0),
		.sent_s = sql_column_number(row, 0),
		.is_reply = sql_column_number(row, 1) != 0,
		.subject = sql_column_blob(row, 2),
		.from = sql_column_blob(row, 3),
		.to = sql_column_blob(row, 4),
		.cc = sql_column_blob(row, 5),
		.from_name = sql_column_blob(row, 6),
		.to_name = sql_column_blob(row, 7),
		.links = sql_column_blob(row, 8),
	};
}

enum store_status
store_ordering_each(struct store *store, const uint64_t *content_ids, size_t count, store_ordering_visitor *visitor,
    void *context)
{
	struct sql_statement *query;
	struct store_ordering ordering;
	enum store_status status;
	bool goes_on = true, is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	for (size_t i = 0; status == STORE_OK && goes_on && i < count; i++) {
		query = sql_prepare(store->sql,
		    "SELECT sent, is_reply, subject, from_mailbox, to_mailbox, cc_mailbox, from_name, to_name, links "
		    "FROM ordering WHERE content_id = ?1");
		sql_bind_number(query, 1, content_ids[i]);
		status = store_row(query);
		if (status == STORE_OK)
			read_row(query, &ordering);
		if (status == STORE_OK || status == STORE_NOT_FOUND) {
			goes_on = visitor(i, status == STORE_OK ? &ordering : NULL, context);
			status = STORE_OK;
		}
		sql_reset(query);
	}
	return store_read_end(store, is_ours, status);
}

enum store_status
store_ordering_keep(struct store *store, uint64_t content_id, const struct store_ordering *ordering)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT OR IGNORE INTO ordering (content_id, sent, is_reply, subject, from_mailbox, to_mailbox, "
	    "cc_mailbox, from_name, to_name, links) SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 "
	    "FROM content WHERE id = ?1");
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK)
		return status;
	sql_bind_number(insert, 1, content_id);
	if (ordering->has_sent_date)
		sql_bind_number(insert, 2, ordering->sent_s);
	else
		sql_bind_null(insert, 2);
	sql_bind_number(insert, 3, ordering->is_reply);
	sql_bind_blob(insert, 4, ordering->subject);
	sql_bind_blob(insert, 5, ordering->from);
	sql_bind_blob(insert, 6, ordering->to);
	sql_bind_blob(insert, 7, ordering->cc);
	sql_bind_blob(insert, 8, ordering->from_name);
	sql_bind_blob(insert, 9, ordering->to_name);
	sql_bind_blob(insert, 10, ordering->links);
	return store_run(insert);
}
