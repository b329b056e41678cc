/*
 * Preparing a SEARCH, and the keys that the packed state decides.  Days of BEFORE, ON and SINCE are those of
 * the internal date in UTC, the zone in which it is told.  Any thread; search_program_init() on the loop.
 */
#include "program.h"

#include <stdlib.h>

#include "../shared/insight.h"
#include "../shared/objectid.h"
#include "base/clock.h"
#include "base/memory.h"
#include "mime/fold.h"

#define DAY_SECONDS 86400

static void
find_kept(struct search_node *prepared, const struct imap_search_node *node)
{
	static const enum mime_searchable_text texts[] = {
		[IMAP_SEARCH_SUBJECT] = MIME_SEARCHABLE_SUBJECT,
		[IMAP_SEARCH_FROM] = MIME_SEARCHABLE_FROM,
		[IMAP_SEARCH_TO] = MIME_SEARCHABLE_TO,
		[IMAP_SEARCH_CC] = MIME_SEARCHABLE_CC,
		[IMAP_SEARCH_BCC] = MIME_SEARCHABLE_BCC,
	};

	if (node->key == IMAP_SEARCH_HEADER && span_equals_nocase(node->field, SPAN("message-id"))) {
		prepared->is_kept = true;
		prepared->kept = MIME_SEARCHABLE_MESSAGE_ID;
	} else if (node->key >= IMAP_SEARCH_SUBJECT && node->key <= IMAP_SEARCH_BCC) {
		prepared->is_kept = true;
		prepared->kept = texts[node->key];
	}
}

/* What "*" means is another number in each mailbox that the same keys are asked of. */
static void
prepare_set(struct search_node *prepared, const struct imap_search_node *node, const struct view *view,
    const struct imap_sequence *saved)
{
	prepared->sequence = node->set;
	prepared->has_star = node->set.has_star;
	if (prepared->has_star) {
		prepared->sequence.ranges = memory_new_array(node->set.count + 1, sizeof *node->set.ranges);
		if (node->set.count > 0)
			memcpy(prepared->sequence.ranges, node->set.ranges, node->set.count * sizeof *node->set.ranges);
	}
	view_set_init(&prepared->set, view, &prepared->sequence, node->key == IMAP_SEARCH_UID, saved);
}

static void
prepare(struct search_node *prepared, const struct imap_search_node *node, const struct view *view,
    const struct imap_sequence *saved)
{
	switch (node->key) {
	case IMAP_SEARCH_KEYWORD:
		prepared->has_keyword = keywords_find(view->state->keywords, node->text, &prepared->keyword);
		break;
	case IMAP_SEARCH_EMAILID:
		prepared->content_id = objectid_email(node->text);
		break;
	case IMAP_SEARCH_OLDER:
	case IMAP_SEARCH_YOUNGER:
		prepared->limit_s = clock_calendar_s() - (int64_t)node->number;
		break;
	case IMAP_SEARCH_SEQUENCE:
	case IMAP_SEARCH_UID:
		prepare_set(prepared, node, view, saved);
		break;
	default:
		break;
	}
	if (imap_search_has_text(node->key)) {
		mime_fold(node->text, &prepared->needle);
		find_kept(prepared, node);
	}
}

/* An empty text is in all: nothing is to be remembered. */
static void
give_slot(struct search_program *program, size_t index)
{
	const struct imap_search_node *node = &program->search->nodes[index];
	bool is_trivial = node->cost == IMAP_COST_BODY && node->text.length == 0;

	program->asks_sent_day = program->asks_sent_day || search_is_sent_key(node->key);
	program->nodes[index].slot = SEARCH_NO_SLOT;
	if (!imap_search_has_text(node->key) || is_trivial || program->slot_count == SEARCH_SLOTS_MAX)
		return;
	program->nodes[index].slot = (unsigned)program->slot_count;
	program->slots[program->slot_count++] = index;
}

void
search_program_refresh(struct search_program *program, const struct view *view)
{
	struct keywords *before = program->keywords;

	program->keywords = keywords_hold(view->state->keywords);
	program->known = program->keywords->all;
	keywords_release(&before);
}

void
search_program_init(struct search_program *program, const struct imap_search *search, const struct view *view,
    const struct imap_sequence *saved)
{
	program->search = search;
	program->mailbox_id = view->state->mailbox_id;
	program->keywords = NULL;
	search_program_refresh(program, view);
	program->nodes = memory_new_array(search->node_count, sizeof *program->nodes);
	program->slot_count = 0;
	program->asks_sent_day = false;
	for (size_t i = 0; i < search->node_count; i++) {
		prepare(&program->nodes[i], &search->nodes[i], view, saved);
		give_slot(program, i);
	}
}

void
search_program_fini(struct search_program *program)
{
	for (size_t i = 0; i < program->search->node_count; i++) {
		buffer_free(&program->nodes[i].needle);
		if (program->nodes[i].has_star)
			free(program->nodes[i].sequence.ranges);
	}
	free(program->nodes);
	program->nodes = NULL;
	keywords_release(&program->keywords);
}

int64_t
search_day_of(int64_t seconds)
{
	return (seconds - (seconds < 0 ? DAY_SECONDS - 1 : 0)) / DAY_SECONDS;
}

static bool
is_in_set(const struct view_set *set, const struct search_message *message)
{
	return imap_sequence_contains(set->sequence, set->is_uid ? message->message.uid : message->number);
}

static enum imap_truth
test_day(const struct imap_search_node *leaf, int64_t day)
{
	switch (leaf->key) {
	case IMAP_SEARCH_BEFORE:
		return day < leaf->days ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_ON:
		return day == leaf->days ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_SINCE:
		return day >= leaf->days ? IMAP_TRUE : IMAP_FALSE;
	default:
		return IMAP_UNKNOWN;
	}
}

bool
search_is_sent_key(enum imap_search_key key)
{
	return key == IMAP_SEARCH_SENTBEFORE || key == IMAP_SEARCH_SENTON || key == IMAP_SEARCH_SENTSINCE;
}

enum imap_truth
search_test_sent(const struct imap_search_node *leaf, int32_t sent_day)
{
	bool is_match;

	if (sent_day == INSIGHT_NOT_KNOWN)
		return IMAP_UNKNOWN;
	if (sent_day == INSIGHT_NEVER_SENT)
		is_match = false;
	else if (leaf->key == IMAP_SEARCH_SENTON)
		is_match = sent_day == leaf->days;
	else
		is_match = (sent_day < leaf->days) == (leaf->key == IMAP_SEARCH_SENTBEFORE);
	return is_match ? IMAP_TRUE : IMAP_FALSE;
}

enum imap_truth
search_test_state(const struct search_program *program, const struct imap_search_node *leaf,
    const struct search_message *message)
{
	const struct search_node *prepared = &program->nodes[leaf - program->search->nodes];
	const struct store_message *stored = &message->message;

	switch (leaf->key) {
	case IMAP_SEARCH_ALL:
	case IMAP_SEARCH_SAVEDATESUPPORTED:
		return IMAP_TRUE;
	case IMAP_SEARCH_FLAG:
		return (stored->flags & leaf->number) != 0 ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_KEYWORD:
		return prepared->has_keyword && imap_flags_have(stored->flags, &program->known, prepared->keyword) ?
		    IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_RECENT:
		return message->is_recent ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_SEQUENCE:
	case IMAP_SEARCH_UID:
		return is_in_set(&prepared->set, message) ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_UIDAFTER:
		return stored->uid > leaf->number ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_UIDBEFORE:
		return stored->uid < leaf->number ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_MODSEQ:
		return stored->modseq >= leaf->number ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_EMAILID:
		return stored->content_id == prepared->content_id ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_THREADID:
		return IMAP_FALSE;
	case IMAP_SEARCH_OLDER:
		return stored->internal_date_s <= prepared->limit_s ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_YOUNGER:
		return stored->internal_date_s >= prepared->limit_s ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_LARGER:
		return stored->size > leaf->number ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_SMALLER:
		return stored->size < leaf->number ? IMAP_TRUE : IMAP_FALSE;
	case IMAP_SEARCH_BODY:
	case IMAP_SEARCH_TEXT:
		return leaf->text.length == 0 ? IMAP_TRUE : IMAP_UNKNOWN;
	default:
		return test_day(leaf, search_day_of(stored->internal_date_s));
	}
}

static bool
is_of_set(enum imap_search_key key)
{
	return key == IMAP_SEARCH_SEQUENCE || key == IMAP_SEARCH_UID || key == IMAP_SEARCH_UIDAFTER ||
	    key == IMAP_SEARCH_UIDBEFORE;
}

/* The next node that stands among the keys, not within OR or NOT. */
static size_t
next_key(const struct imap_search *search, size_t node)
{
	return search->nodes[node].key == IMAP_SEARCH_AND ? node + 1 : search->nodes[node].end;
}

bool
search_program_covers(const struct search_program *program, const struct search_message *message)
{
	const struct imap_search *search = program->search;

	for (size_t i = 0; i < search->node_count; i = next_key(search, i)) {
		const struct imap_search_node *node = &search->nodes[i];

		if (is_of_set(node->key) && search_test_state(program, node, message) == IMAP_FALSE)
			return false;
	}
	return true;
}

/* The first number from this one on that a key of a set leaves; 0: none. */
static uint32_t
key_from(const struct search_node *prepared, const struct imap_search_node *key, const struct view *view, uint32_t number)
{
	uint32_t first;

	switch (key->key) {
	case IMAP_SEARCH_UIDAFTER:
		first = key->number < UINT32_MAX ? view_number_from(view, (uint32_t)key->number + 1) : view_count(view) + 1;
		return first > number ? first : number;
	case IMAP_SEARCH_UIDBEFORE:
		return number < view_number_from(view, (uint32_t)key->number) ? number : 0;
	default:
		return view_set_from(&prepared->set, number);
	}
}

uint32_t
search_program_from(const struct search_program *program, const struct view *view, uint32_t number)
{
	const struct imap_search *search = program->search;

	for (size_t i = 0; i < search->node_count && number > 0; i = next_key(search, i))
		if (is_of_set(search->nodes[i].key))
			number = key_from(&program->nodes[i], &search->nodes[i], view, number);
	return number;
}
