/*
 * Rows of an index: reading and writing, and no more.  Worker threads.
 */
#include "index_block.h"

#include <stdlib.h>

#include "base/memory.h"
#include "codec.h"

enum store_status
index_width(struct sql_statement *query, int column, unsigned *width_out)
{
	int64_t width = sql_column_number(query, column);

	*width_out = (unsigned)width;
	return width == INDEX_WIDTH_SMALL || width == INDEX_WIDTH_MIDDLE || width == INDEX_WIDTH_LARGE ? STORE_OK : STORE_CORRUPT;
}

enum store_status
index_number(struct sql_statement *query, uint64_t *number_out)
{
	enum store_status status = store_row(query);

	if (status == STORE_OK)
		*number_out = sql_column_number(query, 0);
	sql_reset(query);
	return status;
}

enum store_status
index_state_get(struct store *store, struct index_state *state_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT version, generation, indexed_through, "
	    "indexed_through BETWEEN 0 AND coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'content'), 0) FROM index_state");
	enum store_status status = store_row(query);

	if (status == STORE_OK && sql_column_number(query, 3) == 0)
		status = STORE_CORRUPT;
	if (status == STORE_OK)
		*state_out = (struct index_state){
			.version = sql_column_number(query, 0),
			.generation = sql_column_number(query, 1),
			.indexed_through = sql_column_number(query, 2),
		};
	sql_reset(query);
	return status;
}

enum store_status
index_state_set(struct store *store, const struct index_state *state)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT OR REPLACE INTO index_state (id, version, generation, indexed_through) VALUES (1, ?1, ?2, ?3)");

	sql_bind_number(insert, 1, state->version);
	sql_bind_number(insert, 2, state->generation);
	sql_bind_number(insert, 3, state->indexed_through);
	return store_run(insert);
}

enum store_status
index_run(struct store *store, const char *text, uint64_t id)
{
	struct sql_statement *statement = sql_prepare(store->sql, text);

	sql_bind_number(statement, 1, id);
	return store_run(statement);
}

enum store_status
index_state_raise_generation(struct store *store)
{
	return store_run(sql_prepare(store->sql, "UPDATE index_state SET generation = generation + 1"));
}

enum store_status
index_block_insert(struct store *store, struct index_block *block)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT INTO index_block (kind, width, state, octets, first_id, last_id, contents, gone) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	enum store_status status;

	sql_bind_number(insert, 1, block->kind);
	sql_bind_number(insert, 2, block->width);
	sql_bind_number(insert, 3, block->state);
	sql_bind_number(insert, 4, block->octets);
	sql_bind_number(insert, 5, block->first_id);
	sql_bind_number(insert, 6, block->last_id);
	sql_bind_number(insert, 7, block->contents);
	sql_bind_number(insert, 8, block->gone);
	if ((status = store_run(insert)) == STORE_OK)
		block->id = sql_last_row_id(store->sql);
	return status;
}

enum store_status
index_block_update(struct store *store, const struct index_block *block)
{
	struct sql_statement *update = sql_prepare(store->sql,
	    "UPDATE index_block SET state = ?2, octets = ?3, first_id = ?4, last_id = ?5, contents = ?6, gone = ?7 "
	    "WHERE id = ?1");

	sql_bind_number(update, 1, block->id);
	sql_bind_number(update, 2, block->state);
	sql_bind_number(update, 3, block->octets);
	sql_bind_number(update, 4, block->first_id);
	sql_bind_number(update, 5, block->last_id);
	sql_bind_number(update, 6, block->contents);
	sql_bind_number(update, 7, block->gone);
	return store_run(update);
}

enum store_status
index_slots_read(struct store *store, uint64_t block_id, struct buffer *out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT contents FROM index_slots WHERE block_id = ?1");
	enum store_status status;

	sql_bind_number(query, 1, block_id);
	if ((status = store_row(query)) == STORE_OK)
		buffer_add_span(out, sql_column_blob(query, 0));
	sql_reset(query);
	return status == STORE_NOT_FOUND ? STORE_CORRUPT : status;
}

enum store_status
index_slots_write(struct store *store, uint64_t block_id, struct span contents)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT OR REPLACE INTO index_slots (block_id, contents) VALUES (?1, ?2)");

	sql_bind_number(insert, 1, block_id);
	sql_bind_blob(insert, 2, contents);
	return store_run(insert);
}

static uint64_t
row_id(uint64_t block_id, unsigned bucket)
{
	return block_id << INDEX_BUCKET_BITS | bucket;
}

/* A row of another length than that of its octets is a frame of them. */
static bool
read_octets(struct span row, uint8_t octets_out[INDEX_ROW_OCTETS])
{
	struct buffer octets = { 0 };
	bool is_good = codec_unpack(row.length == INDEX_ROW_OCTETS ? ENCODING_NONE : ENCODING_ZSTD, NULL, row, INDEX_ROW_OCTETS,
	    &octets);

	if (is_good)
		memcpy(octets_out, octets.at, INDEX_ROW_OCTETS);
	buffer_free(&octets);
	return is_good;
}

enum store_status
index_row_get(struct store *store, uint64_t block_id, unsigned bucket, uint8_t octets_out[INDEX_ROW_OCTETS])
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT octets FROM index_row WHERE id = ?1");
	enum store_status status;

	sql_bind_number(query, 1, row_id(block_id, bucket));
	if ((status = store_row(query)) == STORE_OK && !read_octets(sql_column_blob(query, 0), octets_out))
		status = STORE_CORRUPT;
	sql_reset(query);
	return status == STORE_NOT_FOUND ? STORE_CORRUPT : status;
}

enum store_status
index_row_put(struct store *store, uint64_t block_id, unsigned bucket, struct span octets, bool is_packed)
{
	struct sql_statement *insert = sql_prepare(store->sql,
	    "INSERT OR REPLACE INTO index_row (id, octets) VALUES (?1, ?2)");

	if (is_packed)
		codec_pack(ENCODING_ZSTD, NULL, octets, &octets);
	sql_bind_number(insert, 1, row_id(block_id, bucket));
	sql_bind_blob(insert, 2, octets);
	return store_run(insert);
}

enum store_status
index_slot_read(struct store *store, uint64_t block_id, uint8_t bits_out[STORE_INDEX_SLOT_OCTETS])
{
	enum store_status status = STORE_OK;

	for (unsigned i = 0; status == STORE_OK && i < INDEX_ROWS_OF_SLOT; i++)
		status = index_row_get(store, block_id, i * INDEX_BUCKETS_IN_ROW(INDEX_WIDTH_SMALL),
		    bits_out + i * INDEX_ROW_OCTETS);
	return status;
}

static int
compare(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

static bool
is_sorted(const uint64_t *ids, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (ids[i - 1] > ids[i])
			return false;
	return true;
}

/* Most are in order as they come. */
size_t
index_ids_sort(uint64_t *ids, size_t count)
{
	size_t kept = 0;

	if (!is_sorted(ids, count))
		qsort(ids, count, sizeof *ids, compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || ids[i] != ids[kept - 1])
			ids[kept++] = ids[i];
	return kept;
}

/* A content takes an octet or more of a list. */
enum store_status
index_block_contents(struct store *store, uint64_t block_id, unsigned width, uint64_t **ids_out, size_t *count_out)
{
	struct buffer octets = { 0 };
	enum store_status status = index_slots_read(store, block_id, &octets);
	struct index_list list = { .octets = buffer_span(&octets) };
	uint64_t *ids = memory_new_array(octets.length + 1, sizeof *ids), in_slot;
	size_t count = 0;
	unsigned slots;

	for (slots = 0; index_list_slot(&list, &in_slot); slots++)
		while (index_list_next(&list, &ids[count]))
			count++;
	if (status == STORE_OK && (slots != width || list.left > 0 || list.octets.length > 0))
		status = STORE_CORRUPT;
	buffer_free(&octets);
	if (status != STORE_OK) {
		free(ids);
		return status;
	}
	*ids_out = ids;
	*count_out = index_ids_sort(ids, count);
	return STORE_OK;
}
