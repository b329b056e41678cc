/*
 * Making dictionaries.  It takes samples of the latest messages, as what comes is like these, and keeps some back to
 * see whether a new dictionary makes them shorter than the one there is.  Worker threads.
 */
#include "train.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/memory.h"
#include "store/content.h"
#include "store/ordering.h"
#include "store/searchable.h"
#include "store/training.h"
#include "trained.h"

#define FIRST_CONTENTS	  512	/* before, there is little to be learnt */
#define GROWTH		  9	/* so many times as many messages have to come, for another one */
#define LATEST_CONTENTS	  16384	/* samples are taken of these */
#define SAMPLED_CONTENTS  512
#define TESTED_CONTENTS	  64	/* of them, kept back */
#define SAMPLES_OCTETS	  (1024 * 1024)
#define SAMPLE_OCTETS	  4096	/* of a header block or a body */
#define DICTIONARY_OCTETS (64 * 1024)
#define SAMPLES_FOR_OCTET 8	/* of a dictionary */

/* Samples, one behind the other. */
struct samples {
	struct buffer octets;
	size_t *lengths, count, capacity;
};

static void
samples_fini(struct samples *samples)
{
	buffer_free(&samples->octets);
	free(samples->lengths);
}

/* What was added to the octets is a sample. */
static void
samples_end(struct samples *samples, size_t begun)
{
	if (samples->octets.length == begun)
		return;
	if (samples->count == samples->capacity) {
		samples->capacity = samples->capacity == 0 ? 1024 : samples->capacity * 2;
		samples->lengths = memory_resize(samples->lengths, samples->capacity, sizeof *samples->lengths);
	}
	samples->lengths[samples->count++] = samples->octets.length - begun;
}

enum store_status
train_open(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT through + ?1 * messages FROM dictionary WHERE encoding >= 16 ORDER BY encoding DESC LIMIT 1");
	enum store_status status;

	sql_bind_number(query, 1, GROWTH);
	status = store_row(query);
	store->training_after = status == STORE_OK ? (uint64_t)sql_column_number(query, 0) : FIRST_CONTENTS;
	sql_reset(query);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

bool
store_is_training_due(const struct store *store)
{
	return store->has_packed && store->content_last >= store->training_after;
}

static bool
on_content(const struct store_content *content, void *context)
{
	struct samples *samples = context;
	size_t begun = samples->octets.length;

	buffer_add_span(&samples->octets, content->envelope);
	samples_end(samples, begun);
	begun = samples->octets.length;
	buffer_add_span(&samples->octets, content->body);
	buffer_add_span(&samples->octets, content->bodystructure);
	buffer_add_span(&samples->octets, content->parts);
	buffer_add_span(&samples->octets, content->message_id);
	buffer_add_span(&samples->octets, content->preview);
	samples_end(samples, begun);
	return true;
}

static bool
on_ordering(size_t place, const struct store_ordering *ordering, void *context)
{
	struct samples *samples = context;
	size_t begun = samples->octets.length;

	(void)place;
	if (ordering == NULL)
		return true;
	buffer_add_span(&samples->octets, ordering->subject);
	buffer_add_span(&samples->octets, ordering->from);
	buffer_add_span(&samples->octets, ordering->to);
	buffer_add_span(&samples->octets, ordering->cc);
	buffer_add_span(&samples->octets, ordering->from_name);
	buffer_add_span(&samples->octets, ordering->to_name);
	samples_end(samples, begun);
	return true;
}

static bool
on_searchable(size_t place, const struct store_searchable *searchable, void *context)
{
	struct samples *samples = context;
	size_t begun = samples->octets.length;

	(void)place;
	for (int i = 0; searchable != NULL && i < STORE_SEARCHABLE_COUNT; i++)
		buffer_add_span(&samples->octets, searchable->texts[i]);
	samples_end(samples, begun);
	return true;
}

static enum store_status
add_octets(struct store *store, uint64_t content_id, uint64_t offset, struct samples *samples)
{
	size_t begun = samples->octets.length;
	enum store_status status = store_read_octets(store, content_id, offset, SAMPLE_OCTETS, &samples->octets);

	samples_end(samples, begun);
	return status;
}

static bool
note_header_length(const struct store_content *content, void *context)
{
	*(uint32_t *)context = content->header_length;
	return true;
}

/* What cannot be read, or is gone, teaches nothing. */
static enum store_status
add_content(struct store *store, uint64_t id, struct samples *samples)
{
	const unsigned texts = STORE_CONTENT_ENVELOPE | STORE_CONTENT_BODY | STORE_CONTENT_BODYSTRUCTURE |
	    STORE_CONTENT_PARTS | STORE_CONTENT_MESSAGE_ID | STORE_CONTENT_PREVIEW;
	enum store_status status;
	uint32_t header_length;

	if ((status = store_content_each(store, &id, 1, texts, on_content, samples)) == STORE_OK &&
	    (status = store_ordering_each(store, &id, 1, STORE_ORDERING_ALL, on_ordering, samples)) == STORE_OK &&
	    (status = store_searchable_each(store, &id, 1, UINT32_MAX, on_searchable, samples)) == STORE_OK &&
	    (status = store_content_each(store, &id, 1, 0, note_header_length, &header_length)) == STORE_OK &&
	    (status = add_octets(store, id, 0, samples)) == STORE_OK)
		status = add_octets(store, id, header_length, samples);
	return status == STORE_CORRUPT || status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* Give ids of contents, spread over the latest; at most SAMPLED_CONTENTS. */
static enum store_status
choose(struct store *store, uint64_t *ids_out, size_t *count_out)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT id FROM content WHERE id > ?1 ORDER BY id LIMIT 1");
	uint64_t last = store->content_last;
	uint64_t first = last > LATEST_CONTENTS ? last - LATEST_CONTENTS : 0;
	enum store_status status = STORE_OK;
	uint64_t next = first;

	*count_out = 0;
	for (size_t i = 0; i < SAMPLED_CONTENTS && status == STORE_OK; i++) {
		uint64_t above = first + (last - first) * i / SAMPLED_CONTENTS;

		sql_bind_number(query, 1, above > next ? above : next);
		if ((status = store_row(query)) == STORE_OK)
			next = ids_out[(*count_out)++] = sql_column_number(query, 0);
		sql_reset(query);
	}
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* Some contents are for testing, the others for training. */
static enum store_status
collect(struct store *store, struct samples *training, struct samples *testing)
{
	uint64_t ids[SAMPLED_CONTENTS];
	enum store_status status;
	size_t count;

	status = choose(store, ids, &count);
	for (size_t i = 0; status == STORE_OK && i < count && training->octets.length < SAMPLES_OCTETS; i++)
		status = add_content(store, ids[i], i % (SAMPLED_CONTENTS / TESTED_CONTENTS) == 0 ? testing : training);
	return status;
}

/* How long the samples become; SIZE_MAX without a dictionary. */
static size_t
measure(const struct samples *samples, const struct codec_dictionary *dictionary)
{
	size_t at = 0, octets = 0;
	struct span packed;

	if (dictionary == NULL)
		return SIZE_MAX;
	for (size_t i = 0; i < samples->count; at += samples->lengths[i++]) {
		codec_pack_texts(dictionary, span_slice(buffer_span(&samples->octets), at, samples->lengths[i]), &packed);
		octets += packed.length;
	}
	return octets;
}

/* Whether a twentieth is saved. */
static enum store_status
is_better(struct store *store, struct span octets, const struct samples *testing, bool *is_better_out)
{
	struct codec_dictionary *made = codec_dictionary_new(ENCODING_TRAINED, octets, true);
	const struct codec_dictionary *newest;
	enum store_status status = trained_newest(store, &newest);
	size_t before, after;

	*is_better_out = false;
	if (status == STORE_OK && made != NULL) {
		before = measure(testing, newest);
		after = measure(testing, made);
		*is_better_out = after < before - before / 20;
	}
	codec_dictionary_free(&made);
	return status;
}

static enum store_status
keep(struct store *store, struct span octets)
{
	struct sql_statement *insert = sql_prepare(store->sql, "INSERT INTO dictionary (encoding, octets, sha256) "
	    "VALUES ((SELECT max(15, coalesce(max(encoding), 0)) + 1 FROM dictionary), ?1, ?2)");
	struct digest *digest = digest_new();
	uint8_t sha256[DIGEST_LENGTH];

	digest_add(digest, octets);
	digest_finish(&digest, sha256);
	sql_bind_blob(insert, 1, octets);
	sql_bind_blob(insert, 2, span_of(sha256, sizeof sha256));
	store->is_training = true;
	return store_run(insert);
}

/* The newest is good for so many messages, whether it was made now or is as good as that. */
static enum store_status
note(struct store *store)
{
	struct sql_statement *update = sql_prepare(store->sql, "UPDATE dictionary SET through = ?1, "
	    "messages = (SELECT sum(messages) FROM mailbox) WHERE encoding >= 16 "
	    "AND encoding = (SELECT max(encoding) FROM dictionary)");
	enum store_status status;

	sql_bind_number(update, 1, store->content_last);
	if ((status = store_run(update)) == STORE_OK)
		status = train_open(store);
	/* Few messages are left of many, or there is no dictionary: not at every turn again. */
	if (status == STORE_OK && store->training_after < store->content_last + FIRST_CONTENTS)
		store->training_after = store->content_last + FIRST_CONTENTS;
	return status;
}

enum store_status
store_train(struct store *store)
{
	struct samples training = { .count = 0 }, testing = { .count = 0 };
	struct buffer made = { 0 };
	enum store_status status = store_enter(store);
	size_t octets_max;
	bool is_wanted = false;

	if (status == STORE_OK)
		status = collect(store, &training, &testing);
	if (status == STORE_OK && training.count > 0) {
		octets_max = training.octets.length / SAMPLES_FOR_OCTET;
		codec_train(&training.octets, training.lengths, training.count,
		    octets_max < DICTIONARY_OCTETS ? octets_max : DICTIONARY_OCTETS, &made);
	}
	if (status == STORE_OK && made.length > 0)
		status = is_better(store, buffer_span(&made), &testing, &is_wanted);
	if (status == STORE_OK && is_wanted)
		status = keep(store, buffer_span(&made));
	if (status == STORE_OK)
		status = note(store);
	samples_fini(&training);
	samples_fini(&testing);
	buffer_free(&made);
	return status;
}
