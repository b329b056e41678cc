/*
 * The set of a command over a view, and what has changed of it: nothing but ranges of the set and places in the packed
 * state, found by binary search.  RFC 9051 section 9, "sequence-set"; RFC 5182; RFC 7162 section 3.1.4.1; RFC 9394; RFC 9738.
 * Loop thread.
 */
#include "view.h"

#define CHANGES_PER_TURN 20000	/* some 0.1 ms */

bool
view_set_init(struct view_set *set, const struct view *view, struct imap_sequence *sequence, bool is_uid,
    const struct imap_sequence *saved)
{
	static const struct imap_sequence none;

	*set = (struct view_set){ .view = view, .sequence = sequence, .is_uid = is_uid };
	if (sequence->is_saved) {
		set->sequence = saved == NULL ? &none : saved;
		set->is_uid = true;
		return true;
	}
	imap_sequence_resolve(sequence, is_uid ? view_last_uid(view) : view_count(view));
	return is_uid || imap_sequence_highest(sequence) <= view_count(view);
}

/* The next number in a set of numbers, or 0. */
static uint32_t
next_by_number(const struct view_set *set, uint32_t number)
{
	const struct imap_sequence *sequence = set->sequence;
	size_t range = imap_sequence_find(sequence, number);

	if (range == sequence->count)
		return 0;
	if (number < sequence->ranges[range].first)
		number = sequence->ranges[range].first;
	return number <= view_count(set->view) ? number : 0;
}

/* The next number whose UID is in a set of UIDs, or 0.  Each step passes a range that holds no message. */
static uint32_t
next_by_uid(const struct view_set *set, uint32_t number)
{
	const struct imap_sequence *sequence = set->sequence;
	uint32_t count = view_count(set->view);

	while (number <= count) {
		uint32_t uid = view_uid(set->view, number);
		size_t range = imap_sequence_find(sequence, uid);

		if (range == sequence->count)
			return 0;
		if (sequence->ranges[range].first <= uid)
			return number;
		number = view_number_from(set->view, sequence->ranges[range].first);
	}
	return 0;
}

uint32_t
view_set_from(const struct view_set *set, uint32_t number)
{
	return set->is_uid ? next_by_uid(set, number) : next_by_number(set, number);
}

bool
view_set_next(struct view_set *set, struct view_message *message_out)
{
	uint32_t number = view_set_from(set, set->number + 1 < set->lowest ? set->lowest : set->number + 1);

	if (number == 0) {
		set->number = UINT32_MAX - 1;
		return false;
	}
	set->number = number;
	view_message(set->view, number, message_out);
	return true;
}

/* The last number of a set of numbers that is no greater, or 0. */
static uint32_t
previous_by_number(const struct view_set *set, uint32_t number)
{
	const struct imap_sequence *sequence = set->sequence;
	size_t range = imap_sequence_find(sequence, number);

	if (range < sequence->count && sequence->ranges[range].first <= number)
		return number;
	return range == 0 ? 0 : sequence->ranges[range - 1].last;
}

/* The last number that is no greater and whose UID is in a set of UIDs, or 0. */
static uint32_t
previous_by_uid(const struct view_set *set, uint32_t number)
{
	const struct imap_sequence *sequence = set->sequence;

	while (number > 0) {
		uint32_t uid = view_uid(set->view, number);
		size_t range = imap_sequence_find(sequence, uid);

		if (range < sequence->count && sequence->ranges[range].first <= uid)
			return number;
		if (range == 0)
			return 0;
		number = view_number_from(set->view, sequence->ranges[range - 1].last + 1) - 1;
	}
	return 0;
}

bool
view_set_previous(struct view_set *set, struct view_message *message_out)
{
	uint32_t number = (set->number == 0 ? view_count(set->view) + 1 : set->number) - 1;

	if (number > 0)
		number = set->is_uid ? previous_by_uid(set, number) : previous_by_number(set, number);
	set->number = number == 0 ? 1 : number;
	if (number == 0 || number < set->lowest)
		return false;
	view_message(set->view, number, message_out);
	return true;
}

uint32_t
view_set_limit(struct view_set *set, uint32_t most)
{
	struct view_set copy = *set;
	struct view_message message;
	uint32_t count = 0, lowest = 0, uid = 0;

	if (most == 0 || view_set_bound(set) <= most)
		return 0;
	while (count <= most && view_set_previous(&copy, &message))
		if (!message.is_ghost && count++ < most) {
			lowest = message.number;
			uid = message.message.uid;
		}
	if (count <= most)
		return 0;
	set->lowest = lowest;
	return uid;
}

/* The places in the packed state of the messages in a range of the set: from *first_out up to what is given. */
static size_t
places_of(const struct view_set *set, const struct imap_range *range, size_t *first_out)
{
	const struct view *view = set->view;
	uint64_t after = set->is_uid ? (uint64_t)range->last + 1 : (uint64_t)view_uid(view, range->last) + 1;

	*first_out = state_lower_bound(view->state, set->is_uid ? range->first : view_uid(view, range->first));
	return state_lower_bound(view->state, after < view->limit_uid ? (uint32_t)after : view->limit_uid);
}

/* How many messages of the set are there. */
static uint32_t
count_messages(const struct view_set *set)
{
	size_t count = 0, first, end;

	for (size_t i = 0; i < set->sequence->count; i++) {
		end = places_of(set, &set->sequence->ranges[i], &first);
		count += first < end ? end - first : 0;
	}
	return (uint32_t)count;
}

/* The number that stands in the set for the message at a place, from 1 on, among those that are there. */
static uint32_t
number_at(const struct view_set *set, uint32_t place)
{
	for (size_t i = 0, first, end; i < set->sequence->count; i++) {
		end = places_of(set, &set->sequence->ranges[i], &first);
		if (first < end && place <= end - first) {
			uint32_t uid = set->view->state->messages[first + place - 1].uid;

			return set->is_uid ? uid : view_number(set->view, uid);
		}
		place -= first < end ? (uint32_t)(end - first) : 0;
	}
	return 0;
}

void
view_set_choose(struct view_set *set, const struct imap_partial *partial, struct arena *arena,
    struct imap_sequence *chosen_out)
{
	struct imap_range range;
	struct imap_sequence chosen = { .ranges = &range, .count = 1 };

	imap_partial_places(partial, count_messages(set), &range.first, &range.last);
	if (range.first > range.last) {
		*chosen_out = (struct imap_sequence){ .count = 0 };
	} else {
		range = (struct imap_range){ number_at(set, range.first), number_at(set, range.last) };
		*chosen_out = imap_sequence_common(arena, set->sequence, &chosen);
	}
	set->sequence = chosen_out;
}

size_t
view_set_bound(const struct view_set *set)
{
	size_t most = view_count(set->view), bound = 0;

	if (set->lowest > 0)
		return most - set->lowest + 1;
	for (size_t i = 0; i < set->sequence->count && bound < most; i++)
		bound += (size_t)set->sequence->ranges[i].last - set->sequence->ranges[i].first + 1;
	return bound < most ? bound : most;
}

bool
view_set_contains(const struct view_set *set, uint32_t number, uint32_t uid)
{
	return imap_sequence_contains(set->sequence, set->is_uid ? uid : number);
}

/* Whether a message of the state has changed and is in the set. */
static bool
is_change(const struct view_changes *changes, const struct store_message *message, struct view_message *message_out)
{
	const struct view *view = changes->set->view;

	if (message->modseq <= changes->since)
		return false;
	view_message(view, view_number(view, message->uid), message_out);
	return view_set_contains(changes->set, message_out->number, message->uid);
}

enum view_step
view_changes_next(struct view_changes *changes, struct view_message *message_out)
{
	const struct view *view = changes->set->view;
	const struct state *state = view->state;
	size_t index, left = CHANGES_PER_TURN;

	if (changes->since >= state->highest_modseq)
		return VIEW_END;
	index = state_lower_bound(state, changes->uid);
	if (index < state->count && state->messages[index].uid == changes->uid)
		index++;
	for (; (index = state_changed_from(state, index, changes->since)) < state->count && state->messages[index].uid < view->limit_uid;
	    index++) {
		if (left-- == 0)
			return VIEW_PAUSE;
		changes->uid = state->messages[index].uid;
		if (is_change(changes, &state->messages[index], message_out))
			return VIEW_MESSAGE;
	}
	return VIEW_END;
}

enum view_step
view_changes_previous(struct view_changes *changes, struct view_message *message_out)
{
	const struct state *state = changes->set->view->state;
	size_t index, left = CHANGES_PER_TURN;

	if (changes->since >= state->highest_modseq)
		return VIEW_END;
	index = changes->uid == 0 ? state_lower_bound(state, changes->set->view->limit_uid) : state_lower_bound(state, changes->uid);
	while (index-- > 0) {
		if (left-- == 0)
			return VIEW_PAUSE;
		changes->uid = state->messages[index].uid;
		if (is_change(changes, &state->messages[index], message_out))
			return VIEW_MESSAGE;
	}
	return VIEW_END;
}
