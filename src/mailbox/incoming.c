/*
 * Rendering and storing of messages.  Workers.
 */
#include "base/digest.h"
#include "incoming.h"

void
incoming_render(struct incoming *incoming)
{
	struct span contents;

	if (!spool_contents(incoming->spool, &contents))
		return;
	for (size_t i = 0; i < incoming->count; i++) {
		struct incoming_message *message = &incoming->messages[i];
		struct span octets = span_slice(contents, message->offset, message->size_octets);

		arrival_render(octets, incoming->arena, &message->arrival);
		digest_sha256(octets, message->sha256);
		message->arrival.sha256 = message->sha256;
		message->arrival.internal_date_s = message->internal_date_s;
	}
	incoming->is_rendered = true;
}

bool
incoming_has_keywords(const struct incoming *incoming)
{
	for (size_t i = 0; i < incoming->count; i++)
		if (incoming->messages[i].keyword_count > 0)
			return true;
	return false;
}

static enum store_status
store_one(const struct incoming_message *message, struct store *store, uint64_t mailbox_id,
    struct store_message *result_out)
{
	struct store_arrival arrival = message->arrival;
	enum store_status status = STORE_OK;
	uint64_t keywords = 0;

	if (message->keyword_count > 0)
		status = store_keyword_flags(store, mailbox_id, message->keywords, message->keyword_count, true,
		    &keywords);
	if (status != STORE_OK)
		return status;
	arrival.flags = message->flags | keywords;
	return store_append(store, mailbox_id, &arrival, result_out);
}

enum store_status
incoming_store(const struct incoming *incoming, struct store *store, uint64_t mailbox_id,
    struct store_message *results_out, struct arena *arena, struct store_keywords *keywords_out)
{
	enum store_status status = STORE_OK;

	if (!incoming->is_rendered)
		return STORE_UNAVAILABLE;
	for (size_t i = 0; i < incoming->count && status == STORE_OK; i++)
		status = store_one(&incoming->messages[i], store, mailbox_id, &results_out[i]);
	if (status == STORE_OK && incoming_has_keywords(incoming))
		status = store_keyword_list(store, mailbox_id, arena, keywords_out);
	return status;
}
