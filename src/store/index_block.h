/*
 * The rows of an index, as its files share them.  Worker threads.
 */
#ifndef INDEX_BLOCK_H
#define INDEX_BLOCK_H

#include "index_list.h"
#include "internal.h"
#include "store/index.h"

#define INDEX_ROW_OCTETS  256
#define INDEX_BUCKET_BITS 14
#define INDEX_WIDTH_SMALL 1
#define INDEX_WIDTH_MIDDLE 64
#define INDEX_WIDTH_LARGE 2048
#define INDEX_ROWS_OF_SLOT (STORE_INDEX_SLOT_OCTETS / INDEX_ROW_OCTETS)
#define INDEX_BUCKETS_IN_ROW(width) (INDEX_ROW_OCTETS * 8 / (width))

enum index_block_state { INDEX_OPEN, INDEX_IN_USE, INDEX_GROWING, INDEX_DEAD };

/* The columns of a block that change or that others are made of. */
struct index_block {
	uint64_t id, octets, first_id, last_id, contents, gone;
	unsigned kind, width;
	enum index_block_state state;
};

/* The width of a block in a row that was read.  STORE_CORRUPT: no block is so wide, which SQLite does not look at. */
enum store_status index_width(struct sql_statement *query, int column, unsigned *width_out);

/* The first column of the first row; STORE_NOT_FOUND: there is none. */
enum store_status index_number(struct sql_statement *query, uint64_t *number_out);

/* Run a statement, a literal, whose only parameter is an id. */
enum store_status index_run(struct store *store, const char *text, uint64_t id);

/* STORE_NOT_FOUND: nothing was indexed.  STORE_CORRUPT: it says that contents are indexed which there never were. */
struct index_state {
	uint64_t version, generation, indexed_through;
};
enum store_status index_state_get(struct store *store, struct index_state *state_out);
enum store_status index_state_set(struct store *store, const struct index_state *state);

/* Contents have left their blocks: who is finding begins anew. */
enum store_status index_state_raise_generation(struct store *store);

/* Insert a block, with its id and contents, or replace what is there of one. */
enum store_status index_block_insert(struct store *store, struct index_block *block);
enum store_status index_block_update(struct store *store, const struct index_block *block);

/* The contents of the slots of a block: append them; set them. */
enum store_status index_slots_read(struct store *store, uint64_t block_id, struct buffer *out);
enum store_status index_slots_write(struct store *store, uint64_t block_id, struct span contents);

/*
 * Give the contents of a block, rising, each once, to free().  STORE_CORRUPT: the list does not have so many slots, or is
 * damaged.
 */
enum store_status index_block_contents(struct store *store, uint64_t block_id, unsigned width, uint64_t **ids_out,
    size_t *count_out);

/* The row of a block that begins with this bucket.  STORE_CORRUPT: it is missing or of another length. */
enum store_status index_row_get(struct store *store, uint64_t block_id, unsigned bucket,
    uint8_t octets_out[INDEX_ROW_OCTETS]);

/* Write one; compressed, where that saves a fifth: not what is to be put together with others soon. */
enum store_status index_row_put(struct store *store, uint64_t block_id, unsigned bucket, struct span octets, bool is_packed);

/* All bits of a slot that is a block of its own. */
enum store_status index_slot_read(struct store *store, uint64_t block_id, uint8_t bits_out[STORE_INDEX_SLOT_OCTETS]);

/* Sort contents and take out what is there twice; in place.  Returns how many are left. */
size_t index_ids_sort(uint64_t *ids, size_t count);

/* Give a block up of which most contents are gone; how many, is counted first.  STORE_NOT_FOUND: there is none. */
enum store_status index_give_up_one(struct store *store);

/* Find out how far the file has come with its index: when it was opened. */
enum store_status store_index_open(struct store *store);

/*
 * Contents were purged; within a transaction.
 *
 *	content_ids	uint64_t, one behind the other; few
 */
enum store_status store_index_forget(struct store *store, const struct buffer *content_ids);

#endif
