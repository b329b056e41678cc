/*
 * Copying and moving: new rows for the same content.  Worker threads.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"

/* Which bit of the target each bit of the source becomes: only bits that some message has. */
static enum store_status
map_keywords(struct store *store, uint64_t from_id, uint64_t to_id, uint64_t used,
    uint64_t map_out[STORE_KEYWORD_BIT_MAX + 1])
{
	struct arena *arena = arena_new();
	struct store_keywords keywords;
	enum store_status status;

	status = store_keyword_list(store, from_id, arena, &keywords);
	for (int bit = 0; status == STORE_OK && bit <= STORE_KEYWORD_BIT_MAX; bit++) {
		map_out[bit] = UINT64_C(1) << bit;
		if (bit < STORE_KEYWORD_BIT_MIN || (used >> bit & 1) == 0 || from_id == to_id)
			continue;
		map_out[bit] = 0;
		if (keywords.names[bit] != NULL) {
			struct span name = span_from_string(keywords.names[bit]);

			status = store_keyword_flags(store, to_id, &name, 1, true, &map_out[bit]);
		}
	}
	arena_free(&arena);
	return status;
}

static uint64_t
map_flags(uint64_t flags, const uint64_t map[STORE_KEYWORD_BIT_MAX + 1])
{
	uint64_t mapped = flags & STORE_FLAGS_SYSTEM;

	for (int bit = STORE_KEYWORD_BIT_MIN; bit <= STORE_KEYWORD_BIT_MAX && flags >> bit != 0;
	     bit++)
		if ((flags >> bit & 1) != 0)
			mapped |= map[bit];
	return mapped;
}

/* Sum up what is to be copied: all its flags, all its octets. */
static uint64_t
measure(const struct store_rows *rows, uint64_t *flags_out)
{
	uint64_t size_octets = 0;

	*flags_out = 0;
	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].is_wanted) {
			*flags_out |= rows->rows[i].message.flags;
			size_octets += rows->rows[i].message.size;
		}
	return size_octets;
}

static enum store_status
insert_copies(struct store *store, const struct store_rows *rows, const uint64_t *map,
    struct store_tally *tally, struct store_copied *copies_out, size_t *copied_out)
{
	int64_t now_s = clock_calendar_s();
	enum store_status status = STORE_OK;
	size_t copied = 0;

	for (size_t i = 0; i < rows->count; i++) {
		struct store_message message = rows->rows[i].message;

		if (!rows->rows[i].is_wanted)
			continue;
		message.flags = map_flags(message.flags, map);
		message.modseq = tally->modseq;
		if ((status = store_tally_take_uid(tally, &message.uid)) != STORE_OK ||
		    (status = store_message_insert(store, tally->mailbox_id, &message, now_s)) !=
			STORE_OK)
			return status;
		store_tally_count(tally, &message, 1);
		copies_out[copied++] = (struct store_copied){ rows->rows[i].message.uid, message };
	}
	*copied_out = copied;
	return status;
}

/* Give the rows of the source new ones in the target. */
static enum store_status
copy_rows(struct store *store, uint64_t from_id, uint64_t to_id, const struct store_rows *rows,
    struct store_copied *copies_out, size_t *copied_out)
{
	uint64_t map[STORE_KEYWORD_BIT_MAX + 1], used;
	struct store_tally tally;
	enum store_status status;

	measure(rows, &used);
	if ((status = store_tally_begin(store, to_id, &tally)) != STORE_OK ||
	    (status = map_keywords(store, from_id, to_id, used, map)) != STORE_OK ||
	    (status = insert_copies(store, rows, map, &tally, copies_out, copied_out)) != STORE_OK)
		return status;
	return *copied_out == 0 ? STORE_OK : store_tally_end(store, &tally);
}

/* Load the rows of the source; STORE_NOT_FOUND when the mailbox is gone. */
static enum store_status
load_source(struct store *store, uint64_t from_id, const uint32_t *uids, size_t count,
    struct store_rows *rows)
{
	struct store_tally source;
	enum store_status status;

	if ((status = store_enter(store)) != STORE_OK ||
	    (status = store_tally_begin(store, from_id, &source)) != STORE_OK)
		return status;
	return store_rows_init(store, from_id, uids, count, rows);
}

enum store_status
store_copy(struct store *store, uint64_t from_id, uint64_t to_id, const uint32_t *uids,
    size_t count, struct store_copied *copies_out, size_t *copied_out)
{
	struct store_rows rows = { 0 };
	enum store_status status;
	size_t copied = 0;
	uint64_t used;

	if ((status = load_source(store, from_id, uids, count, &rows)) != STORE_OK ||
	    (status = store_check_quota(store, measure(&rows, &used))) != STORE_OK)
		goto out;
	status = copy_rows(store, from_id, to_id, &rows, copies_out, &copied);
	for (size_t i = 0; status == STORE_OK && i < copied; i++)
		status = store_content_share(store, copies_out[i].message.content_id);
	if (status == STORE_OK)
		*copied_out = copied;
out:
	store_rows_fini(&rows);
	return status;
}

enum store_status
store_move(struct store *store, uint64_t from_id, uint64_t to_id, const uint32_t *uids,
    size_t count, struct store_copied *copies_out, size_t *moved_out, uint64_t *source_modseq_out)
{
	struct store_rows rows = { 0 };
	struct store_tally source;
	enum store_status status;
	size_t moved = 0;

	if ((status = load_source(store, from_id, uids, count, &rows)) != STORE_OK ||
	    (status = copy_rows(store, from_id, to_id, &rows, copies_out, &moved)) != STORE_OK ||
	    (status = store_tally_begin(store, from_id, &source)) != STORE_OK)
		goto out;
	if (moved > 0) {
		if ((status = store_rows_expunge(store, &rows, &source)) != STORE_OK ||
		    (status = store_tally_end(store, &source)) != STORE_OK)
			goto out;
	}
	*moved_out = moved;
	*source_modseq_out = moved > 0 ? source.modseq : source.modseq - 1;
out:
	store_rows_fini(&rows);
	return status;
}
