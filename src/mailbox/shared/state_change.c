/*
 * The messages of a state, and applying to them what jobs have done.  Loop thread.
 */
#include <assert.h>
#include <string.h>

#include "bulletin.h"
#include "state.h"

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

void
state_appended(struct account *account, uint64_t mailbox_id, const struct store_message *messages,
    size_t count)
{
	struct state *state = state_find(account, mailbox_id);

	if (count > 0)
		bulletin_note_messages(account, mailbox_id, IMAP_EVENT_MESSAGE_NEW);
	if (state == NULL || count == 0)
		return;
	reserve(state, count);
	for (size_t i = 0; i < count; i++) {
		assert(messages[i].uid >= state->uidnext);
		state->messages[state->count++] = messages[i];
		count_message(state, &messages[i], 1);
		state->uidnext = messages[i].uid + 1;
		note_modseq(state, messages[i].modseq);
		modseqs_note(&state->modseqs, messages[i].uid, messages[i].modseq);
	}
	state_tell_listeners(state);
	if (state->holders == 0)
		state_cache_resize(account_state_cache(account), &state->place, state_octets(state));
}

static bool
has_changes(const struct store_flag_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (results[i].outcome == STORE_FLAGS_CHANGED)
			return true;
	return false;
}

void
state_flags_changed(struct account *account, uint64_t mailbox_id,
    const struct store_flag_result *results, size_t count)
{
	struct state *state = state_find(account, mailbox_id);
	struct store_message *message = NULL;
	bool has_changed = false;

	if (has_changes(results, count))
		bulletin_note_messages(account, mailbox_id, IMAP_EVENT_FLAG_CHANGE);
	if (state == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		if (results[i].outcome != STORE_FLAGS_CHANGED ||
		    (message = next_of(state, message, results[i].uid)) == NULL)
			continue;
		tell_flags(state, message);
		count_message(state, message, -1);
		message->flags = results[i].flags;
		count_message(state, message, 1);
		message->modseq = results[i].modseq;
		modseqs_note(&state->modseqs, message->uid, message->modseq);
		if (message->modseq > state->flags_modseq)
			state->flags_modseq = message->modseq;
		has_changed = true;
	}
	note_modseq(state, state->flags_modseq);
	if (has_changed)
		state_tell_listeners(state);
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
	struct state *state = state_find(account, mailbox_id);

	if (count == 0)
		return;
	bulletin_note_messages(account, mailbox_id, IMAP_EVENT_MESSAGE_EXPUNGE);
	account_has_garbage(account);
	if (state == NULL)
		return;
	tell_going(state, uids, count, modseq);
	remove_messages(state, uids, count);
	note_modseq(state, modseq);
	state->expunged_modseq = state->highest_modseq;
	state_tell_listeners(state);
}
