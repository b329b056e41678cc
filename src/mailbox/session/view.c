/*
 * Message numbers of a view: the rank of a UID among the messages of the state below the limit and the
 * ghosts together, by two binary searches.  Loop thread.
 */
#include <assert.h>
#include <stdlib.h>

#include "../shared/seen.h"
#include "base/bound.h"
#include "view.h"

#define KNOWN_MAX 16384	/* at most 384 KiB, while the client asks for no news */

static size_t
ghost_lower_bound(const struct view *view, uint32_t uid)
{
	return LOWER_BOUND(view->ghost_count, middle, view->ghosts[middle] < uid);
}

/* How many of the state's messages the client knows of. */
static size_t
live_count(const struct view *view)
{
	const struct state *state = view->state;

	if (state->count == 0 || state->messages[state->count - 1].uid < view->limit_uid)
		return state->count;
	return state_lower_bound(state, view->limit_uid);
}

static void
add_recent(struct view *view, uint32_t first, uint32_t last)
{
	if (view->recent_count > 0 && view->recent[view->recent_count - 1].last == first - 1) {
		view->recent[view->recent_count - 1].last = last;
		return;
	}
	if (view->recent_count == view->recent_capacity) {
		view->recent_capacity = view->recent_capacity * 2 + 4;
		view->recent = memory_resize(view->recent, view->recent_capacity, sizeof view->recent[0]);
	}
	view->recent[view->recent_count++] = (struct imap_range){ first, last };
}

/* Raise the limit; what is new and nobody was told of before is recent here. */
void
view_raise_limit(struct view *view)
{
	struct state *state = view->state;
	uint32_t from = view->limit_uid > state->recent_uid ? view->limit_uid : state->recent_uid;

	if (from < state->uidnext)
		add_recent(view, from, state->uidnext - 1);
	if (!view->is_read_only && (view->who == NULL || state->overlay != NULL) && state->recent_uid < state->uidnext)
		state_claim_recent(state);
	view->limit_uid = state->uidnext;
}

/* Merge from the end, so that no third array is needed. */
static void
merge_ghosts(struct view *view, const uint32_t *uids, size_t count)
{
	size_t to = view->ghost_count + count, from = view->ghost_count;

	if (to > view->ghost_capacity) {
		view->ghost_capacity = to + to / 2 + 8;
		view->ghosts = memory_resize(view->ghosts, view->ghost_capacity, sizeof view->ghosts[0]);
	}
	view->ghost_count = to;
	while (count > 0) {
		if (from > 0 && view->ghosts[from - 1] > uids[count - 1])
			view->ghosts[--to] = view->ghosts[--from];
		else
			view->ghosts[--to] = uids[--count];
	}
}

static void
on_going(struct state_listener *listener, const uint32_t *uids, size_t count, uint64_t modseq)
{
	struct view *view = CONTAINER_OF(listener, struct view, listener);

	while (count > 0 && uids[count - 1] >= view->limit_uid)
		count--;
	if (count == 0)
		return;
	if (view->ghost_count == 0)
		view->ghost_modseq = modseq;
	merge_ghosts(view, uids, count);
}

/* One that was changed before and not announced since is kept as it was then. */
static void
on_flags(struct state_listener *listener, const struct store_message *message)
{
	struct view *view = CONTAINER_OF(listener, struct view, listener);

	if (view->is_own_change || message->modseq > view->told_modseq || message->uid >= view->limit_uid ||
	    view->known_count == KNOWN_MAX)
		return;
	if (view->known_count == view->known_capacity) {
		view->known_capacity = view->known_capacity * 2 + 8;
		view->known = memory_resize(view->known, view->known_capacity, sizeof *view->known);
	}
	view->known[view->known_count++] = (struct view_known){ message->uid, message->flags, message->modseq };
}

void
view_keep_known(struct view *view)
{
	view->listener.on_flags = on_flags;
}

void
view_forget_known(struct view *view)
{
	free(view->known);
	view->known = NULL;
	view->known_count = view->known_capacity = 0;
}

static int
compare_uids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

void
view_apply_known(const struct view *view, const uint32_t *uids, size_t count, struct store_flag_known *known)
{
	for (size_t i = 0; i < view->known_count; i++) {
		const struct view_known *was = &view->known[i];
		const uint32_t *place = bsearch(&was->uid, uids, count, sizeof *uids, compare_uids);

		if (place != NULL)
			known[place - uids] = (struct store_flag_known){ was->flags, was->modseq };
	}
}

static void
on_change(struct state_listener *listener)
{
	struct view *view = CONTAINER_OF(listener, struct view, listener);

	view->on_news(view->context);
}

struct view *
view_new(struct state *state, bool is_read_only, void (*on_news)(void *context), void *context)
{
	return view_new_with(state, is_read_only, NULL, IMAP_RIGHTS_ALL, on_news, context);
}

/* A client that was told of nothing. */
static struct view *
begin(struct state *state, bool is_examined, const struct store_identity *who, unsigned rights,
    void (*on_news)(void *context), void *context)
{
	struct view *view = NEW(struct view);

	assert(state->phase == STATE_READY);
	view->state = state;
	view->is_examined = is_examined;
	view->is_read_only = is_examined || (rights & VIEW_WRITE_RIGHTS) == 0;
	view->who = who;
	view->rights = rights;
	view->limit_uid = 1;
	view->told_modseq = state->highest_modseq;
	view->told_keywords = state->keywords->all.count;
	view->on_news = on_news;
	view->context = context;
	view->listener.on_change = on_change;
	view->listener.on_going = on_going;
	list_push_back(&state->listeners, &view->listener.link);
	return view;
}

struct view *
view_new_with(struct state *state, bool is_examined, const struct store_identity *who, unsigned rights,
    void (*on_news)(void *context), void *context)
{
	struct view *view = begin(state, is_examined, who, rights, on_news, context);

	view_raise_limit(view);
	view->told_exists = view_count(view);
	return view;
}

void
view_remember(const struct view *view, struct arena *arena, struct view_memory *memory_out)
{
	struct imap_sequence ghosts = { .ranges = arena_alloc_array(arena, view->ghost_count + 1, sizeof *ghosts.ranges) };

	for (size_t i = 0; i < view->ghost_count; i++) {
		if (ghosts.count > 0 && ghosts.ranges[ghosts.count - 1].last == view->ghosts[i] - 1)
			ghosts.ranges[ghosts.count - 1].last++;
		else
			ghosts.ranges[ghosts.count++] = (struct imap_range){ view->ghosts[i], view->ghosts[i] };
	}
	*memory_out = (struct view_memory){
		.limit_uid = view->limit_uid,
		.told_exists = view->told_exists,
		.told_recent = view->told_recent,
		.told_modseq = view->told_modseq,
		.told_keywords = view->told_keywords,
		.ghost_modseq = view->ghost_modseq,
		.owes_flags = view->owes_flags,
		.owes_modseq = view->owes_modseq,
		.ghosts = ghosts,
		.recent = { .ranges = view->recent, .count = view->recent_count },
		.known = view->known,
		.known_count = view->known_count,
	};
}

static void
take_memory(struct view *view, const struct view_memory *memory)
{
	view->limit_uid = memory->limit_uid;
	view->told_exists = memory->told_exists;
	view->told_recent = memory->told_recent;
	view->told_modseq = memory->told_modseq;
	view->told_keywords = (size_t)memory->told_keywords;
	view->ghost_modseq = memory->ghost_modseq;
	view->owes_flags = memory->owes_flags;
	view->owes_modseq = memory->owes_modseq;
	for (size_t i = 0; i < memory->recent.count; i++)
		add_recent(view, memory->recent.ranges[i].first, memory->recent.ranges[i].last);
	for (uint32_t uid = 0; imap_sequence_next(&memory->ghosts, &uid);)
		merge_ghosts(view, &uid, 1);
	if (memory->known_count == 0)
		return;
	view->known = memory_new_array(memory->known_count, sizeof *view->known);
	memcpy(view->known, memory->known, memory->known_count * sizeof *view->known);
	view->known_count = view->known_capacity = memory->known_count;
}

/* What is behind the state is not its past; and the client counts what is there, and what it was not told has gone. */
static bool
fits(const struct view *view)
{
	const struct state *state = view->state;

	if (view->limit_uid > state->uidnext || view->told_modseq > state->highest_modseq ||
	    view->told_keywords > state->keywords->all.count || view->told_exists != view_count(view))
		return false;
	for (size_t i = 0; i < view->ghost_count; i++)
		if (view->ghosts[i] >= view->limit_uid || state_message(state, view->ghosts[i]) != NULL)
			return false;
	return true;
}

/* Whether it can be taken at a cost that the mailbox itself bounds. */
static bool
is_bounded(const struct view_memory *memory, const struct state *state)
{
	uint64_t ghosts = imap_sequence_size(&memory->ghosts);

	return memory->limit_uid <= state->uidnext && ghosts <= memory->limit_uid && ghosts <= memory->told_exists;
}

struct view *
view_resume(struct state *state, bool is_examined, const struct view_memory *memory, void (*on_news)(void *context),
    void *context)
{
	struct view *view = begin(state, is_examined, NULL, IMAP_RIGHTS_ALL, on_news, context);
	bool can_be_taken = is_bounded(memory, state);

	if (can_be_taken)
		take_memory(view, memory);
	if (!can_be_taken || !fits(view))
		view_free(&view);
	return view;
}

bool
view_set_rights(struct view *view, unsigned rights)
{
	if (view->rights == rights)
		return false;
	view->rights = rights;
	view->is_read_only = view->is_examined || (rights & VIEW_WRITE_RIGHTS) == 0;
	view->owes_flags = true;
	return true;
}

bool
view_is_revoked(const struct view *view)
{
	return view->who != NULL && ((view->rights & IMAP_RIGHT_READ) == 0 || account_is_orphan(view->state->account));
}

uint64_t
view_flags_of(unsigned rights)
{
	uint64_t flags = 0;

	if ((rights & IMAP_RIGHT_SEEN) != 0)
		flags |= STORE_FLAG_SEEN;
	if ((rights & IMAP_RIGHT_DELETED) != 0)
		flags |= STORE_FLAG_DELETED;
	if ((rights & IMAP_RIGHT_WRITE) != 0)
		flags |= STORE_FLAGS_SYSTEM & ~(STORE_FLAG_SEEN | STORE_FLAG_DELETED);
	return flags;
}

void
view_free(struct view **view)
{
	if (*view == NULL)
		return;
	list_remove(&(*view)->listener.link);
	state_release(&(*view)->state);
	free((*view)->ghosts);
	free((*view)->recent);
	free((*view)->known);
	free(*view);
	*view = NULL;
}

uint32_t
view_count(const struct view *view)
{
	return (uint32_t)(live_count(view) + view->ghost_count);
}

/* How many ghosts have a number below this one. */
static size_t
ghosts_below(const struct view *view, uint32_t number)
{
	assert(number >= 1);
	return LOWER_BOUND(view->ghost_count, middle, state_lower_bound(view->state, view->ghosts[middle]) + middle + 1 < number);
}

static bool
is_ghost(const struct view *view, size_t ghost, uint32_t number)
{
	return ghost < view->ghost_count &&
	    state_lower_bound(view->state, view->ghosts[ghost]) + ghost + 1 == number;
}

/* The message with this number, which is behind so many ghosts and none itself. */
static const struct store_message *
message_at(const struct view *view, uint32_t number, size_t ghosts)
{
	assert(number - 1 - ghosts < view->state->count);
	return &view->state->messages[number - 1 - ghosts];
}

uint32_t
view_uid(const struct view *view, uint32_t number)
{
	size_t ghosts = ghosts_below(view, number);

	return is_ghost(view, ghosts, number) ? view->ghosts[ghosts] : message_at(view, number, ghosts)->uid;
}

uint32_t
view_last_uid(const struct view *view)
{
	uint32_t count = view_count(view);

	return count == 0 ? 0 : view_uid(view, count);
}

void
view_message(const struct view *view, uint32_t number, struct view_message *message_out)
{
	size_t ghosts = ghosts_below(view, number);

	*message_out = (struct view_message){ .number = number, .is_ghost = is_ghost(view, ghosts, number) };
	if (message_out->is_ghost)
		message_out->message.uid = view->ghosts[ghosts];
	else
		message_out->message = *message_at(view, number, ghosts);
	message_out->is_recent = view_is_recent(view, message_out->message.uid);
}

uint32_t
view_number_from(const struct view *view, uint32_t uid)
{
	if (uid >= view->limit_uid)
		return view_count(view) + 1;
	return (uint32_t)(state_lower_bound(view->state, uid) + ghost_lower_bound(view, uid) + 1);
}

uint32_t
view_number(const struct view *view, uint32_t uid)
{
	uint32_t number = view_number_from(view, uid);

	return number <= view_count(view) && view_uid(view, number) == uid ? number : 0;
}

bool
view_is_recent(const struct view *view, uint32_t uid)
{
	size_t low = LOWER_BOUND(view->recent_count, middle, view->recent[middle].last < uid);

	return low < view->recent_count && view->recent[low].first <= uid;
}

uint32_t
view_recent_count(const struct view *view)
{
	uint32_t count = 0;

	for (size_t i = 0; i < view->recent_count; i++) {
		const struct imap_range *range = &view->recent[i];
		uint32_t behind = range->last == UINT32_MAX ? view_count(view) + 1
		    : view_number_from(view, range->last + 1);

		count += behind - view_number_from(view, range->first);
	}
	return count;
}

void
view_flags_changed(struct view *view, struct account *account, uint64_t mailbox_id,
    const struct store_flag_result *results, size_t count)
{
	bool is_told = view->state->mailbox_id == mailbox_id && view->told_modseq >= view->state->flags_modseq;

	view->is_own_change = is_told;
	state_flags_changed(account, mailbox_id, results, count);
	view->is_own_change = false;
	if (is_told)
		view->told_modseq = view->state->flags_modseq;
}

void
view_seen_changed(struct view *view, const struct seen_change *change)
{
	bool is_told = view->state == change->state && view->told_modseq >= view->state->flags_modseq;

	view->is_own_change = is_told;
	state_seen_changed(change->state, change->uids, change->count, change->is_seen, change->modseq);
	view->is_own_change = false;
	if (is_told)
		view->told_modseq = view->state->flags_modseq;
}
