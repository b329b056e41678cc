/*
 * The messages of a state, and applying to them what jobs have done.  Loop thread.
 */
#include <assert.h>
#include <string.h>

#include "bulletin.h"
#include "overlay.h"
#include "state.h"

/* The next state of a mailbox behind this place that is ready; NULL: there is none. */
static struct state *
next_state(struct account *account, uint64_t mailbox_id, struct list **place)
{
	while ((*place = (*place)->next) != states_of(account_states(account), mailbox_id)) {
		struct state *state = LIST_ENTRY(*place, struct state, link);

		if (state->mailbox_id == mailbox_id && state->phase == STATE_READY)
			return state;
	}
	return NULL;
}

static struct store_message *
message_of(const struct state *state, uint32_t uid)
{
	size_t index = state_lower_bound(state, uid);

	return index < state->count && state->messages[index].uid == uid ? &state->messages[index] : NULL;
}

const struct store_message *
state_message(const struct state *state, uint32_t uid)
{
	return message_of(state, uid);
}

/* As message_of(), at once when it follows the message before: changes come in ranges. */
static struct store_message *
next_of(const struct state *state, struct store_message *before, uint32_t uid)
{
	if (before != NULL && before + 1 < state->messages + state->count && before[1].uid == uid)
		return before + 1;
	return message_of(state, uid);
}

/* Count a message that comes (1) or goes (-1), or, for both, one that changes. */
static void
count_message(struct state *state, const struct store_message *message, int sign)
{
	state->size_octets += (uint64_t)(sign * (int64_t)message->size);
	if ((message->flags & STORE_FLAG_SEEN) == 0)
		state->unseen += (uint32_t)sign;
	if ((message->flags & STORE_FLAG_DELETED) != 0) {
		state->deleted += (uint32_t)sign;
		state->deleted_octets += (uint64_t)(sign * (int64_t)message->size);
	}
}

static void
tell_flags(struct state *state, const struct store_message *message)
{
	LIST_FOREACH(&state->listeners, link) {
		struct state_listener *listener = LIST_ENTRY(link, struct state_listener, link);

		if (listener->on_flags != NULL)
			listener->on_flags(listener, message);
	}
}

static void
tell_going(struct state *state, const uint32_t *uids, size_t count, uint64_t modseq)
{
	LIST_FOREACH(&state->listeners, link) {
		struct state_listener *listener = LIST_ENTRY(link, struct state_listener, link);

		listener->on_going(listener, uids, count, modseq);
	}
}

static void
reserve(struct state *state, size_t count)
{
	if (state->count + count <= state->capacity)
		return;
	state->capacity = state->capacity + state->capacity / 4 + count + 16;
	state->messages = memory_resize(state->messages, state->capacity, sizeof state->messages[0]);
}


static void
note_modseq(struct state *state, uint64_t modseq)
{
	if (modseq > state->highest_modseq)
		state->highest_modseq = modseq;
}

static void
add_messages(struct state *state, const struct store_message *messages, size_t count)
{
	reserve(state, count);
	for (size_t i = 0; i < count; i++) {
		struct store_message *message = &state->messages[state->count++];

		assert(messages[i].uid >= state->uidnext);
		*message = messages[i];
		message->flags = overlay_flags(state, message->flags, 0);
		count_message(state, message, 1);
		state->uidnext = message->uid + 1;
		note_modseq(state, message->modseq);
		modseqs_note(&state->modseqs, message->uid, message->modseq);
	}
	state_tell_listeners(state);
}

/* What they cost to keep has changed.  Any of them may be dropped for that. */
static void
price_anew(struct account *account, uint64_t mailbox_id)
{
	struct list *place = states_of(account_states(account), mailbox_id);
	struct state *state;

	while ((state = next_state(account, mailbox_id, &place)) != NULL) {
		if (state->holders > 0 || state->place.octets == state_octets(state))
			continue;
		state_cache_resize(account_state_cache(account), &state->place, state_octets(state));
		place = states_of(account_states(account), mailbox_id);
	}
}

void
state_appended(struct account *account, uint64_t mailbox_id, const struct store_message *messages,
    size_t count)
{
	struct list *place = states_of(account_states(account), mailbox_id);
	struct state *state;

	if (count == 0)
		return;
	bulletin_note_messages(account, mailbox_id, IMAP_EVENT_MESSAGE_NEW);
	while ((state = next_state(account, mailbox_id, &place)) != NULL)
		add_messages(state, messages, count);
	price_anew(account, mailbox_id);
}

static bool
has_changes(const struct store_flag_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (results[i].outcome == STORE_FLAGS_CHANGED)
			return true;
	return false;
}

static void
set_flags(struct state *state, struct store_message *message, uint64_t flags, uint64_t modseq)
{
	tell_flags(state, message);
	count_message(state, message, -1);
	message->flags = flags;
	count_message(state, message, 1);
	message->modseq = modseq;
	modseqs_note(&state->modseqs, message->uid, modseq);
	if (modseq > state->flags_modseq)
		state->flags_modseq = modseq;
}

static void
change_flags(struct state *state, const struct store_flag_result *results, size_t count)
{
	struct store_message *message = NULL;
	bool has_changed = false;

	for (size_t i = 0; i < count; i++) {
		if (results[i].outcome != STORE_FLAGS_CHANGED ||
		    (message = next_of(state, message, results[i].uid)) == NULL)
			continue;
		set_flags(state, message, overlay_flags(state, results[i].flags, message->flags), results[i].modseq);
		has_changed = true;
	}
	note_modseq(state, state->flags_modseq);
	if (has_changed)
		state_tell_listeners(state);
}

void
state_flags_changed(struct account *account, uint64_t mailbox_id,
    const struct store_flag_result *results, size_t count)
{
	struct list *place = states_of(account_states(account), mailbox_id);
	struct state *state;

	if (has_changes(results, count))
		bulletin_note_messages(account, mailbox_id, IMAP_EVENT_FLAG_CHANGE);
	while ((state = next_state(account, mailbox_id, &place)) != NULL)
		change_flags(state, results, count);
}

/* The modseq is the mailbox's, which other viewers are told, too. */
void
state_seen_changed(struct state *overlaid, const uint32_t *uids, size_t count, bool is_seen, uint64_t modseq)
{
	struct list *place = states_of(account_states(overlaid->account), overlaid->mailbox_id);
	struct store_message *message = NULL;
	struct state *state;

	while ((state = next_state(overlaid->account, overlaid->mailbox_id, &place)) != NULL)
		note_modseq(state, modseq);
	if (overlaid->phase != STATE_READY || count == 0)
		return;
	for (size_t i = 0; i < count; i++)
		if ((message = next_of(overlaid, message, uids[i])) != NULL)
			set_flags(overlaid, message, is_seen ? message->flags | STORE_FLAG_SEEN :
			    message->flags & ~STORE_FLAG_SEEN, modseq);
	state_tell_listeners(overlaid);
}

/* Drop messages from the array, in one pass. */
static void
remove_messages(struct state *state, const uint32_t *uids, size_t count)
{
	size_t to = state_lower_bound(state, uids[0]), next = 0;

	for (size_t from = to; from < state->count; from++) {
		if (next == count) {
			memmove(&state->messages[to], &state->messages[from],
			    (state->count - from) * sizeof state->messages[0]);
			to += state->count - from;
			break;
		}
		while (next < count && uids[next] < state->messages[from].uid)
			next++;
		if (next < count && uids[next] == state->messages[from].uid) {
			count_message(state, &state->messages[from], -1);
			continue;
		}
		state->messages[to++] = state->messages[from];
	}
	state->count = to;
}

void
state_expunged(struct account *account, uint64_t mailbox_id, const uint32_t *uids, size_t count,
    uint64_t modseq)
{
	struct list *place = states_of(account_states(account), mailbox_id);
	struct state *state;

	if (count == 0)
		return;
	bulletin_note_messages(account, mailbox_id, IMAP_EVENT_MESSAGE_EXPUNGE);
	account_has_garbage(account);
	while ((state = next_state(account, mailbox_id, &place)) != NULL) {
		tell_going(state, uids, count, modseq);
		remove_messages(state, uids, count);
		note_modseq(state, modseq);
		state->expunged_modseq = state->highest_modseq;
		state_tell_listeners(state);
	}
}
