/*
 * What becomes of an index when contents are purged: blocks keep count, and one of which little is left is given up and
 * what is left is indexed again.  Worker threads.
 */
#include <stdlib.h>

#include "index_block.h"

/* A purged content counts for each block that may have it, as the blocks' bounds say. */
static enum store_status
note_gone(struct store *store, uint64_t block_id, uint64_t gone)
{
	struct sql_statement *update = sql_prepare(store->sql, "UPDATE index_block SET gone = gone + ?2 WHERE id = ?1");

	sql_bind_number(update, 1, block_id);
	sql_bind_number(update, 2, gone);
	return store_run(update);
}

/* STORE_NOT_FOUND: there is no further block. */
static enum store_status
next_bounds(struct store *store, uint64_t *block_id, uint64_t *first_id_out, uint64_t *last_id_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id, first_id, last_id FROM index_block WHERE id > ?1 AND state = 1 ORDER BY id LIMIT 1");
	enum store_status status;

	sql_bind_number(query, 1, *block_id);
	if ((status = store_row(query)) == STORE_OK) {
		*block_id = sql_column_number(query, 0);
		*first_id_out = sql_column_number(query, 1);
		*last_id_out = sql_column_number(query, 2);
	}
	sql_reset(query);
	return status;
}

/* How many of some ids lie within bounds. */
static uint64_t
count_within(const struct buffer *content_ids, uint64_t first_id, uint64_t last_id)
{
	uint64_t count = 0, content_id;

	for (size_t at = 0; at < content_ids->length; at += sizeof content_id) {
		memcpy(&content_id, content_ids->at + at, sizeof content_id);
		count += content_id >= first_id && content_id <= last_id;
	}
	return count;
}

enum store_status
store_index_forget(struct store *store, const struct buffer *content_ids)
{
	uint64_t block_id = 0, first_id, last_id, gone;
	enum store_status status;

	if (content_ids->length == 0)
		return STORE_OK;
	while ((status = next_bounds(store, &block_id, &first_id, &last_id)) == STORE_OK) {
		gone = count_within(content_ids, first_id, last_id);
		if (gone > 0 && (status = note_gone(store, block_id, gone)) != STORE_OK)
			return status;
	}
	store->has_index_work = true;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* Whether a content still has a message, or is being deleted. */
static enum store_status
look_up(struct store *store, uint64_t content_id, bool *is_there_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT 1 FROM content WHERE id = ?1");
	enum store_status status;

	sql_bind_number(query, 1, content_id);
	status = store_row(query);
	sql_reset(query);
	*is_there_out = status == STORE_OK;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* Take out the contents that are gone; *count falls. */
static enum store_status
keep_living(struct store *store, uint64_t *ids, size_t *count)
{
	enum store_status status = STORE_OK;
	size_t kept = 0;
	bool is_there;

	for (size_t i = 0; status == STORE_OK && i < *count; i++)
		if ((status = look_up(store, ids[i], &is_there)) == STORE_OK && is_there)
			ids[kept++] = ids[i];
	*count = kept;
	return status;
}

/* Let the contents be indexed again, and the block go. */
static enum store_status
give_up(struct store *store, uint64_t block_id, const uint64_t *ids, size_t count)
{
	enum store_status status = STORE_OK;

	for (size_t i = 0; status == STORE_OK && i < count; i++)
		status = index_run(store, "INSERT OR IGNORE INTO index_again (content_id) VALUES (?1)", ids[i]);
	if (status == STORE_OK)
		status = index_run(store, "UPDATE index_block SET state = 3 WHERE id = ?1", block_id);
	return status == STORE_OK ? index_state_raise_generation(store) : status;
}

/* What was counted was too much, as bounds say that contents were in the block. */
static enum store_status
set_living(struct store *store, uint64_t block_id, size_t living)
{
	struct sql_statement *update =
	    sql_prepare(store->sql, "UPDATE index_block SET gone = contents - ?2 WHERE id = ?1");

	sql_bind_number(update, 1, block_id);
	sql_bind_number(update, 2, (int64_t)living);
	return store_run(update);
}

enum store_status
index_give_up_one(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id, width FROM index_block WHERE state = 1 AND into_id IS NULL AND 4 * gone > 3 * contents LIMIT 1");
	enum store_status status = store_row(query);
	uint64_t block_id = 0, *ids;
	size_t contents, living;
	unsigned width = 0;

	if (status == STORE_OK) {
		block_id = sql_column_number(query, 0);
		status = index_width(query, 1, &width);
	}
	sql_reset(query);
	if (status != STORE_OK || (status = index_block_contents(store, block_id, width, &ids, &contents)) != STORE_OK)
		return status;
	living = contents;
	if ((status = keep_living(store, ids, &living)) == STORE_OK)
		status = 4 * living < contents ? give_up(store, block_id, ids, living) : set_living(store, block_id, living);
	free(ids);
	return status;
}
