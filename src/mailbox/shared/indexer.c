/*
 * Making the index.  A message that takes longer than a slice goes on in the next.  Worker.
 */
#include "indexer.h"

#include <assert.h>

#include "base/clock.h"
#include "mime/signature.h"
#include "searchable.h"
#include "store/training.h"

static_assert(MIME_SIGNATURE_BUCKETS == STORE_INDEX_BUCKETS, "a signature is a slot");

#define FULL_OCTETS (MIME_SIGNATURE_TEXT_OCTETS * 7 / 8)	/* at a message's end: the next one is not cut for so little */

void
indexer_reset(struct indexer *indexer)
{
	message_text_fini(&indexer->message);
	indexer->content_id = 0;
}

static struct mime_signature *
signature_of(struct store_index_slot *slot)
{
	return (struct mime_signature *)slot->bits;
}

static enum store_status
add_piece(struct indexer *indexer, struct store *store, struct store_indexing *indexing,
    const struct mime_text_piece *piece)
{
	unsigned place = piece->is_header ? 0 : 1;
	struct store_index_slot *slot = &indexing->open[place];
	struct span text = piece->folded;
	enum store_status status = STORE_OK;
	bool is_full = text.length >= 3;	/* less has no trigram */

	while (status == STORE_OK && is_full) {
		store_indexing_note(indexing, place, indexer->content_id);
		if ((is_full = mime_signature_fill(signature_of(slot), &slot->octets, &text)))
			status = store_indexing_close(store, indexing, place);
	}
	return status;
}

/* What cannot be read is a candidate for every key, so that looking at it says that it cannot be read. */
static enum store_status
add_everything(struct indexer *indexer, struct store *store, struct store_indexing *indexing)
{
	enum store_status status = STORE_OK;

	for (unsigned place = 0; status == STORE_OK && place < STORE_INDEX_TEXTS; place++) {
		memset(indexing->open[place].bits, 0xff, sizeof indexing->open[place].bits);
		store_indexing_note(indexing, place, indexer->content_id);
		status = store_indexing_close(store, indexing, place);
	}
	return status;
}

/* The message is done. */
static enum store_status
finish(struct indexer *indexer, struct store *store, struct store_indexing *indexing)
{
	enum store_status status = indexer->message.status;

	if (status == STORE_NOT_FOUND)
		status = STORE_OK;
	else if (status == STORE_CORRUPT)
		status = add_everything(indexer, store, indexing);
	for (unsigned place = 0; status == STORE_OK && place < STORE_INDEX_TEXTS; place++)
		if (indexing->open[place].octets >= FULL_OCTETS)
			status = store_indexing_close(store, indexing, place);
	if (status == STORE_OK)
		status = store_indexing_done(store, indexing, indexer->content_id);
	indexer_reset(indexer);
	return status;
}

/* Begin with the next message, unless one has been begun.  STORE_NOT_FOUND: there is none. */
static enum store_status
begin_message(struct indexer *indexer, struct store *store, struct store_indexing *indexing)
{
	enum store_status status;

	if (indexer->content_id != 0)
		return STORE_OK;
	if ((status = store_indexing_next(store, indexing, &indexer->content_id)) != STORE_OK)
		return status;
	indexer->message.store = store;
	indexer->message.status = searchable_make(store, indexer->content_id);
	if (indexer->message.status != STORE_OK || !message_text_init(&indexer->message, indexer->content_id, MIME_SIGNATURE_OVERLAP))
		return finish(indexer, store, indexing);
	return STORE_OK;
}

static enum store_status
add_messages(struct indexer *indexer, struct store *store, struct store_indexing *indexing, uint64_t until_us)
{
	struct mime_text_piece piece;
	enum store_status status;

	do {
		if ((status = begin_message(indexer, store, indexing)) != STORE_OK)
			return status;
		if (indexer->content_id == 0)
			continue;
		indexer->message.store = store;
		if (message_text_next(&indexer->message, &piece))
			status = add_piece(indexer, store, indexing, &piece);
		else
			status = finish(indexer, store, indexing);
	} while (status == STORE_OK && clock_monotonic_us() < until_us);
	return status;
}

/* STORE_NOT_FOUND: all messages are in. */
static enum store_status
index_messages(struct indexer *indexer, struct store *store, uint64_t until_us)
{
	enum store_status status, ended;
	struct store_indexing indexing;

	status = store_indexing_begin(store, indexer->version, &indexing);
	if (status == STORE_OK) {
		if (indexer->opening != indexing.opening || indexer->generation != indexing.generation)
			indexer_reset(indexer);
		indexer->opening = indexing.opening;
		indexer->generation = indexing.generation;
		status = add_messages(indexer, store, &indexing, until_us);
	}
	if (status == STORE_OK || status == STORE_NOT_FOUND) {
		ended = store_indexing_end(store, &indexing);
		status = ended != STORE_OK ? ended : status;
	}
	store_indexing_fini(&indexing);
	return status;
}

/* Blocks are put together as messages come in, in half of the time. */
static enum store_status
tend(struct store *store, uint64_t until_us, bool *is_more_out)
{
	enum store_status status;

	do
		status = store_index_tend(store, is_more_out);
	while (status == STORE_OK && *is_more_out && clock_monotonic_us() < until_us);
	return status;
}

static enum store_status
run(struct indexer *indexer, struct store *store, uint64_t until_us, bool *is_more_out)
{
	uint64_t now_us = clock_monotonic_us();
	enum store_status status;

	status = tend(store, now_us + (until_us > now_us ? (until_us - now_us) / 2 : 0), is_more_out);
	if (status != STORE_OK)
		return status;
	status = index_messages(indexer, store, until_us);
	*is_more_out = *is_more_out || status == STORE_OK || store_index_backlog(store) > 0;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* An index that is damaged in itself is made anew, once: then it is the file that is damaged. */
enum store_status
indexer_run(struct indexer *indexer, struct store *store, uint64_t until_us, bool *is_more_out)
{
	enum store_status status;

	if (!store_index_has_room(store))
		return STORE_LIMIT;
	if (store_is_training_due(store)) {
		*is_more_out = true;
		return store_train(store);
	}
	if (indexer->version == 0)
		indexer->version = mime_signature_version();
	status = run(indexer, store, until_us, is_more_out);
	if (status != STORE_CORRUPT || indexer->has_dropped)
		return status;
	indexer_reset(indexer);
	indexer->has_dropped = *is_more_out = true;
	return store_index_drop(store);
}
