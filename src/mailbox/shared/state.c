/*
 * Loading the state of a mailbox, and applying to it what jobs have done.  A job that was submitted before
 * the load is in the snapshot, one submitted after it comes home after it: so results that arrive while
 * the state is loading are left out.  Loop thread.
 */
#include <assert.h>
#include <stdlib.h>

#include "bulletin.h"
#include "imap/flags.h"
#include "state.h"

struct state_load {
	struct account_job job;
	struct state *state;		/* NULL: nobody waits any more */
	uint64_t mailbox_id;
	struct store_snapshot snapshot;
};

static struct state *
find(struct account *account, uint64_t mailbox_id)
{
	LIST_FOREACH(account_states(account), link) {
		struct state *state = LIST_ENTRY(link, struct state, link);

		if (state->mailbox_id == mailbox_id && state->phase != STATE_GONE)
			return state;
	}
	return NULL;
}

struct state *
state_find(struct account *account, uint64_t mailbox_id)
{
	struct state *state = find(account, mailbox_id);

	return state != NULL && state->phase == STATE_READY ? state : NULL;
}

struct state *
state_find_named(struct account *account, struct span name)
{
	LIST_FOREACH(account_states(account), link) {
		struct state *state = LIST_ENTRY(link, struct state, link);

		if (state->phase == STATE_READY && span_equals(state->name, name))
			return state;
	}
	return NULL;
}

static void
forget_name(struct state *state)
{
	free((void *)state->name.at);
	state->name = (struct span){ NULL, 0 };
}

static void
state_free(struct state *state)
{
	assert(state->holders == 0);
	if (state->load != NULL)
		state->load->state = NULL;
	list_remove(&state->link);
	for (size_t i = 0; i < state->keyword_count; i++)
		free((void *)state->keywords[i].at);
	forget_name(state);
	free(state->messages);
	free(state);
}

static size_t
octets_of(const struct state *state)
{
	return sizeof *state + state->capacity * sizeof state->messages[0];
}

/* The account may have waited for its last state to go. */
static void
on_drop(struct state_place *place)
{
	struct state *state = CONTAINER_OF(place, struct state, place);
	struct account *account = state->account;

	state_free(state);
	account_tend(account);
}

void
state_release(struct state **state)
{
	struct state *released = *state;

	*state = NULL;
	if (released == NULL)
		return;
	assert(released->holders > 0);
	if (--released->holders > 0)
		return;
	if (released->phase == STATE_READY)
		state_cache_add(account_state_cache(released->account), &released->place, octets_of(released));
	else
		state_free(released);
}

/* Bits of keywords that are free in between get an empty name and are never set. */
static void
set_keywords(struct state *state, const struct store_keywords *keywords)
{
	size_t count = COUNT_OF(state->keywords);

	while (count > state->keyword_count && keywords->names[STORE_KEYWORD_BIT_MIN + count - 1] == NULL)
		count--;
	for (size_t i = state->keyword_count; i < count; i++) {
		const char *name = keywords->names[STORE_KEYWORD_BIT_MIN + i];

		state->keywords[i] = span_from_string(memory_copy_string(name == NULL ? "" : name));
	}
	if (count > state->keyword_count)
		state->keyword_count = count;
}

static void
tell_waiters(struct state *state)
{
	struct list waiting, *link;

	list_init(&waiting);
	list_move_all(&waiting, &state->waiters);
	while ((link = list_pop_front(&waiting)) != NULL) {
		struct state_waiter *waiter = LIST_ENTRY(link, struct state_waiter, link);

		waiter->on_ready(waiter, state);
	}
}

static void
take_snapshot(struct state *state, struct store_snapshot *snapshot)
{
	const struct store_mailbox *mailbox = &snapshot->mailbox;

	state->messages = snapshot->messages;
	snapshot->messages = NULL;
	state->count = state->capacity = snapshot->count;
	state->uidvalidity = mailbox->uidvalidity;
	state->uidnext = mailbox->uidnext;
	state->recent_uid = mailbox->recent_uid;
	state->unseen = mailbox->unseen;
	state->deleted = mailbox->deleted;
	state->size_octets = mailbox->size_octets;
	state->name = span_of(memory_copy_string(mailbox->name), strlen(mailbox->name));
	state->highest_modseq = state->flags_modseq = mailbox->highest_modseq;
	state->expunged_modseq = snapshot->expunged_modseq;
	set_keywords(state, &snapshot->keywords);
	state->phase = STATE_READY;
}

static enum store_status
work_load(struct store *store, struct account_job *job)
{
	struct state_load *load = CONTAINER_OF(job, struct state_load, job);

	return store_snapshot_init(store, load->mailbox_id, &load->snapshot);
}

static void
on_loaded(struct account_job *job)
{
	struct state_load *load = CONTAINER_OF(job, struct state_load, job);
	struct state *state = load->state;

	if (state != NULL) {
		state->load = NULL;
		state->holders++;	/* whoever is told may let go */
		if (job->status == STORE_OK && state->phase == STATE_LOADING)
			take_snapshot(state, &load->snapshot);
		else
			state->phase = STATE_GONE;
		if (job->status != STORE_OK)
			state->status = job->status;
		tell_waiters(state);
		state_release(&state);
	}
	store_snapshot_fini(&load->snapshot);
	free(load);
}

static struct state *
state_new(struct account *account, uint64_t mailbox_id)
{
	struct state *state = NEW(struct state);

	state->account = account;
	state->mailbox_id = mailbox_id;
	state_place_init(&state->place, on_drop);
	list_init(&state->listeners);
	list_init(&state->waiters);
	list_push_back(account_states(account), &state->link);
	state->load = NEW(struct state_load);
	state->load->state = state;
	state->load->mailbox_id = mailbox_id;
	state->load->job.kind = ACCOUNT_READ;
	state->load->job.work = work_load;
	state->load->job.done = on_loaded;
	account_submit(account, &state->load->job);
	return state;
}

void
state_hold(struct account *account, uint64_t mailbox_id, struct state_waiter *waiter)
{
	struct state *state = find(account, mailbox_id);

	if (state == NULL)
		state = state_new(account, mailbox_id);
	else if (state->holders == 0)
		state_cache_remove(account_state_cache(account), &state->place);
	state->holders++;
	if (state->phase == STATE_READY)
		waiter->on_ready(waiter, state);
	else
		list_push_back(&state->waiters, &waiter->link);
}

size_t
state_lower_bound(const struct state *state, uint32_t uid)
{
	size_t low = 0, high = state->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (state->messages[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct store_message *
message_of(const struct state *state, uint32_t uid)
{
	size_t index = state_lower_bound(state, uid);

	return index < state->count && state->messages[index].uid == uid ? &state->messages[index] : NULL;
}

/* As message_of(), at once when it follows the message before: changes come in ranges. */
static struct store_message *
next_of(const struct state *state, struct store_message *before, uint32_t uid)
{
	if (before != NULL && before + 1 < state->messages + state->count && before[1].uid == uid)
		return before + 1;
	return message_of(state, uid);
}

const struct store_message *
state_message(const struct state *state, uint32_t uid)
{
	return message_of(state, uid);
}

void
state_row(const struct state *state, struct store_mailbox *mailbox_out)
{
	*mailbox_out = (struct store_mailbox){
		.id = state->mailbox_id,
		.name = (const char *)state->name.at,
		.uidvalidity = state->uidvalidity,
		.uidnext = state->uidnext,
		.recent_uid = state->recent_uid,
		.messages = (uint32_t)state->count,
		.unseen = state->unseen,
		.deleted = state->deleted,
		.size_octets = state->size_octets,
		.highest_modseq = state->highest_modseq,
	};
}

uint32_t
state_recent_count(const struct state *state)
{
	return (uint32_t)(state->count - state_lower_bound(state, state->recent_uid));
}

/* Count a message that comes (1) or goes (-1), or, for both, one that changes. */
static void
count_message(struct state *state, const struct store_message *message, int sign)
{
	state->size_octets += (uint64_t)(sign * (int64_t)message->size);
	if ((message->flags & STORE_FLAG_SEEN) == 0)
		state->unseen += (uint32_t)sign;
	if ((message->flags & STORE_FLAG_DELETED) != 0)
		state->deleted += (uint32_t)sign;
}

static void
tell_listeners(struct state *state)
{
	LIST_FOREACH(&state->listeners, link) {
		struct state_listener *listener = LIST_ENTRY(link, struct state_listener, link);

		listener->on_change(listener);
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
	}
	tell_listeners(state);
	if (state->holders == 0)
		state_cache_resize(account_state_cache(account), &state->place, octets_of(state));
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
		if (message->modseq > state->flags_modseq)
			state->flags_modseq = message->modseq;
		has_changed = true;
	}
	note_modseq(state, state->flags_modseq);
	if (has_changed)
		tell_listeners(state);
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
	tell_listeners(state);
}

void
state_keywords_changed(struct account *account, uint64_t mailbox_id, const struct store_keywords *keywords)
{
	struct state *state = state_find(account, mailbox_id);

	if (state == NULL)
		return;
	set_keywords(state, keywords);
	tell_listeners(state);
}

void
state_forget_names(struct account *account)
{
	LIST_FOREACH(account_states(account), link)
		forget_name(LIST_ENTRY(link, struct state, link));
}

static void
lose(struct state *state, enum store_status status)
{
	if (state->phase == STATE_READY && state->holders == 0) {
		state_cache_remove(account_state_cache(state->account), &state->place);
		state_free(state);
		return;
	}
	state->phase = STATE_GONE;
	state->status = status;
	tell_listeners(state);
}

void
state_deleted(struct account *account, uint64_t mailbox_id)
{
	struct state *state = find(account, mailbox_id);

	account_has_garbage(account);
	if (state != NULL)
		lose(state, STORE_NOT_FOUND);
}

void
state_all_lost(struct account *account)
{
	LIST_FOREACH(account_states(account), link) {
		struct state *state = LIST_ENTRY(link, struct state, link);

		if (state->phase != STATE_GONE)
			lose(state, STORE_UNAVAILABLE);
	}
}

/* The claim as the file keeps it. */
struct claim {
	struct account_job job;
	uint64_t mailbox_id;
};

static enum store_status
work_claim(struct store *store, struct account_job *job)
{
	uint32_t before;

	return store_mailbox_claim_recent(store, CONTAINER_OF(job, struct claim, job)->mailbox_id, &before);
}

/* A failure shows messages as recent once more, to nobody's harm. */
static void
on_claimed(struct account_job *job)
{
	free(CONTAINER_OF(job, struct claim, job));
}

void
state_claim_recent(struct state *state)
{
	struct claim *claim = NEW(struct claim);

	state->recent_uid = state->uidnext;
	claim->mailbox_id = state->mailbox_id;
	claim->job.kind = ACCOUNT_LAZY;
	claim->job.work = work_claim;
	claim->job.done = on_claimed;
	account_submit(state->account, &claim->job);
}

void
state_write_flags(const struct state *state, struct buffer *out, uint64_t flags, bool is_recent)
{
	imap_flags_write(out, flags, state->keywords, state->keyword_count, is_recent);
}
