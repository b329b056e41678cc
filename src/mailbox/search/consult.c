/*
 * Keys as buckets, and candidates as what is known to be false of all others.
 */
#include "consult.h"

#include <assert.h>

#include "base/clock.h"
#include "mime/signature.h"

#define MESSAGES_MIN 64		/* in a view: fewer are looked at as soon */
#define NEW_MIN	     256	/* contents since it was asked last */
#define SLICE_IDS    10000	/* noted in one turn of the loop */

static_assert(MIME_SIGNATURE_BUCKETS == STORE_INDEX_BUCKETS, "the keys' buckets are those of the index");

static uint64_t
newest_of(const struct view *view)
{
	struct view_message message;

	view_message(view, view_count(view), &message);
	return message.message.content_id;
}

bool
search_consult_begin(struct search_consult *consult, const struct search_recall *recall, const struct view *view)
{
	bool is_any = false;
	uint64_t newest;

	if (view_count(view) < MESSAGES_MIN)
		return false;
	newest = newest_of(view);
	for (size_t i = 0; i < recall->program->slot_count; i++) {
		uint64_t asked_through = recall->insights[i]->asked_through;

		consult->is_wanted[i] = asked_through == 0 || newest > asked_through + NEW_MIN;
		is_any = is_any || consult->is_wanted[i];
	}
	return is_any;
}

/* A body is looked through for BODY, a header for its fields, and both for TEXT. */
static unsigned
texts_of(enum imap_search_key key)
{
	if (key == IMAP_SEARCH_BODY)
		return STORE_INDEX_BODY;
	return key == IMAP_SEARCH_TEXT ? STORE_INDEX_HEADER | STORE_INDEX_BODY : STORE_INDEX_HEADER;
}

/* Ask for one key; a short one has no buckets. */
static enum store_status
ask(struct search_consult *consult, const struct search_program *program, struct store *store, uint64_t until_us,
    bool *is_whole_out)
{
	size_t node = program->slots[consult->slot];
	uint16_t buckets[MIME_SIGNATURE_KEY_BUCKETS];
	size_t count = mime_signature_key(buffer_span(&program->nodes[node].needle), buckets);

	*is_whole_out = count == 0;
	if (count == 0)
		return STORE_OK;
	consult->cursor.version = mime_signature_version();
	return store_index_find(store, texts_of(program->search->nodes[node].key), buckets, count, until_us,
	    &consult->cursor, &consult->found[consult->slot], is_whole_out);
}

enum store_status
search_consult_ask(struct search_consult *consult, const struct search_program *program, struct store *store,
    uint64_t until_us, bool *is_whole_out)
{
	enum store_status status = STORE_OK;
	bool is_whole;

	do {
		is_whole = true;
		if (consult->slot < program->slot_count && consult->is_wanted[consult->slot])
			status = ask(consult, program, store, until_us, &is_whole);
		if (is_whole && consult->slot < program->slot_count) {
			consult->slot++;
			consult->cursor = (struct store_index_cursor){ .version = 0 };
		}
	} while (status == STORE_OK && consult->slot < program->slot_count && clock_monotonic_us() < until_us);
	*is_whole_out = consult->slot == program->slot_count;
	if (*is_whole_out)
		consult->slot = 0;
	return status;
}

/* The ids from behind the last candidate that is noted to the end of the slice. */
static void
note_slice(struct search_consult *consult, struct insight *insight)
{
	const struct store_candidates *found = &consult->found[consult->slot];
	size_t left = found->count - consult->place, count = left < SLICE_IDS ? left : SLICE_IDS;
	uint64_t first = consult->place > 0 ? found->ids[consult->place - 1] + 1 : 1;
	uint64_t last = count < left ? found->ids[consult->place + count - 1] : found->indexed_through;

	if (first <= last)
		insight_note_false(insight, first, last, found->ids + consult->place, count);
	consult->place += count;
}

bool
search_consult_note(struct search_consult *consult, struct search_recall *recall)
{
	for (size_t noted = 0; consult->slot < recall->program->slot_count; noted++) {
		struct store_candidates *found = &consult->found[consult->slot];
		struct insight *insight = recall->insights[consult->slot];

		if (found->indexed_through > insight->asked_through) {
			if (noted > 0)
				return false;
			note_slice(consult, insight);
			if (consult->place < found->count)
				return false;
			insight->asked_through = found->indexed_through;
		}
		store_candidates_fini(found);
		consult->place = 0;
		consult->slot++;
	}
	return true;
}

void
search_consult_fini(struct search_consult *consult)
{
	for (size_t i = 0; i < SEARCH_SLOTS_MAX; i++)
		store_candidates_fini(&consult->found[i]);
}
