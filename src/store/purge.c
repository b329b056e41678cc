/*
 * Freeing contents that nobody has.  An expunge only notes what became free: deleting bodies there would make it wait for
 * every page of them.  Worker threads.
 */
#include "index_block.h"
#include "retain.h"
#include "store/content.h"

#define CHUNK_FIRST(content_id) ((content_id) << 20)
#define CHUNK_LAST(content_id)	((content_id) << 20 | 0xfffff)

static enum store_status
purge_content(struct store *store, uint64_t content_id)
{
	struct sql_statement *chunks =
	    sql_prepare(store->sql, "DELETE FROM chunk WHERE id BETWEEN ?1 AND ?2");
	enum store_status status;

	sql_bind_number(chunks, 1, CHUNK_FIRST(content_id));
	sql_bind_number(chunks, 2, CHUNK_LAST(content_id));
	if ((status = store_run(chunks)) != STORE_OK ||
	    (status = store_run_with_id(store, "DELETE FROM content WHERE id = ?1", content_id)) != STORE_OK ||
	    (status = store_run_with_id(store, "DELETE FROM ordering WHERE content_id = ?1", content_id)) != STORE_OK ||
	    (status = store_run_with_id(store, "DELETE FROM searchable WHERE content_id = ?1", content_id)) != STORE_OK)
		return status;
	return store_run_with_id(store, "DELETE FROM garbage WHERE content_id = ?1", content_id);
}

/* STORE_NOT_FOUND when there is no garbage left. */
static enum store_status
next_garbage(struct store *store, uint64_t *content_id_out, uint64_t *size_octets_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT content_id, coalesce(size, 0) FROM garbage LEFT JOIN content ON content.id = content_id "
	    "ORDER BY content_id LIMIT 1");
	enum store_status status = store_row(query);

	if (status == STORE_OK) {
		*content_id_out = sql_column_number(query, 0);
		*size_octets_out = sql_column_number(query, 1);
	}
	sql_reset(query);
	return status;
}

/* Free contents, and append their ids. */
static enum store_status
purge_contents(struct store *store, uint32_t content_max, uint64_t size_max_octets, struct buffer *ids,
    bool *is_more_out)
{
	uint64_t content_id, size_octets, freed_octets = 0;
	enum store_status status;
	uint32_t freed = 0;

	while ((status = next_garbage(store, &content_id, &size_octets)) == STORE_OK) {
		if (freed > 0 &&
		    (freed >= content_max || size_octets > size_max_octets - freed_octets))
			break;
		if ((status = purge_content(store, content_id)) != STORE_OK)
			return status;
		buffer_add(ids, &content_id, sizeof content_id);
		freed++;
		freed_octets += size_octets < size_max_octets - freed_octets ? size_octets :
		    size_max_octets - freed_octets;
	}
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		return status;
	*is_more_out = status == STORE_OK;
	return STORE_OK;
}

enum store_status
store_purge(struct store *store, uint32_t content_max, uint64_t size_max_octets, bool *is_more_out)
{
	struct buffer ids = { 0 };
	enum store_status status;

	if ((status = store_enter(store)) == STORE_OK && (status = store_history_forget(store)) == STORE_OK &&
	    (status = purge_contents(store, content_max, size_max_octets, &ids, is_more_out)) == STORE_OK)
		status = store_index_forget(store, &ids);
	/* What was let go is freed before more is: its room may be enough. */
	if (status == STORE_OK && !*is_more_out)
		status = retention_purge(store, content_max, is_more_out);
	buffer_free(&ids);
	return status;
}
