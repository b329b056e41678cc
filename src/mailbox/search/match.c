/*
 * Testing one message after the other.  A program is evaluated up to twice: first with the keys that the
 * state, the content's row and the header block decide, and only if that leaves it open with the body.  What
 * a leaf has said is kept for the second time, and for the next job, if time is up.  Worker.
 */
#include "match.h"

#include <stdlib.h>

#include "../shared/insight.h"
#include "base/clock.h"
#include "base/memory.h"
#include "mime/signature.h"
#include "store/searchable.h"

void
search_matcher_init(struct search_matcher *matcher, const struct search_program *program)
{
	*matcher = (struct search_matcher){ .program = program };
	matcher->scratch = memory_new(program->search->node_count);
	matcher->known = memory_new(program->search->node_count);
}

void
search_matcher_fini(struct search_matcher *matcher)
{
	free(matcher->scratch);
	free(matcher->known);
	search_groups_fini(&matcher->groups);
	search_reading_fini(&matcher->reading);
	mime_searchable_fini(&matcher->kept);
	buffer_free(&matcher->header);
}

/* Know the header block. */
static bool
load_header(struct search_matcher *matcher)
{
	if (matcher->status == STORE_OK && !matcher->has_header) {
		buffer_clear(&matcher->header);
		matcher->status = store_read_header(matcher->store, matcher->message->message.content_id,
		    &matcher->header);
	}
	matcher->has_header = true;
	return matcher->status == STORE_OK;
}

#define MADE_TEXTS (MIME_SEARCHABLE_ALL & ~(1u << MIME_SEARCHABLE_MESSAGE_ID))

static bool
on_kept(size_t place, const struct store_searchable *row, void *context)
{
	struct search_matcher *matcher = context;

	(void)place;
	if (row == NULL)
		return true;
	matcher->has_content = true;
	matcher->has_sent_date = row->has_sent_date;
	matcher->sent_day = row->sent_day;
	matcher->has_row = row->version == mime_signature_version();
	if (!matcher->has_row)
		return true;
	for (unsigned i = 0; i < MIME_SEARCHABLE_COUNT; i++) {
		buffer_clear(&matcher->kept.texts[i]);
		buffer_add_span(&matcher->kept.texts[i], row->texts[i]);
		if (row->texts[i].at != NULL)
			matcher->kept.present |= 1u << i;
	}
	return true;
}

/* Know what is kept, if it is. */
static bool
load_kept(struct search_matcher *matcher)
{
	if (matcher->status == STORE_OK && !matcher->has_kept) {
		matcher->has_row = false;
		matcher->kept.present = 0;
		matcher->status = store_searchable_each(matcher->store, &matcher->message->message.content_id, 1,
		    MIME_SEARCHABLE_ALL, on_kept, matcher);
	}
	matcher->has_kept = true;
	return matcher->status == STORE_OK;
}

/* Know the texts of the envelope. */
static bool
load_envelope(struct search_matcher *matcher)
{
	if (!load_kept(matcher))
		return false;
	if (matcher->has_row || matcher->has_made)
		return true;
	if (!load_header(matcher))
		return false;
	mime_searchable_fini(&matcher->kept);
	mime_searchable_read(buffer_span(&matcher->header), MADE_TEXTS, SIZE_MAX, &matcher->kept);
	matcher->has_made = true;
	return true;
}

static bool
on_content(const struct store_content *content, void *context)
{
	struct search_matcher *matcher = context;

	matcher->has_sent_date = content->has_sent_date;
	matcher->sent_day = content->sent_day;
	return true;
}

/* Know the sent date. */
static bool
load_sent(struct search_matcher *matcher)
{
	if (load_kept(matcher) && !matcher->has_content)
		matcher->status = store_content_each(matcher->store, &matcher->message->message.content_id, 1, 0,
		    on_content, matcher);
	matcher->has_content = true;
	return matcher->status == STORE_OK;
}

static bool
test_sent(struct search_matcher *matcher, const struct imap_search_node *leaf)
{
	struct search_message *message = matcher->message;

	if (message->sent_day == INSIGHT_NOT_KNOWN && load_sent(matcher))
		message->sent_day = matcher->has_sent_date ? matcher->sent_day : INSIGHT_NEVER_SENT;
	return search_test_sent(leaf, message->sent_day) == IMAP_TRUE;
}

/* Know the day on which the message came into its mailbox. */
static bool
load_saved(struct search_matcher *matcher)
{
	int64_t save_date_s;

	if (matcher->status != STORE_OK || matcher->has_save_date)
		return matcher->status == STORE_OK;
	matcher->status = store_message_save_date(matcher->store, matcher->program->mailbox_id,
	    matcher->message->message.uid, &save_date_s);
	if (matcher->status != STORE_OK)
		return false;
	matcher->saved_day = search_day_of(save_date_s);
	matcher->has_save_date = true;
	return true;
}

static bool
test_saved(struct search_matcher *matcher, const struct imap_search_node *leaf)
{
	if (!load_saved(matcher))
		return false;
	if (leaf->key == IMAP_SEARCH_SAVEDBEFORE)
		return matcher->saved_day < leaf->days;
	if (leaf->key == IMAP_SEARCH_SAVEDON)
		return matcher->saved_day == leaf->days;
	return matcher->saved_day >= leaf->days;
}

/* Read on, for all keys of the leaf's kind, to the end or until time is up. */
static void
test_body(struct search_matcher *matcher, const struct imap_search_node *leaf)
{
	struct search_group *group = search_groups_of(&matcher->groups, leaf);
	struct mime_text_piece piece;
	bool is_done = false;

	if (matcher->group != group) {
		matcher->status = search_reading_begin(&matcher->reading, matcher->store,
		    matcher->message->message.content_id, leaf->key == IMAP_SEARCH_TEXT ? MIME_TEXT_ALL : MIME_TEXT_BODY,
		    mime_keys_overlap(group->keys));
		mime_keys_restart(group->keys);
		mime_keys_feed(group->keys, SPAN(""), true);	/* the empty text is in every text, also where there is none */
		matcher->group = group;
	}
	while (matcher->status == STORE_OK && !is_done && !matcher->is_time_up) {
		is_done = !search_reading_next(&matcher->reading, matcher->store, &piece, &matcher->status) ||
		    mime_keys_feed(group->keys, piece.folded, piece.is_first);
		matcher->is_time_up = !is_done && clock_monotonic_us() >= matcher->until_us;
	}
	if (!is_done)
		return;
	search_groups_answer(&matcher->groups, group, matcher->known);
	search_reading_end(&matcher->reading);
	matcher->group = NULL;
}

/* What is kept of the content, if that is where the leaf looks; false: it looks into the header. */
static bool
find_kept(struct search_matcher *matcher, const struct imap_search_node *leaf, const struct buffer **text_out)
{
	const struct search_node *prepared = &matcher->program->nodes[leaf - matcher->program->search->nodes];
	bool is_envelope = leaf->key != IMAP_SEARCH_HEADER;

	if (!prepared->is_kept || !(is_envelope ? load_envelope(matcher) : load_kept(matcher)))
		return false;
	*text_out = (matcher->kept.present & 1u << prepared->kept) ? &matcher->kept.texts[prepared->kept] : NULL;
	return is_envelope || matcher->has_row;
}

static void
test_header(struct search_matcher *matcher, const struct imap_search_node *leaf)
{
	struct search_group *group = search_groups_of(&matcher->groups, leaf);
	const struct buffer *text;

	if (find_kept(matcher, leaf, &text))
		search_groups_look(&matcher->groups, group, text, matcher->known);
	else if (load_header(matcher))
		matcher->is_time_up = !search_groups_read_header(&matcher->groups, buffer_span(&matcher->header),
		    &matcher->fields, matcher->until_us, matcher->known);
}

/* Decide a leaf, and others of its kind with it, unless time is up before. */
static void
test_leaf(struct search_matcher *matcher, const struct imap_search_node *leaf, uint8_t *known)
{
	switch (leaf->key) {
	case IMAP_SEARCH_SAVEDBEFORE:
	case IMAP_SEARCH_SAVEDON:
	case IMAP_SEARCH_SAVEDSINCE:
		*known = test_saved(matcher, leaf) ? IMAP_TRUE : IMAP_FALSE;
		break;
	case IMAP_SEARCH_SENTBEFORE:
	case IMAP_SEARCH_SENTON:
	case IMAP_SEARCH_SENTSINCE:
		*known = test_sent(matcher, leaf) ? IMAP_TRUE : IMAP_FALSE;
		break;
	case IMAP_SEARCH_BODY:
	case IMAP_SEARCH_TEXT:
		test_body(matcher, leaf);
		break;
	default:
		test_header(matcher, leaf);
	}
}

/* Whether the next leaf is for another job.  One is asked in each. */
static bool
is_time_up(struct search_matcher *matcher)
{
	matcher->is_time_up = matcher->is_time_up || (matcher->has_asked && clock_monotonic_us() >= matcher->until_us);
	matcher->has_asked = true;
	return matcher->is_time_up;
}

static enum imap_truth
test(const struct imap_search_node *leaf, void *context)
{
	struct search_matcher *matcher = context;
	uint8_t *known = &matcher->known[leaf - matcher->program->search->nodes];

	if (leaf->cost == IMAP_COST_STATE)
		return search_test_state(matcher->program, leaf, matcher->message);
	if (*known != IMAP_UNKNOWN || leaf->cost > matcher->cost_max)
		return (enum imap_truth)*known;
	if (is_time_up(matcher))
		return IMAP_UNKNOWN;
	if (leaf->cost == IMAP_COST_BODY && leaf->text.length == 0)	/* the empty text is in every text */
		*known = IMAP_TRUE;
	else
		test_leaf(matcher, leaf, known);
	return (enum imap_truth)*known;
}

static void
begin(struct search_matcher *matcher, struct search_message *message)
{
	matcher->message = message;
	matcher->has_content = matcher->has_kept = matcher->has_made = matcher->has_header = matcher->has_save_date = false;
	matcher->fields.is_begun = false;
	memset(matcher->known, IMAP_UNKNOWN, matcher->program->search->node_count);
	for (size_t i = 0; i < matcher->program->slot_count; i++)
		matcher->known[matcher->program->slots[i]] = message->truths[i];
}

/* What was found out of the content. */
static void
tell(const struct search_matcher *matcher, struct search_message *message)
{
	for (size_t i = 0; i < matcher->program->slot_count; i++)
		message->truths[i] = matcher->known[matcher->program->slots[i]];
}

enum store_status
search_match(struct search_matcher *matcher, struct store *store, struct search_message *message,
    uint64_t until_us, bool *is_match_out, bool *is_decided_out)
{
	enum imap_truth truth = IMAP_UNKNOWN;

	if (matcher->groups.program == NULL)
		search_groups_init(&matcher->groups, matcher->program);
	if (matcher->message == NULL)
		begin(matcher, message);
	matcher->store = store;
	matcher->status = STORE_OK;
	matcher->until_us = until_us;
	matcher->has_asked = matcher->is_time_up = false;
	for (matcher->cost_max = IMAP_COST_HEADER;
	    truth == IMAP_UNKNOWN && matcher->cost_max <= IMAP_COST_BODY && !matcher->is_time_up; matcher->cost_max++)
		truth = imap_search_evaluate(matcher->program->search, test, matcher, matcher->scratch);
	*is_decided_out = matcher->status != STORE_OK || truth != IMAP_UNKNOWN || !matcher->is_time_up;
	if (*is_decided_out) {
		search_reading_end(&matcher->reading);
		matcher->group = NULL;
		matcher->message = NULL;
	}
	if (matcher->status == STORE_OK) {
		*is_match_out = truth == IMAP_TRUE;
		tell(matcher, message);
	}
	return matcher->status;
}
