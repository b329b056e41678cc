/*
 * Copying and moving: new rows for the same content.  Worker threads.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"

/* From one mailbox to another, whose keywords have numbers of their own. */
struct mapping {
	struct store *store;
	uint64_t from_id, to_id;
	struct arena *arena;
	struct store_keywords source;	/* the names of the source */
	struct store_words words;	/* of the target, by those of the source */
};

static enum store_status
mapping_init(struct mapping *mapping, struct store *store, uint64_t from_id, uint64_t to_id)
{
	*mapping = (struct mapping){ .store = store, .from_id = from_id, .to_id = to_id, .arena = arena_new() };
	store_words_init(&mapping->words);
	return from_id == to_id ? STORE_OK : store_keyword_list(store, from_id, mapping->arena, &mapping->source);
}

static void
mapping_fini(struct mapping *mapping)
{
	arena_free(&mapping->arena);
	store_words_fini(&mapping->words);
}

/* The word of the target for the keywords with these numbers in the source; those without a name are left out. */
static enum store_status
map_numbers(struct mapping *mapping, const uint16_t *numbers, size_t count, uint64_t *word_out)
{
	struct span *names = arena_alloc_array(mapping->arena, count + 1, sizeof *names);
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (numbers[i] < mapping->source.count && mapping->source.names[numbers[i]] != NULL)
			names[kept++] = span_from_string(mapping->source.names[numbers[i]]);
	return store_keyword_flags(mapping->store, mapping->to_id, names, kept, word_out);
}

static enum store_status
map_flags(struct mapping *mapping, uint64_t *flags)
{
	uint64_t system = *flags & STORE_FLAGS_SYSTEM, word = *flags & ~STORE_FLAGS_SYSTEM, mapped = word;
	uint16_t numbers[STORE_KEYWORDS_MAX];
	enum store_status status;
	size_t count;

	if (word != 0 && mapping->from_id != mapping->to_id &&
	    !store_words_find(&mapping->words, word, &mapped)) {
		if ((status = store_word_expand(mapping->store, word, numbers, &count)) != STORE_OK ||
		    (status = map_numbers(mapping, numbers, count, &mapped)) != STORE_OK)
			return status;
		store_words_add(&mapping->words, word, mapped);
	}
	*flags = system | mapped;
	return STORE_OK;
}

/* Sum up what is to be copied. */
static struct store_amounts
measure(const struct store_rows *rows)
{
	struct store_amounts sum = { { 0, 0, 0 } };

	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].is_wanted) {
			sum.of[STORE_RESOURCE_STORAGE] += rows->rows[i].message.size;
			sum.of[STORE_RESOURCE_MESSAGE]++;
		}
	return sum;
}

static enum store_status
insert_copies(struct store *store, const struct store_rows *rows, struct mapping *mapping,
    struct store_tally *tally, struct store_copied *copies_out, size_t *copied_out)
{
	int64_t now_s = clock_calendar_s();
	enum store_status status = STORE_OK;
	size_t copied = 0;

	for (size_t i = 0; i < rows->count; i++) {
		struct store_message message = rows->rows[i].message;

		if (!rows->rows[i].is_wanted)
			continue;
		message.modseq = tally->modseq;
		if ((status = map_flags(mapping, &message.flags)) != STORE_OK ||
		    (status = store_tally_take_uid(tally, &message.uid)) != STORE_OK ||
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
	struct mapping mapping;
	struct store_tally tally;
	enum store_status status;

	if ((status = mapping_init(&mapping, store, from_id, to_id)) == STORE_OK &&
	    (status = store_tally_begin(store, to_id, &tally)) == STORE_OK)
		status = insert_copies(store, rows, &mapping, &tally, copies_out, copied_out);
	if (status == STORE_OK && *copied_out > 0)
		status = store_tally_end(store, &tally);
	mapping_fini(&mapping);
	return status;
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
	struct store_amounts added;
	enum store_status status;
	size_t copied = 0;

	if ((status = load_source(store, from_id, uids, count, &rows)) != STORE_OK)
		goto out;
	added = measure(&rows);
	if ((status = store_spend_quota(store, &added)) != STORE_OK)
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
