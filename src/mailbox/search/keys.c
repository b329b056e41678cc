/*
 * Keys are read by the parser that reads a client's, and tested by the matcher that tests a mailbox's messages; the
 * mailbox is an empty one, whose keywords are those that the keys name.
 */
#include "keys.h"

#include <stdlib.h>

#include "../shared/insight.h"
#include "base/memory.h"
#include "imap/parser.h"

struct search_keys {
	struct imap_command_line *line;
	struct state state;		/* of no mailbox */
	struct view view;
	struct search_program program;
	struct search_matcher matcher;
};

static struct imap_command_line *
parse(struct span text)
{
	struct imap_parser *parser = imap_parser_new(&imap_limits_after_login);
	struct imap_command_line *line = NULL;
	struct buffer command = { 0 };
	struct imap_event event;
	struct span rest;

	buffer_add_string(&command, "k SEARCH CHARSET UTF-8 ");
	buffer_add_span(&command, text);
	buffer_add_string(&command, "\r\n");
	rest = buffer_span(&command);
	if (imap_parser_feed(parser, &rest, &event) == IMAP_EVENT_COMMAND)
		line = event.command;
	imap_parser_free(&parser);
	buffer_free(&command);
	if (line == NULL || (line->verb == IMAP_SEARCH && !line->search.has_unknown_charset && rest.length == 0))
		return line;
	imap_command_free(&line);
	return NULL;
}

/* Keywords beyond those that have a bit are found in no message. */
static void
learn_keywords(struct search_keys *keys)
{
	const struct imap_search *search = &keys->line->search;
	const char *names[STORE_KEYWORD_BITS];
	struct store_keywords news = { .names = names };

	for (size_t i = 0; i < search->node_count && news.count < STORE_KEYWORD_BITS; i++)
		if (search->nodes[i].key == IMAP_SEARCH_KEYWORD)
			names[news.count++] = arena_copy_string(keys->line->arena, search->nodes[i].text);
	keys->state.keywords = keywords_new();
	keywords_learn(&keys->state.keywords, &news);
}

struct search_keys *
search_keys_new(struct span text)
{
	static const struct imap_sequence nothing;
	struct imap_command_line *line = parse(text);
	struct search_keys *keys;

	if (line == NULL)
		return NULL;
	keys = NEW(struct search_keys);
	keys->line = line;
	keys->view.state = &keys->state;
	learn_keywords(keys);
	search_program_init(&keys->program, &line->search, &keys->view, &nothing);
	search_matcher_init(&keys->matcher, &keys->program);
	return keys;
}

void
search_keys_free(struct search_keys **keys)
{
	if (*keys == NULL)
		return;
	search_matcher_fini(&(*keys)->matcher);
	search_program_fini(&(*keys)->program);
	keywords_release(&(*keys)->state.keywords);
	imap_command_free(&(*keys)->line);
	free(*keys);
	*keys = NULL;
}

static uint64_t
bits_of(const struct search_keys *keys, const char *keywords)
{
	struct span rest = keywords == NULL ? SPAN("") : span_from_string(keywords);
	const struct imap_keywords *known = &keys->program.known;
	uint64_t bits = 0;

	while (rest.length > 0) {
		size_t length = span_find(rest, ' ');

		for (size_t i = 0; i < known->count; i++)
			if (span_equals_nocase(known->names[i], span_slice(rest, 0, length)))
				bits |= UINT64_C(1) << (STORE_KEYWORD_BIT_MIN + i);
		rest = span_from(rest, length + 1);
	}
	return bits;
}

enum store_status
search_keys_match(struct search_keys *keys, struct store *store, const struct store_message *message,
    const char *keywords, bool *is_match_out)
{
	uint8_t truths[SEARCH_SLOTS_MAX];
	struct search_message tested = { .message = *message, .sent_day = INSIGHT_NOT_KNOWN, .truths = truths };
	bool is_decided;

	memset(truths, IMAP_UNKNOWN, sizeof truths);
	tested.message.flags |= bits_of(keys, keywords);
	return search_match(&keys->matcher, store, &tested, UINT64_MAX, is_match_out, &is_decided);
}
