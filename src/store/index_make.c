/*
 * Making the index: the open slots are read, filled by the caller and written again, in one transaction with the mark
 * that says how far it has come.  Worker threads.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "index_block.h"

#define KEPT_FREE (UINT64_C(24) * 1024 * 1024)	/* octets of the disk that the index leaves, beyond what messages leave */

static enum store_status
run_all(struct store *store, const char *const *texts, size_t count)
{
	enum store_status status = STORE_OK;

	for (size_t i = 0; status == STORE_OK && i < count; i++)
		status = store_run(sql_prepare(store->sql, texts[i]));
	return status;
}

enum store_status
store_index_drop(struct store *store)
{
	static const char *const texts[] = {
		"UPDATE index_block SET state = 3, into_id = NULL",
		"DELETE FROM index_again",
		"UPDATE index_state SET version = 0, generation = generation + 1, indexed_through = 0",
	};
	enum store_status status = store_enter(store);

	if (status != STORE_OK)
		return status;
	store->indexed_through = 0;
	store->has_index_work = true;
	return run_all(store, texts, COUNT_OF(texts));
}

/* What is at hand, so that the first transaction need not look: about how much there is to do. */
enum store_status
store_index_open(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT coalesce((SELECT max(id) FROM content), 0), "
	    "coalesce((SELECT indexed_through FROM index_state), 0)");
	enum store_status status = store_row(query);
	static uint64_t openings;

	store->opening = __atomic_add_fetch(&openings, 1, __ATOMIC_RELAXED);
	if (status == STORE_OK) {
		store->content_last = sql_column_number(query, 0);
		store->indexed_through = sql_column_number(query, 1);
	}
	sql_reset(query);
	store->has_index_work = true;
	return status;
}

bool
store_index_has_room(struct store *store)
{
	return store_check_disk(store, KEPT_FREE) == STORE_OK;
}

uint64_t
store_index_backlog(const struct store *store)
{
	uint64_t contents = store->content_last > store->indexed_through ? store->content_last - store->indexed_through : 0;

	return contents + store->has_index_work;
}

static enum store_status
read_open(struct store *store, unsigned place, struct store_index_slot *slot)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id, octets FROM index_block WHERE kind = ?1 AND state = 0 LIMIT 1");
	struct buffer octets = { 0 };
	struct index_list list;
	enum store_status status;
	uint64_t count = 0;

	sql_bind_number(query, 1, 1 << place);
	if ((status = store_row(query)) == STORE_OK) {
		slot->block_id = sql_column_number(query, 0);
		slot->octets = sql_column_number(query, 1);
	}
	sql_reset(query);
	if (status != STORE_OK)
		return status == STORE_NOT_FOUND ? STORE_OK : status;
	if ((status = index_slot_read(store, slot->block_id, slot->bits)) == STORE_OK &&
	    (status = index_slots_read(store, slot->block_id, &octets)) == STORE_OK) {
		list = (struct index_list){ .octets = buffer_span(&octets) };
		if (index_list_slot(&list, &count) && count <= octets.length) {
			slot->ids = memory_new_array(count + 1, sizeof *slot->ids);
			slot->capacity = count + 1;
			while (index_list_next(&list, &slot->ids[slot->count]))
				slot->count++;
		}
	}
	buffer_free(&octets);
	return status == STORE_OK && slot->count != count ? STORE_CORRUPT : status;
}

/* No file begins with the number of another, which may have lain in its place. */
static uint64_t
next_generation(const struct index_state *state)
{
	uint32_t first;

	if (state->generation > 0)
		return state->generation + 1;
	random_fill(&first, sizeof first);
	return (uint64_t)first + 1;
}

enum store_status
store_indexing_begin(struct store *store, uint64_t version, struct store_indexing *indexing_out)
{
	struct index_state state = { .version = 0 };
	enum store_status status;

	*indexing_out = (struct store_indexing){ .indexed_through = 0 };
	assert(version > 0);
	if ((status = store_enter(store)) != STORE_OK)
		return status;
	status = index_state_get(store, &state);
	if (status == STORE_NOT_FOUND || (status == STORE_OK && state.version != version)) {
		if ((status = store_index_drop(store)) != STORE_OK)
			return status;
		state = (struct index_state){ .version = version, .generation = next_generation(&state) };
		status = index_state_set(store, &state);
	}
	indexing_out->opening = store->opening;
	indexing_out->generation = state.generation;
	indexing_out->indexed_through = state.indexed_through;
	for (unsigned place = 0; status == STORE_OK && place < STORE_INDEX_TEXTS; place++)
		status = read_open(store, place, &indexing_out->open[place]);
	return status;
}

void
store_indexing_fini(struct store_indexing *indexing)
{
	for (unsigned place = 0; place < STORE_INDEX_TEXTS; place++) {
		free(indexing->open[place].ids);
		indexing->open[place].ids = NULL;
	}
}

/* What is garbage is not indexed any more, and may be gone the next time. */
enum store_status
store_indexing_next(struct store *store, struct store_indexing *indexing, uint64_t *content_id_out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT min(content_id) FROM index_again HAVING count(*) > 0");
	enum store_status status = index_number(query, content_id_out);

	if (status != STORE_NOT_FOUND)
		return status;
	query = sql_prepare(store->sql, "SELECT id FROM content WHERE id > ?1 ORDER BY id LIMIT 1");
	sql_bind_number(query, 1, indexing->indexed_through);
	if ((status = index_number(query, content_id_out)) != STORE_NOT_FOUND)
		return status;
	store->content_last = indexing->indexed_through;
	return STORE_NOT_FOUND;
}

void
store_indexing_note(struct store_indexing *indexing, unsigned place, uint64_t content_id)
{
	struct store_index_slot *slot = &indexing->open[place];

	slot->is_changed = true;
	if (slot->count > 0 && slot->ids[slot->count - 1] == content_id)
		return;
	if (slot->count == slot->capacity) {
		slot->capacity = slot->capacity == 0 ? 8 : 2 * slot->capacity;
		slot->ids = memory_resize(slot->ids, slot->capacity, sizeof *slot->ids);
	}
	slot->ids[slot->count++] = content_id;
}

static enum store_status
write_slot(struct store *store, unsigned place, struct store_index_slot *slot, enum index_block_state state)
{
	struct index_block block = { .id = slot->block_id, .kind = 1u << place, .width = INDEX_WIDTH_SMALL, .state = state,
		.octets = slot->octets };
	struct buffer list = { 0 };
	enum store_status status;
	uint64_t last = 0;

	slot->count = index_ids_sort(slot->ids, slot->count);	/* what was indexed again lies below the others */
	block.contents = slot->count;
	if (slot->count > 0) {
		block.first_id = slot->ids[0];
		block.last_id = slot->ids[slot->count - 1];
	}
	index_list_add(&list, &last, slot->ids, slot->count);
	status = block.id == 0 ? index_block_insert(store, &block) : index_block_update(store, &block);
	slot->block_id = block.id;
	if (status == STORE_OK)
		status = index_slots_write(store, block.id, buffer_span(&list));
	for (unsigned i = 0; status == STORE_OK && i < INDEX_ROWS_OF_SLOT; i++)
		status = index_row_put(store, block.id, i * INDEX_BUCKETS_IN_ROW(INDEX_WIDTH_SMALL),
		    span_of(slot->bits + i * INDEX_ROW_OCTETS, INDEX_ROW_OCTETS), false);
	slot->is_changed = false;
	buffer_free(&list);
	return status;
}

enum store_status
store_indexing_close(struct store *store, struct store_indexing *indexing, unsigned place)
{
	struct store_index_slot *slot = &indexing->open[place];
	enum store_status status = write_slot(store, place, slot, INDEX_IN_USE);

	memset(slot->bits, 0, sizeof slot->bits);
	slot->octets = 0;
	slot->block_id = 0;
	slot->count = 0;
	store->has_index_work = true;
	return status;
}

enum store_status
store_indexing_done(struct store *store, struct store_indexing *indexing, uint64_t content_id)
{
	struct sql_statement *delete;

	if (content_id > indexing->indexed_through) {
		indexing->indexed_through = content_id;
		indexing->is_changed = true;
		return STORE_OK;
	}
	delete = sql_prepare(store->sql, "DELETE FROM index_again WHERE content_id = ?1");
	sql_bind_number(delete, 1, content_id);
	return store_run(delete);
}

enum store_status
store_indexing_end(struct store *store, struct store_indexing *indexing)
{
	enum store_status status = STORE_OK;
	struct sql_statement *update;

	for (unsigned place = 0; status == STORE_OK && place < STORE_INDEX_TEXTS; place++)
		if (indexing->open[place].is_changed)
			status = write_slot(store, place, &indexing->open[place], INDEX_OPEN);
	if (status != STORE_OK || !indexing->is_changed)
		return status;
	store->indexed_through = indexing->indexed_through;
	update = sql_prepare(store->sql, "UPDATE index_state SET indexed_through = ?1");
	sql_bind_number(update, 1, indexing->indexed_through);
	return store_run(update);
}
