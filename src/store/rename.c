/*
 * Renaming: a mailbox goes with all that lies below it, except INBOX, which stays and gives its
 * messages away (RFC 9051 section 6.3.6).  Worker threads.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "internal.h"

static bool
is_below(struct span name, struct span parent)
{
	return name.length > parent.length && name.at[parent.length] == '/' &&
	    span_starts_with(name, parent);
}

/* All that lies below "a" sorts from "a/" to before "a0": '0' comes after '/'. */
static void
bind_below(struct sql_statement *statement, int index, struct buffer *first, struct buffer *end,
    struct span parent)
{
	buffer_add_span(first, parent);
	buffer_add_octet(first, '/');
	buffer_add_span(end, parent);
	buffer_add_octet(end, '/' + 1);
	sql_bind_text(statement, index, buffer_span(first));
	sql_bind_text(statement, index + 1, buffer_span(end));
}

/* Whether the new names fit and are free. */
static enum store_status
check_new_names(struct store *store, struct span from, struct span to)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT max(length(CAST(name AS BLOB))), count(*) FILTER (WHERE EXISTS "
	    "(SELECT 1 FROM mailbox AS taken WHERE taken.name = ?4 || substr(moved.name, length(?1) + 1))) "
	    "FROM mailbox AS moved WHERE name = ?1 OR (name >= ?2 AND name < ?3)");
	struct buffer first = { 0 }, end = { 0 };
	enum store_status status;

	sql_bind_text(query, 1, from);
	bind_below(query, 2, &first, &end, from);
	sql_bind_text(query, 4, to);
	if ((status = store_row(query)) == STORE_OK) {
		if (sql_column_number(query, 1) > 0)
			status = STORE_EXISTS;
		else if (sql_column_number(query, 0) - from.length + to.length > STORE_NAME_MAX)
			status = STORE_LIMIT;
	}
	sql_reset(query);
	buffer_free(&first);
	buffer_free(&end);
	return status;
}

static enum store_status
move_names(struct store *store, struct span from, struct span to)
{
	struct sql_statement *update = sql_prepare(store->sql,
	    "UPDATE mailbox SET name = ?4 || substr(name, length(?1) + 1) "
	    "WHERE name = ?1 OR (name >= ?2 AND name < ?3)");
	struct buffer first = { 0 }, end = { 0 };
	enum store_status status;

	sql_bind_text(update, 1, from);
	bind_below(update, 2, &first, &end, from);
	sql_bind_text(update, 4, to);
	status = store_run(update);
	buffer_free(&first);
	buffer_free(&end);
	return status;
}

static enum store_status
move_all_messages(struct store *store, uint64_t from_id, uint64_t to_id)
{
	struct store_copied *moved = NULL;
	uint32_t *uids;
	size_t count, moved_count;
	uint64_t modseq;
	enum store_status status;

	status = store_uids_list(store, from_id, &uids, &count);
	if (status == STORE_OK && count > 0) {
		moved = memory_new_array(count, sizeof *moved);
		status =
		    store_move(store, from_id, to_id, uids, count, moved, &moved_count, &modseq);
	}
	free(moved);
	free(uids);
	return status;
}

/* Both have the annotations: RFC 5464 section 4.1. */
static enum store_status
copy_annotations(struct store *store, uint64_t from_id, uint64_t to_id)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT INTO metadata (owner, mailbox_id, entry, value) "
	    "SELECT owner, ?2, entry, value FROM metadata WHERE owner = '' AND mailbox_id = ?1");

	sql_bind_number(insert, 1, (int64_t)from_id);
	sql_bind_number(insert, 2, (int64_t)to_id);
	return store_run(insert);
}

static enum store_status
rename_inbox(struct store *store, uint64_t inbox_id, struct span to)
{
	enum store_status status;
	uint64_t to_id;

	if ((status = store_mailbox_create(store, to, NULL, &to_id)) != STORE_OK ||
	    (status = copy_annotations(store, inbox_id, to_id)) != STORE_OK)
		return status;
	return move_all_messages(store, inbox_id, to_id);
}

enum store_status
store_mailbox_rename(struct store *store, struct span from, struct span to)
{
	enum store_status status;
	uint64_t from_id, ignored;

	if ((status = store_enter(store)) != STORE_OK ||
	    (status = store_mailbox_id(store, from, &from_id)) != STORE_OK)
		return status;
	if ((status = store_mailbox_id(store, to, &ignored)) != STORE_NOT_FOUND)
		return status == STORE_OK ? STORE_EXISTS : status;
	if (span_equals(from, SPAN("INBOX")))
		return rename_inbox(store, from_id, to);
	if (is_below(to, from))
		return STORE_FORBIDDEN;
	if ((status = check_new_names(store, from, to)) != STORE_OK ||
	    (status = store_mailbox_insert_parents(store, to)) != STORE_OK)
		return status;
	return move_names(store, from, to);
}
