/*
 * Finding candidates: for each block the bits of its slots under each bucket of the key, and what is left when all are
 * laid over each other.  Worker threads.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "index_block.h"

#define ANY_CONTENT 0
#define BUCKETS_MAX 32	/* of a key that are looked at; what a slot has by chance it does not have so often */

/* The bits of the slots of a block, one for each. */
struct slots {
	uint8_t bits[INDEX_WIDTH_LARGE / 8];
	uint64_t block_id;
	unsigned width;
	unsigned row_bucket;		/* first bucket of the row that was read last */
	bool has_row;
	uint8_t row[INDEX_ROW_OCTETS];
};

static enum store_status
read_row(struct store *store, struct slots *slots, unsigned bucket)
{
	unsigned first = bucket - bucket % INDEX_BUCKETS_IN_ROW(slots->width);
	enum store_status status;

	if (slots->has_row && slots->row_bucket == first)
		return STORE_OK;
	if ((status = index_row_get(store, slots->block_id, first, slots->row)) == STORE_OK) {
		slots->has_row = true;
		slots->row_bucket = first;
	}
	return status;
}

/* Take out the slots that do not have the bucket.  Returns whether any is left. */
static bool
take_out(struct slots *slots, unsigned bucket)
{
	unsigned place = bucket % INDEX_BUCKETS_IN_ROW(slots->width);
	size_t length = slots->width / 8;
	uint8_t left = 0;

	if (slots->width == INDEX_WIDTH_SMALL)
		return slots->bits[0] &= slots->row[place / 8] >> place % 8 & 1;
	for (size_t i = 0; i < length; i++)
		left |= slots->bits[i] &= slots->row[place * length + i];
	return left != 0;
}

/* Find the slots that have all buckets.  What cannot be read of an index says nothing against a content. */
static enum store_status
match(struct store *store, const uint16_t *buckets, size_t count, struct slots *slots, bool *is_any_out)
{
	enum store_status status = STORE_OK;

	memset(slots->bits, 0xff, sizeof slots->bits);
	if (slots->width == INDEX_WIDTH_SMALL)
		slots->bits[0] = 1;
	slots->has_row = false;
	*is_any_out = true;
	for (size_t i = 0; status == STORE_OK && *is_any_out && i < count; i++) {
		if ((status = read_row(store, slots, buckets[i])) == STORE_OK)
			*is_any_out = take_out(slots, buckets[i]);
	}
	return status == STORE_CORRUPT ? STORE_OK : status;
}

static void
add_candidate(struct store_candidates *out, uint64_t content_id)
{
	if (out->count > 0 && out->ids[out->count - 1] == content_id)
		return;
	if (out->count == out->capacity) {
		out->capacity = out->capacity == 0 ? 256 : 2 * out->capacity;
		out->ids = memory_resize(out->ids, out->capacity, sizeof *out->ids);
	}
	out->ids[out->count++] = content_id;
}

static enum store_status
add_contents(struct store *store, const struct slots *slots, struct store_candidates *out)
{
	struct buffer octets = { 0 };
	enum store_status status = index_slots_read(store, slots->block_id, &octets);
	struct index_list list = { .octets = buffer_span(&octets) };
	uint64_t count, content_id;
	unsigned slot;

	for (slot = 0; slot < slots->width && index_list_slot(&list, &count); slot++)
		while (index_list_next(&list, &content_id))
			if (slots->bits[slot / 8] >> slot % 8 & 1)
				add_candidate(out, content_id);
	if (status == STORE_OK && (slot < slots->width || list.left > 0 || list.octets.length > 0))
		status = STORE_CORRUPT;
	buffer_free(&octets);
	return status;
}

/* Evenly from all of them: neighbours in a key go together in texts, too, but buckets are in no such order. */
static size_t
choose(const uint16_t *buckets, size_t count, uint16_t chosen_out[BUCKETS_MAX])
{
	size_t chosen = count < BUCKETS_MAX ? count : BUCKETS_MAX;

	for (size_t i = 0; i < chosen; i++)
		chosen_out[i] = buckets[i * count / chosen];
	return chosen;
}

/* The next block that can have a content; STORE_NOT_FOUND: there is none. */
static enum store_status
next_block(struct store *store, unsigned texts, uint64_t content_id, uint64_t *block_id, unsigned *width_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id, width FROM index_block WHERE id > ?1 AND kind & ?2 AND state <= ?3 "
	    "AND (?4 = 0 OR ?4 BETWEEN first_id AND last_id) ORDER BY id LIMIT 1");
	enum store_status status;

	sql_bind_number(query, 1, *block_id);
	sql_bind_number(query, 2, texts);
	sql_bind_number(query, 3, INDEX_IN_USE);
	sql_bind_number(query, 4, content_id);
	if ((status = store_row(query)) == STORE_OK) {
		*block_id = sql_column_number(query, 0);
		status = index_width(query, 1, width_out);
	}
	sql_reset(query);
	return status;
}

static enum store_status
find_in_blocks(struct store *store, unsigned texts, const uint16_t *buckets, size_t count, uint64_t until_us,
    struct store_index_cursor *cursor, struct store_candidates *out, bool *is_whole_out)
{
	enum store_status status;
	struct slots slots;
	bool is_any;

	while ((status = next_block(store, texts, ANY_CONTENT, &cursor->block_id, &slots.width)) == STORE_OK) {
		slots.block_id = cursor->block_id;
		if ((status = match(store, buckets, count, &slots, &is_any)) != STORE_OK ||
		    (is_any && (status = add_contents(store, &slots, out)) != STORE_OK))
			return status;
		if (clock_monotonic_us() >= until_us)
			return STORE_OK;
	}
	*is_whole_out = status == STORE_NOT_FOUND;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* What is to be indexed again is in no block now. */
static enum store_status
add_unindexed(struct store *store, struct store_candidates *out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT content_id FROM index_again");
	enum sql_status status;

	while ((status = sql_step(query)) == SQL_ROW)
		add_candidate(out, sql_column_number(query, 0));
	return store_from_sql(status);
}

/* What was indexed meanwhile is a candidate as all that is new. */
static void
put_in_order(struct store_candidates *out)
{
	out->count = index_ids_sort(out->ids, out->count);
	while (out->count > 0 && out->ids[out->count - 1] > out->indexed_through)
		out->count--;
}

/* Begin, and begin anew when contents have gone from blocks that were not looked at to others that were. */
static enum store_status
begin(struct store *store, const struct index_state *state, struct store_index_cursor *cursor,
    struct store_candidates *out)
{
	if (cursor->is_begun && cursor->generation == state->generation)
		return STORE_OK;
	cursor->is_begun = true;
	cursor->generation = state->generation;
	cursor->block_id = 0;
	out->count = 0;
	out->indexed_through = state->indexed_through;
	return add_unindexed(store, out);
}

/* Without an index everything is a candidate. */
static enum store_status
do_without(struct store_candidates *out, bool *is_whole_out)
{
	out->count = out->indexed_through = 0;
	*is_whole_out = true;
	return STORE_OK;
}

static enum store_status
find(struct store *store, unsigned texts, const uint16_t *buckets, size_t count, uint64_t until_us,
    struct store_index_cursor *cursor, struct store_candidates *out, bool *is_whole_out)
{
	enum store_status status;
	struct index_state state;

	*is_whole_out = false;
	status = index_state_get(store, &state);
	if (count == 0 || status == STORE_NOT_FOUND || status == STORE_CORRUPT ||
	    (status == STORE_OK && state.version != cursor->version))
		return do_without(out, is_whole_out);
	if (status != STORE_OK || (status = begin(store, &state, cursor, out)) != STORE_OK)
		return status;
	status = find_in_blocks(store, texts, buckets, count, until_us, cursor, out, is_whole_out);
	if (*is_whole_out)
		put_in_order(out);
	return status == STORE_CORRUPT ? do_without(out, is_whole_out) : status;
}

enum store_status
store_index_find(struct store *store, unsigned texts, const uint16_t *buckets, size_t count, uint64_t until_us,
    struct store_index_cursor *cursor, struct store_candidates *out, bool *is_whole_out)
{
	uint16_t chosen[BUCKETS_MAX];
	enum store_status status;
	bool is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	count = choose(buckets, count, chosen);
	status = find(store, texts, chosen, count, until_us, cursor, out, is_whole_out);
	return store_read_end(store, is_ours, status);
}

void
store_candidates_fini(struct store_candidates *candidates)
{
	free(candidates->ids);
	*candidates = (struct store_candidates){ 0 };
}

static bool
has_content(const struct store_candidates *candidates, uint64_t content_id)
{
	for (size_t i = 0; i < candidates->count; i++)
		if (candidates->ids[i] == content_id)
			return true;
	return false;
}

enum store_status
store_index_holds(struct store *store, enum store_index_text text, uint64_t content_id, const uint16_t *buckets,
    size_t count, bool *holds_out)
{
	struct store_candidates found = { 0 };
	enum store_status status = STORE_OK;
	struct slots slots = { .block_id = 0 };
	bool is_any;

	*holds_out = false;
	while (!*holds_out &&
	    (status = next_block(store, text, content_id, &slots.block_id, &slots.width)) == STORE_OK) {
		if ((status = match(store, buckets, count, &slots, &is_any)) == STORE_OK && is_any)
			status = add_contents(store, &slots, &found);
		if (status != STORE_OK)
			break;
		*holds_out = has_content(&found, content_id);
		found.count = 0;
	}
	store_candidates_fini(&found);
	return status == STORE_NOT_FOUND || status == STORE_CORRUPT ? STORE_OK : status;
}
