/*
 * Testing one message after the other.  A program is evaluated up to twice: first with the keys that the
 * state, the content's row and the header block decide, and only if that leaves it open with the body.  What
 * a leaf has said is kept for the second time.  Worker.
 */
#include "search_match.h"

#include <stdlib.h>

#include "base/memory.h"

void
search_matcher_init(struct search_matcher *matcher, const struct search_program *program)
{
	*matcher = (struct search_matcher){ .program = program };
	matcher->scratch = memory_new(program->search->node_count);
	matcher->known = memory_new(program->search->node_count);
	search_text_init(&matcher->text);
}

void
search_matcher_fini(struct search_matcher *matcher)
{
	free(matcher->scratch);
	free(matcher->known);
	buffer_free(&matcher->header);
	search_text_fini(&matcher->text);
}

static bool
on_content(const struct store_content *content, void *context)
{
	struct search_matcher *matcher = context;

	matcher->header_length = content->header_length;
	matcher->has_sent_date = content->has_sent_date;
	matcher->sent_day = content->sent_day;
	return true;
}

/* Know the content's row. */
static bool
load_content(struct search_matcher *matcher)
{
	if (matcher->status == STORE_OK && !matcher->has_content)
		matcher->status = store_content_each(matcher->store, &matcher->message->message.content_id, 1, 0,
		    on_content, matcher);
	matcher->has_content = true;
	return matcher->status == STORE_OK;
}

/* Know the header block. */
static bool
load_header(struct search_matcher *matcher)
{
	if (!load_content(matcher))
		return false;
	if (!matcher->has_header) {
		buffer_clear(&matcher->header);
		matcher->status = store_read_octets(matcher->store, matcher->message->message.content_id, 0,
		    matcher->header_length, &matcher->header);
	}
	matcher->has_header = true;
	return matcher->status == STORE_OK;
}

static bool
test_sent(struct search_matcher *matcher, const struct imap_search_node *leaf)
{
	if (!load_content(matcher) || !matcher->has_sent_date)
		return false;
	if (leaf->key == IMAP_SEARCH_SENTBEFORE)
		return matcher->sent_day < leaf->days;
	if (leaf->key == IMAP_SEARCH_SENTON)
		return matcher->sent_day == leaf->days;
	return matcher->sent_day >= leaf->days;
}

static bool
test_body(struct search_matcher *matcher, struct span needle, bool with_header)
{
	bool is_found = false;

	if (matcher->status == STORE_OK)
		matcher->status = search_text_find(&matcher->text, matcher->store,
		    matcher->message->message.content_id, needle, with_header, &is_found);
	return is_found;
}

static bool
test_leaf(struct search_matcher *matcher, const struct imap_search_node *leaf)
{
	struct span needle = buffer_span(&matcher->program->nodes[leaf - matcher->program->search->nodes].needle);

	switch (leaf->key) {
	case IMAP_SEARCH_SENTBEFORE:
	case IMAP_SEARCH_SENTON:
	case IMAP_SEARCH_SENTSINCE:
		return test_sent(matcher, leaf);
	case IMAP_SEARCH_HEADER:
		return load_header(matcher) && search_text_header(buffer_span(&matcher->header), leaf->field, needle);
	case IMAP_SEARCH_BODY:
		return test_body(matcher, needle, false);
	case IMAP_SEARCH_TEXT:
		return test_body(matcher, needle, true);
	default:
		return false;
	}
}

static enum imap_truth
test(const struct imap_search_node *leaf, void *context)
{
	struct search_matcher *matcher = context;
	uint8_t *known = &matcher->known[leaf - matcher->program->search->nodes];

	if (leaf->cost == IMAP_COST_STATE)
		return search_test_state(matcher->program, leaf, matcher->message);
	if (*known == IMAP_UNKNOWN && leaf->cost <= matcher->cost_max)
		*known = test_leaf(matcher, leaf) ? IMAP_TRUE : IMAP_FALSE;
	return (enum imap_truth)*known;
}

enum store_status
search_match(struct search_matcher *matcher, struct store *store, const struct search_message *message,
    bool *is_match_out)
{
	const struct imap_search *search = matcher->program->search;
	enum imap_truth truth = IMAP_UNKNOWN;

	matcher->store = store;
	matcher->message = message;
	matcher->status = STORE_OK;
	matcher->has_content = matcher->has_header = false;
	memset(matcher->known, IMAP_UNKNOWN, search->node_count);
	search_text_restart(&matcher->text);
	for (matcher->cost_max = IMAP_COST_HEADER; truth == IMAP_UNKNOWN && matcher->cost_max <= IMAP_COST_BODY;
	    matcher->cost_max++)
		truth = imap_search_evaluate(search, test, matcher, matcher->scratch);
	if (matcher->status == STORE_OK)
		*is_match_out = truth == IMAP_TRUE;
	return matcher->status;
}
