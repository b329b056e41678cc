/*
 * Looking at an index: how large it is, and whether it is whole in itself.  Worker threads.
 */
#include <stdlib.h>

#include "index_block.h"

#define ROWS_AT_A_TIME 512

static enum store_status
measure_blocks(struct store *store, struct store_index_figures *figures)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT count(*), coalesce(sum(width), 0), coalesce(sum(octets), 0), "
	    "(SELECT coalesce(sum(length(contents)), 0) FROM index_slots) FROM index_block WHERE state < 2");
	enum store_status status = store_row(query);

	if (status == STORE_OK) {
		figures->blocks = sql_column_number(query, 0);
		figures->slots = sql_column_number(query, 1);
		figures->text_octets = sql_column_number(query, 2);
		figures->index_octets = figures->slots * STORE_INDEX_SLOT_OCTETS + (uint64_t)sql_column_number(query, 3);
	}
	sql_reset(query);
	return status;
}

/* Messages, as their mailboxes count them: nothing is read but some rows, however many there are. */
static enum store_status
measure_contents(struct store *store, uint64_t indexed_through, struct store_index_figures *figures)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT coalesce(sum(messages), 0), (SELECT coalesce(max(id), 0) FROM content) FROM mailbox");
	enum store_status status;
	uint64_t last, backlog;

	if ((status = store_row(query)) == STORE_OK) {
		figures->contents = (uint64_t)sql_column_number(query, 0);
		last = (uint64_t)sql_column_number(query, 1);
		backlog = last > indexed_through ? last - indexed_through : 0;
		figures->indexed = backlog < figures->contents ? figures->contents - backlog : 0;
	}
	sql_reset(query);
	return status;
}

enum store_status
store_index_measure(struct store *store, struct store_index_figures *figures_out)
{
	struct store_index_figures figures = { .version = 0 };
	struct index_state state = { .version = 0 };
	enum store_status status;
	bool is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	if ((status = index_state_get(store, &state)) == STORE_NOT_FOUND)
		status = STORE_OK;
	figures.version = state.version;
	if (status == STORE_OK)
		status = measure_blocks(store, &figures);
	if (status == STORE_OK)
		status = measure_contents(store, state.indexed_through, &figures);
	status = store_read_end(store, is_ours, status);
	if (status == STORE_OK)
		*figures_out = figures;
	return status;
}

enum store_status
store_index_next_content(struct store *store, uint64_t after_id, uint64_t *content_id_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id FROM content WHERE id > ?1 AND id <= (SELECT indexed_through FROM index_state) "
	    "AND id NOT IN (SELECT content_id FROM index_again) ORDER BY id LIMIT 1");

	sql_bind_number(query, 1, after_id);
	return index_number(query, content_id_out);
}

static void
add_finding(struct buffer *findings, uint64_t block_id, const char *what)
{
	buffer_printf(findings, "index: block %llu: %s\n", (unsigned long long)block_id, what);
}

/* STORE_NOT_FOUND: there is no further block. */
static enum store_status
next_block(struct store *store, uint64_t after_id, struct index_block *block_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id, width, first_id, last_id, contents FROM index_block WHERE id > ?1 AND state < 2 ORDER BY id LIMIT 1");
	enum store_status status;

	sql_bind_number(query, 1, after_id);
	if ((status = store_row(query)) == STORE_OK)
		*block_out = (struct index_block){
			.id = sql_column_number(query, 0),
			.width = sql_column_number(query, 1),
			.first_id = sql_column_number(query, 2),
			.last_id = sql_column_number(query, 3),
			.contents = sql_column_number(query, 4),
		};
	sql_reset(query);
	return status;
}

static bool
has_known_width(const struct index_block *block)
{
	return block->width == INDEX_WIDTH_SMALL || block->width == INDEX_WIDTH_MIDDLE || block->width == INDEX_WIDTH_LARGE;
}

/* Count the next rows that can be read; a block that is as wide as none is has none. */
static enum store_status
count_rows(struct store *store, const struct index_block *block, struct store_index_place *place)
{
	uint8_t octets[INDEX_ROW_OCTETS];
	enum store_status status;

	if (!has_known_width(block))
		place->bucket = STORE_INDEX_BUCKETS;
	for (unsigned i = 0; i < ROWS_AT_A_TIME && place->bucket < STORE_INDEX_BUCKETS; i++) {
		if ((status = index_row_get(store, block->id, place->bucket, octets)) == STORE_OK)
			place->rows++;
		else if (status != STORE_CORRUPT)
			return status;
		place->bucket += INDEX_BUCKETS_IN_ROW(block->width);
	}
	return STORE_OK;
}

static enum store_status
check_slots(struct store *store, const struct index_block *block, struct buffer *findings)
{
	enum store_status status;
	uint64_t *ids;
	size_t count;

	status = index_block_contents(store, block->id, block->width, &ids, &count);
	if (status == STORE_CORRUPT) {
		add_finding(findings, block->id, "the contents of its slots are missing or damaged");
		return STORE_OK;
	}
	if (status != STORE_OK)
		return status;
	if (count != block->contents)
		add_finding(findings, block->id, "it has not as many contents as are noted");
	else if (count > 0 && (ids[0] < block->first_id || ids[count - 1] > block->last_id))
		add_finding(findings, block->id, "a content lies beyond its bounds");
	free(ids);
	return STORE_OK;
}

/* Blocks are put together meanwhile: one that was begun may be gone. */
static enum store_status
check_block(struct store *store, const struct index_block *block, struct store_index_place *place, struct buffer *findings)
{
	enum store_status status = STORE_OK;

	if (place->begun_id != block->id) {
		*place = (struct store_index_place){ .block_id = place->block_id, .begun_id = block->id };
		status = check_slots(store, block, findings);
	}
	if (status == STORE_OK)
		status = count_rows(store, block, place);
	if (status != STORE_OK || place->bucket < STORE_INDEX_BUCKETS)
		return status;
	if (place->rows != block->width * (uint64_t)INDEX_ROWS_OF_SLOT)
		add_finding(findings, block->id, "rows are missing or of another length");
	*place = (struct store_index_place){ .block_id = block->id };
	return STORE_OK;
}

enum store_status
store_index_verify(struct store *store, struct store_index_place *place, struct buffer *findings_out)
{
	struct index_block block;
	enum store_status status;
	bool is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	if ((status = next_block(store, place->block_id, &block)) == STORE_OK)
		status = check_block(store, &block, place, findings_out);
	return store_read_end(store, is_ours, status);
}
