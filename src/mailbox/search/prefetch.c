/*
 * A walk over the rows of searchable.  Worker.
 */
#include "prefetch.h"

#include "../shared/insight.h"
#include "base/clock.h"
#include "mime/fold.h"
#include "mime/signature.h"
#include "store/searchable.h"

#define BATCH 64		/* between two looks at the clock */

struct prefetch {
	const struct search_program *program;
	struct search_message *messages;
	uint64_t version;		/* of texts that are as we would make them */
};

static bool
on_row(size_t place, const struct store_searchable *row, void *context)
{
	const struct prefetch *prefetch = context;
	const struct search_program *program = prefetch->program;
	struct search_message *message = &prefetch->messages[place];

	if (row == NULL)
		return true;
	message->sent_day = row->has_sent_date ? row->sent_day : INSIGHT_NEVER_SENT;
	if (row->version != prefetch->version)
		return true;
	for (size_t i = 0; i < program->slot_count; i++) {
		const struct search_node *node = &program->nodes[program->slots[i]];

		if (!node->is_kept || message->truths[i] != IMAP_UNKNOWN)
			continue;
		message->truths[i] = row->texts[node->kept].at != NULL &&
		    mime_fold_contains(row->texts[node->kept], buffer_span(&node->needle)) ? IMAP_TRUE : IMAP_FALSE;
	}
	return true;
}

/* Which texts have to be read; 0 and no sent day: nothing has. */
static unsigned
texts_of(const struct search_program *program)
{
	unsigned texts = 0;

	for (size_t i = 0; i < program->slot_count; i++)
		if (program->nodes[program->slots[i]].is_kept)
			texts |= 1u << program->nodes[program->slots[i]].kept;
	return texts;
}

enum store_status
search_prefetch(const struct search_program *program, struct store *store, struct search_message *messages,
    size_t count, uint64_t until_us, size_t *done)
{
	unsigned texts = texts_of(program);
	enum store_status status = STORE_OK;

	if (texts == 0 && !program->asks_sent_day)
		*done = count;
	while (*done < count && status == STORE_OK && clock_monotonic_us() < until_us) {
		struct prefetch prefetch = { program, messages + *done, mime_signature_version() };
		uint64_t content_ids[BATCH];
		size_t i;

		for (i = 0; i < BATCH && *done + i < count; i++)
			content_ids[i] = prefetch.messages[i].message.content_id;
		status = store_searchable_each(store, content_ids, i, texts, on_row, &prefetch);
		*done += i;
	}
	return status;
}
