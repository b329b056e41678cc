/*
 * Flags and keywords of c-client.
 */
#include "cclient.h"

#include "base/memory.h"

void
cclient_keywords_add(struct cclient_keywords *keywords, struct span name)
{
	if (keywords->count < CCLIENT_KEYWORDS_MAX)
		buffer_add_span(&keywords->names[keywords->count++], name);
}

void
cclient_keywords_free(struct cclient_keywords *keywords)
{
	for (size_t i = 0; i < keywords->count; i++)
		buffer_free(&keywords->names[i]);
	keywords->count = 0;
}

static bool
add_keyword(struct message *message, const struct cclient_keywords *keywords, size_t bit)
{
	return bit < keywords->count && message_add_keyword(message, buffer_span(&keywords->names[bit]));
}

void
cclient_take(struct source *source, struct message *message, const struct cclient_keywords *keywords,
    uint32_t keyword_bits, uint32_t flag_bits)
{
	static const struct {
		uint32_t bit;
		unsigned flag;
	} flags[] = { { 0x01, FLAG_SEEN }, { 0x02, FLAG_DELETED }, { 0x04, FLAG_FLAGGED }, { 0x08, FLAG_ANSWERED },
		{ 0x20, FLAG_DRAFT } };

	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		if ((flag_bits & flags[i].bit) != 0)
			message->flags |= flags[i].flag;
	}
	for (size_t bit = 0; bit < 32; bit++) {
		if ((keyword_bits >> bit & 1) != 0 && !add_keyword(message, keywords, bit))
			source_note(source, NOTE_NOT_TAKEN_OVER, SPAN("a keyword whose name is lost"),
			    buffer_span(&message->origin));
	}
}
