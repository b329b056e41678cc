/*
 * Rendering and storing of messages.  Workers.
 */
#include "../shared/ordering.h"
#include "../shared/searchable.h"
#include "base/checksum.h"
#include "base/memory.h"
#include "incoming.h"
#include "lmtp/trace.h"
#include "mime/parts.h"

#define PACKED_MAX ((uint64_t)1 << 20)	/* octets of bodies that are held in memory compressed; others in their transaction */

static void
render(struct incoming_message *message, bool is_delivered)
{
	if (is_delivered)
		message->octets = lmtp_trace_message(message->octets, &message->copy);
	else
		message->checksum = checksum_of(message->octets);
	imap_arrival_render(message->octets, &message->rendered);
}

/* Compress bodies while none waits for it, and all recipients of a message in one go. */
static void
pack(struct incoming *incoming)
{
	uint64_t left_octets = PACKED_MAX;

	for (size_t i = 0; i < incoming->count; i++) {
		struct incoming_message *message = &incoming->messages[i];
		struct span body = span_from(message->octets, message->rendered.header_length);

		if (body.length > left_octets)
			continue;
		left_octets -= body.length;
		store_pack(body, &message->packed);
	}
}

void
incoming_render(struct incoming *incoming)
{
	struct span contents;

	if (!spool_contents(incoming->spool, &contents))
		return;
	for (size_t i = 0; i < incoming->count; i++) {
		struct incoming_message *message = &incoming->messages[i];

		message->octets = span_slice(contents, message->offset, message->size_octets);
		render(message, incoming->is_delivered);
		spool_used(incoming->spool, message->offset + message->size_octets);
	}
	if (incoming->compression != STORE_COMPRESSION_NONE)
		pack(incoming);
	incoming->is_rendered = true;
}

void
incoming_fini(struct incoming *incoming)
{
	for (size_t i = 0; i < incoming->count; i++) {
		imap_arrival_fini(&incoming->messages[i].rendered);
		buffer_free(&incoming->messages[i].copy);
		store_packed_fini(&incoming->messages[i].packed);
	}
}

void
incoming_take_seen(struct incoming_message *message)
{
	message->is_marked = (message->flags & STORE_FLAG_SEEN) != 0;
	message->flags &= ~STORE_FLAG_SEEN;
}

bool
incoming_has_keywords(const struct incoming *incoming)
{
	for (size_t i = 0; i < incoming->count; i++)
		if (incoming->messages[i].keyword_count > 0)
			return true;
	return false;
}

/* Where the octets of a message that is being stored lie in the spool. */
struct place {
	struct spool *spool;
	uint64_t begin, trace_length;
};

static void
on_used(void *context, uint64_t octets)
{
	const struct place *place = context;

	if (octets > place->trace_length)
		spool_used(place->spool, place->begin + octets - place->trace_length);
}

/* What was rendered, as it is stored; borrowed from the message. */
static struct store_arrival
arrival_of(const struct incoming *incoming, const struct incoming_message *message, bool has_trace)
{
	const struct imap_arrival *rendered = &message->rendered;

	return (struct store_arrival){
		.internal_date_s = message->internal_date_s,
		.checksum = has_trace ? NULL : &message->checksum,
		.claims_recent = incoming->claims_recent,
		.compression = incoming->compression,
		.packed = message->packed.rows == NULL ? NULL : &message->packed,
		.envelope = buffer_span(&rendered->envelope),
		.body = buffer_span(&rendered->body),
		.bodystructure = buffer_span(&rendered->bodystructure),
		.preview = buffer_span(&rendered->preview),
		.message_id = buffer_span(&rendered->message_id),
		.has_sent_date = rendered->has_sent_date,
		.sent_s = rendered->sent_s,
		.sent_day = rendered->sent_day,
	};
}

static enum store_status
store_one(const struct incoming *incoming, const struct incoming_message *message, struct span trace, struct store *store,
    uint64_t mailbox_id, struct store_message *result_out)
{
	const struct imap_arrival *rendered = &message->rendered;
	struct span pieces[] = { trace, message->octets };
	struct store_ordering ordering = ordering_stored(&rendered->ordering);
	struct store_searchable searchable = searchable_stored(&rendered->searchable);
	struct place place = { incoming->spool, message->offset, trace.length };
	struct buffer parts = { 0 };
	struct store_arrival arrival = arrival_of(incoming, message, trace.length > 0);
	enum store_status status = STORE_OK;
	uint64_t keywords = 0;

	if (message->keyword_count > 0)
		status = store_keyword_flags(store, mailbox_id, message->keywords, message->keyword_count, &keywords);
	if (status != STORE_OK)
		return status;
	mime_parts_shift(buffer_span(&rendered->parts), (uint32_t)trace.length, &parts);
	arrival.pieces = pieces;
	arrival.piece_count = COUNT_OF(pieces);
	arrival.header_length = (uint32_t)trace.length + rendered->header_length;
	arrival.ordering = &ordering;
	arrival.searchable = rendered->has_searchable ? &searchable : NULL;
	arrival.parts = buffer_span(&parts);
	arrival.flags = message->flags | keywords;
	arrival.on_used = message->copy.length == 0 ? on_used : NULL;
	arrival.context = &place;
	status = store_append(store, mailbox_id, &arrival, result_out);
	buffer_free(&parts);
	return status;
}

static enum store_status
load_news(const struct incoming *incoming, struct store *store, uint64_t mailbox_id, const struct store_message *results,
    struct arena *arena, size_t known, struct store_keywords *news_out)
{
	uint64_t *flags = arena_alloc_array(arena, incoming->count + 1, sizeof *flags);

	for (size_t i = 0; i < incoming->count; i++)
		flags[i] = results[i].flags;
	return store_keyword_news(store, mailbox_id, known, flags, incoming->count, arena, news_out);
}

enum store_status
incoming_store(const struct incoming *incoming, struct span trace, struct store *store, uint64_t mailbox_id,
    struct store_message *results_out, struct arena *arena, size_t known_keywords, struct store_keywords *news_out)
{
	enum store_status status = STORE_OK;

	*news_out = (struct store_keywords){ 0 };
	if (!incoming->is_rendered)
		return STORE_UNAVAILABLE;
	for (size_t i = 0; i < incoming->count && status == STORE_OK; i++)
		status = store_one(incoming, &incoming->messages[i], trace, store, mailbox_id, &results_out[i]);
	if (status == STORE_OK && incoming_has_keywords(incoming))
		status = load_news(incoming, store, mailbox_id, results_out, arena, known_keywords, news_out);
	return status;
}
