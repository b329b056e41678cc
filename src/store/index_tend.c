/*
 * What there is to do in an index once it is made: 64 slots become a block, 32 of those one of 2,048 slots; what is dead
 * is deleted; a block that has few contents left is given up.  Each step is some milliseconds, and what is left to
 * do is read from the tables, so that it can end at any time.  Worker threads.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "index_block.h"

#define MIDDLES_IN_LARGE (INDEX_WIDTH_LARGE / INDEX_WIDTH_MIDDLE)
#define WORD_OCTETS	 (INDEX_WIDTH_MIDDLE / 8)
#define BUCKETS_IN_STEP	 512	/* of a large block */
#define ROWS_IN_STEP	 1024	/* deleted */

/* Blocks that become one, in the order of their ids. */
struct sources {
	uint64_t ids[INDEX_WIDTH_MIDDLE];
	size_t count;
};

static enum store_status
read_sources(struct store *store, struct sql_statement *query, struct sources *sources)
{
	enum sql_status status = SQL_OK;

	(void)store;
	sources->count = 0;
	while (sources->count < COUNT_OF(sources->ids) && (status = sql_step(query)) == SQL_ROW)
		sources->ids[sources->count++] = sql_column_number(query, 0);
	sql_reset(query);
	return status == SQL_ROW ? STORE_OK : store_from_sql(status);
}

/* The oldest blocks of a kind and width, if there are enough of them. */
static enum store_status
find_sources(struct store *store, unsigned kind, unsigned width, size_t wanted, struct sources *sources)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id FROM index_block WHERE kind = ?1 AND width = ?2 AND state = 1 AND into_id IS NULL "
	    "ORDER BY id LIMIT ?3");

	sql_bind_number(query, 1, kind);
	sql_bind_number(query, 2, width);
	sql_bind_number(query, 3, (int64_t)wanted);
	return read_sources(store, query, sources);
}

static enum store_status
append_list(struct store *store, uint64_t block_id, uint64_t *last, struct buffer *out)
{
	struct buffer octets = { 0 };
	enum store_status status = index_slots_read(store, block_id, &octets);
	struct index_list list = { .octets = buffer_span(&octets) };
	uint64_t *ids = memory_new_array(octets.length + 1, sizeof *ids);
	uint64_t count;

	while (index_list_slot(&list, &count)) {
		size_t read = 0;

		while (index_list_next(&list, &ids[read]))
			read++;
		index_list_add(out, last, ids, read);
	}
	free(ids);
	if (list.left > 0 || list.octets.length > 0)
		status = STORE_CORRUPT;
	buffer_free(&octets);
	return status;
}

/* Write the lists of all sources as one, and say how many contents that are. */
static enum store_status
join_lists(struct store *store, uint64_t block_id, unsigned width, const struct sources *sources, size_t *contents_out)
{
	enum store_status status = STORE_OK;
	struct buffer list = { 0 };
	uint64_t last = 0, *ids;

	for (size_t i = 0; status == STORE_OK && i < sources->count; i++)
		status = append_list(store, sources->ids[i], &last, &list);
	if (status == STORE_OK)
		status = index_slots_write(store, block_id, buffer_span(&list));
	buffer_free(&list);
	if (status != STORE_OK || (status = index_block_contents(store, block_id, width, &ids, contents_out)) != STORE_OK)
		return status;
	free(ids);
	return STORE_OK;
}

/* The block has all bits of its sources now: it takes their place. */
static enum store_status
replace_sources(struct store *store, uint64_t block_id, unsigned width, const struct sources *sources)
{
	struct sql_statement *update;
	enum store_status status;
	size_t contents;

	if ((status = join_lists(store, block_id, width, sources, &contents)) != STORE_OK)
		return status;
	update = sql_prepare(store->sql,
	    "UPDATE index_block SET state = 1, contents = ?2, (octets, first_id, last_id, gone) = (SELECT sum(octets), "
	    "min(first_id), max(last_id), min(sum(gone), ?2) FROM index_block WHERE into_id = ?1) WHERE id = ?1");
	sql_bind_number(update, 1, block_id);
	sql_bind_number(update, 2, (int64_t)contents);
	if ((status = store_run(update)) != STORE_OK)
		return status;
	return index_run(store, "UPDATE index_block SET state = 3 WHERE into_id = ?1", block_id);
}

/* Begin to put blocks together. */
static enum store_status
insert_target(struct store *store, unsigned kind, unsigned width, const struct sources *sources, uint64_t *block_id_out)
{
	struct index_block block = { .kind = kind, .width = width, .state = INDEX_GROWING };
	enum store_status status = index_block_insert(store, &block);

	for (size_t i = 0; status == STORE_OK && i < sources->count; i++) {
		struct sql_statement *update = sql_prepare(store->sql, "UPDATE index_block SET into_id = ?2 WHERE id = ?1");

		sql_bind_number(update, 1, sources->ids[i]);
		sql_bind_number(update, 2, block.id);
		status = store_run(update);
	}
	*block_id_out = block.id;
	return status;
}

/* Put one slot's bits where 64 slots have theirs. */
static void
spread(const uint8_t bits[STORE_INDEX_SLOT_OCTETS], size_t slot, uint8_t *words)
{
	for (size_t i = 0; i < STORE_INDEX_SLOT_OCTETS; i++)
		for (unsigned octet = bits[i]; octet != 0; octet &= octet - 1)
			words[(i * 8 + (unsigned)__builtin_ctz(octet)) * WORD_OCTETS + slot / 8] |= (uint8_t)(1u << slot % 8);
}

static enum store_status
write_middle(struct store *store, uint64_t block_id, const struct sources *sources, uint8_t *words)
{
	enum store_status status = STORE_OK;
	uint8_t bits[STORE_INDEX_SLOT_OCTETS];
	unsigned buckets_in_row = INDEX_BUCKETS_IN_ROW(INDEX_WIDTH_MIDDLE);

	for (size_t i = 0; status == STORE_OK && i < sources->count; i++)
		if ((status = index_slot_read(store, sources->ids[i], bits)) == STORE_OK)
			spread(bits, i, words);
	for (unsigned bucket = 0; status == STORE_OK && bucket < STORE_INDEX_BUCKETS; bucket += buckets_in_row)
		status = index_row_put(store, block_id, bucket, span_of(words + bucket * WORD_OCTETS, INDEX_ROW_OCTETS), true);
	return status;
}

/* 64 slots, in one step. */
static enum store_status
make_middle(struct store *store, unsigned kind, const struct sources *sources)
{
	uint8_t *words = memory_new(STORE_INDEX_BUCKETS * WORD_OCTETS);
	enum store_status status;
	uint64_t block_id;

	if ((status = insert_target(store, kind, INDEX_WIDTH_MIDDLE, sources, &block_id)) == STORE_OK &&
	    (status = write_middle(store, block_id, sources, words)) == STORE_OK)
		status = replace_sources(store, block_id, INDEX_WIDTH_MIDDLE, sources);
	free(words);
	return status;
}

/* How many buckets of a large block are written. */
static enum store_status
count_written(struct store *store, uint64_t block_id, unsigned *buckets_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT max(id) & 16383 FROM index_row WHERE id BETWEEN ?1 << 14 AND (?1 << 14) + 16383");
	enum store_status status;

	sql_bind_number(query, 1, block_id);
	if ((status = store_row(query)) == STORE_OK)
		*buckets_out = sql_column_is_null(query, 0) ? 0 : (unsigned)sql_column_number(query, 0) + 1;
	sql_reset(query);
	return status;
}

/* Some buckets of a large block: of each, the words of its sources one after the other. */
static enum store_status
write_large(struct store *store, uint64_t block_id, const struct sources *sources, unsigned first)
{
	unsigned buckets_in_row = INDEX_BUCKETS_IN_ROW(INDEX_WIDTH_MIDDLE);
	uint8_t *rows = memory_new(BUCKETS_IN_STEP * INDEX_ROW_OCTETS), row[INDEX_ROW_OCTETS];
	enum store_status status = STORE_OK;

	for (size_t i = 0; status == STORE_OK && i < sources->count; i++)
		for (unsigned at = 0; status == STORE_OK && at < BUCKETS_IN_STEP; at += buckets_in_row) {
			status = index_row_get(store, sources->ids[i], first + at, row);
			for (unsigned j = 0; status == STORE_OK && j < buckets_in_row; j++)
				memcpy(rows + (at + j) * INDEX_ROW_OCTETS + i * WORD_OCTETS, row + j * WORD_OCTETS, WORD_OCTETS);
		}
	for (unsigned at = 0; status == STORE_OK && at < BUCKETS_IN_STEP; at++)
		status = index_row_put(store, block_id, first + at, span_of(rows + at * INDEX_ROW_OCTETS, INDEX_ROW_OCTETS), true);
	free(rows);
	return status;
}

/* Go on with a large block that has been begun; STORE_NOT_FOUND: there is none. */
static enum store_status
grow_large(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT id FROM index_block WHERE state = 2 LIMIT 1");
	enum store_status status;
	struct sources sources;
	uint64_t block_id;
	unsigned first;

	if ((status = index_number(query, &block_id)) != STORE_OK)
		return status;
	query = sql_prepare(store->sql, "SELECT id FROM index_block WHERE into_id = ?1 ORDER BY id");
	sql_bind_number(query, 1, block_id);
	if ((status = read_sources(store, query, &sources)) != STORE_OK ||
	    (status = count_written(store, block_id, &first)) != STORE_OK)
		return status;
	if (sources.count != MIDDLES_IN_LARGE)
		return STORE_CORRUPT;
	if (first < STORE_INDEX_BUCKETS)
		return write_large(store, block_id, &sources, first);
	return replace_sources(store, block_id, INDEX_WIDTH_LARGE, &sources);
}

/* Put together what there is enough of; STORE_NOT_FOUND: nothing. */
static enum store_status
put_together(struct store *store)
{
	enum store_status status;
	struct sources sources;
	uint64_t block_id;

	for (unsigned kind = STORE_INDEX_HEADER; kind <= STORE_INDEX_BODY; kind <<= 1) {
		status = find_sources(store, kind, INDEX_WIDTH_SMALL, INDEX_WIDTH_MIDDLE, &sources);
		if (status != STORE_OK)
			return status;
		if (sources.count == INDEX_WIDTH_MIDDLE)
			return make_middle(store, kind, &sources);
		status = find_sources(store, kind, INDEX_WIDTH_MIDDLE, MIDDLES_IN_LARGE, &sources);
		if (status != STORE_OK)
			return status;
		if (sources.count == MIDDLES_IN_LARGE)
			return insert_target(store, kind, INDEX_WIDTH_LARGE, &sources, &block_id);
	}
	return STORE_NOT_FOUND;
}

/* The first row of a dead block that is left. */
static enum store_status
first_row(struct store *store, uint64_t block_id, uint64_t *row_id_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id FROM index_row WHERE id BETWEEN ?1 << 14 AND (?1 << 14) + 16383 ORDER BY id LIMIT 1");

	sql_bind_number(query, 1, block_id);
	return index_number(query, row_id_out);
}

static enum store_status
delete_rows(struct store *store, uint64_t block_id, uint64_t first, uint64_t count)
{
	struct sql_statement *delete = sql_prepare(store->sql,
	    "DELETE FROM index_row WHERE id BETWEEN ?2 AND min(?2 + ?3 - 1, (?1 << 14) + 16383)");

	sql_bind_number(delete, 1, block_id);
	sql_bind_number(delete, 2, first);
	sql_bind_number(delete, 3, count);
	return store_run(delete);
}

/* Delete dead blocks, or a part of one; STORE_NOT_FOUND: there is none. */
static enum store_status
delete_dead(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT id, width FROM index_block WHERE state = 3 LIMIT 1");
	enum store_status status = store_row(query);
	uint64_t block_id = 0, first;
	unsigned width = INDEX_WIDTH_SMALL;

	if (status == STORE_OK) {
		block_id = sql_column_number(query, 0);
		if (index_width(query, 1, &width) != STORE_OK)	/* a damaged block goes, too, row by row */
			width = INDEX_WIDTH_LARGE;
	}
	sql_reset(query);
	if (status != STORE_OK)
		return status;
	status = first_row(store, block_id, &first);
	if (status == STORE_OK)
		return delete_rows(store, block_id, first, ROWS_IN_STEP * INDEX_BUCKETS_IN_ROW(width));
	if (status != STORE_NOT_FOUND)
		return status;
	if ((status = index_run(store, "DELETE FROM index_slots WHERE block_id = ?1", block_id)) != STORE_OK)
		return status;
	return index_run(store, "DELETE FROM index_block WHERE id = ?1", block_id);
}

enum store_status
store_index_tend(struct store *store, bool *is_more_out)
{
	static enum store_status (*const steps[])(struct store *store) = { delete_dead, grow_large, put_together, index_give_up_one };
	enum store_status status = store_enter(store);

	*is_more_out = status == STORE_OK;
	for (size_t i = 0; status == STORE_OK && i < COUNT_OF(steps); i++) {
		if ((status = steps[i](store)) != STORE_NOT_FOUND)
			return status;
		status = STORE_OK;
	}
	*is_more_out = false;
	store->has_index_work = false;
	return status;
}
