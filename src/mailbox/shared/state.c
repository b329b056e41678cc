/*
 * Loading the state of a mailbox, keeping it, and losing it.  A job that was submitted before the load is in the
 * snapshot, one submitted after it comes home after it: so results that arrive while the state is loading are left
 * out (state_change.c).  Loop thread.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/bound.h"
#include "bulletin.h"
#include "metrics/metrics.h"
#include "overlay.h"
#include "state.h"

struct state_load {
	struct account_job job;
	struct state *state;		/* NULL: nobody waits any more */
	uint64_t mailbox_id;
	struct store_snapshot snapshot;
	struct modseqs modseqs;		/* of its messages */
	struct overlay_load *overlay;	/* what goes over it; or NULL */
};

static struct state *
find(struct account *account, uint64_t mailbox_id, const struct account *viewer)
{
	LIST_FOREACH(states_of(account_states(account), mailbox_id), link) {
		struct state *state = LIST_ENTRY(link, struct state, link);

		if (state->mailbox_id == mailbox_id && state->phase != STATE_GONE && overlay_viewer(state) == viewer)
			return state;
	}
	return NULL;
}

struct state *
state_find_for(struct account *account, uint64_t mailbox_id, const struct account *viewer)
{
	struct state *state = find(account, mailbox_id, viewer);

	return state != NULL && state->phase == STATE_READY ? state : NULL;
}

struct state *
state_find(struct account *account, uint64_t mailbox_id)
{
	return state_find_for(account, mailbox_id, NULL);
}

struct state *
state_find_named(struct account *account, struct span name)
{
	LIST_FOREACH(states_named(account_states(account), name), link) {
		struct state *state = LIST_ENTRY(link, struct state, name_link);

		if (state->phase == STATE_READY && state->overlay == NULL && span_equals(state->name, name))
			return state;
	}
	return NULL;
}

static void
forget_name(struct state *state)
{
	list_remove(&state->name_link);
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
	account_states(state->account)->count--;
	keywords_release(&state->keywords);
	answers_fini(&state->answers);
	for (size_t i = 0; i < STATE_EXTRAS; i++)
		if (state->extras[i] != NULL)
			state->extras[i]->on_gone(state->extras[i]);
	forget_name(state);
	modseqs_free(&state->modseqs);
	overlay_free(&state->overlay);
	free(state->messages);
	free(state);
}

size_t
state_octets(const struct state *state)
{
	return sizeof *state + state->capacity * sizeof state->messages[0] + modseqs_octets(&state->modseqs) + keywords_octets(state->keywords) +
	    state->answers.octets;
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
		state_cache_add(account_state_cache(released->account), &released->place, state_octets(released));
	else
		state_free(released);
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
take_loaded(struct state *state, struct state_load *load)
{
	struct store_snapshot *snapshot = &load->snapshot;
	const struct store_mailbox *mailbox = &snapshot->mailbox;

	state->messages = snapshot->messages;
	snapshot->messages = NULL;
	state->count = state->capacity = snapshot->count;
	state->modseqs = load->modseqs;
	load->modseqs = (struct modseqs){ .count = 0 };
	state->uidvalidity = mailbox->uidvalidity;
	state->uidnext = mailbox->uidnext;
	state->recent_uid = mailbox->recent_uid;
	state->unseen = mailbox->unseen;
	state->deleted = mailbox->deleted;
	state->size_octets = mailbox->size_octets;
	state->deleted_octets = mailbox->deleted_octets;
	state->name = span_of(memory_copy_string(mailbox->name), strlen(mailbox->name));
	list_push_back(states_named(account_states(state->account), state->name), &state->name_link);
	state->highest_modseq = state->flags_modseq = mailbox->highest_modseq;
	state->expunged_modseq = snapshot->expunged_modseq;
	keywords_learn(&state->keywords, &snapshot->keywords);
	if (load->overlay != NULL)
		overlay_apply(state, load->overlay);
	state->phase = STATE_READY;
}

static enum store_status
work_load(struct store *store, struct account_job *job)
{
	struct state_load *load = CONTAINER_OF(job, struct state_load, job);
	enum store_status status = STORE_OK;

	if (load->overlay != NULL)
		status = overlay_load_owners(load->overlay, store);
	if (status == STORE_OK)
		status = store_snapshot_init(store, load->mailbox_id, &load->snapshot);
	if (status == STORE_OK)
		modseqs_note_all(&load->modseqs, load->snapshot.messages, load->snapshot.count);
	return status;
}

static void
free_load(struct state_load *load)
{
	modseqs_free(&load->modseqs);
	store_snapshot_fini(&load->snapshot);
	overlay_load_free(&load->overlay);
	free(load);
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
			take_loaded(state, load);
		else
			state->phase = STATE_GONE;
		if (job->status != STORE_OK)
			state->status = job->status;
		tell_waiters(state);
		state_release(&state);
	}
	free_load(load);
}

/* What the viewer has seen is read first: then what the owner's file tells comes home in the order of its commits. */
static enum store_status
work_load_seen(struct store *store, struct account_job *job)
{
	return overlay_load_viewers(CONTAINER_OF(job, struct state_load, job)->overlay, store);
}

static void
on_seen_loaded(struct account_job *job)
{
	struct state_load *load = CONTAINER_OF(job, struct state_load, job);
	struct state *state = load->state;

	if (state == NULL || job->status != STORE_OK || state->phase != STATE_LOADING) {
		on_loaded(job);
		return;
	}
	load->job.kind = overlay_load_takes_modseq(load->overlay) ? ACCOUNT_LAZY : ACCOUNT_READ;
	load->job.work = work_load;
	load->job.done = on_loaded;
	account_submit(state->account, &load->job);
}

static void
submit_load(struct state *state)
{
	struct state_load *load = state->load;

	if (state->overlay == NULL) {
		load->job.kind = ACCOUNT_READ;
		load->job.work = work_load;
		load->job.done = on_loaded;
		account_submit(state->account, &load->job);
		return;
	}
	load->overlay = overlay_load_new(state);
	load->job.kind = ACCOUNT_READ;
	load->job.work = work_load_seen;
	load->job.done = on_seen_loaded;
	account_submit(state->overlay->viewer, &load->job);
}

static struct state *
state_new(struct account *account, uint64_t mailbox_id, struct account *viewer)
{
	struct state *state = NEW(struct state);

	state->account = account;
	state->mailbox_id = mailbox_id;
	state->keywords = keywords_new();
	state_place_init(&state->place, on_drop);
	list_init(&state->listeners);
	list_init(&state->waiters);
	list_init(&state->name_link);
	list_push_back(states_of(account_states(account), mailbox_id), &state->link);
	account_states(account)->count++;
	state->load = NEW(struct state_load);
	state->load->state = state;
	state->load->mailbox_id = mailbox_id;
	if (viewer != NULL)
		state->overlay = overlay_new(state, viewer);
	submit_load(state);
	return state;
}

void
state_hold_for(struct account *account, uint64_t mailbox_id, struct account *viewer, struct state_waiter *waiter)
{
	struct state *state = find(account, mailbox_id, viewer);

	metric_count(METRIC_CACHE, METRIC_CACHE_STATE, state != NULL ? METRIC_HIT : METRIC_MISS);
	if (state == NULL)
		state = state_new(account, mailbox_id, viewer);
	else if (state->holders == 0)
		state_cache_remove(account_state_cache(account), &state->place);
	state->holders++;
	if (state->phase == STATE_READY)
		waiter->on_ready(waiter, state);
	else
		list_push_back(&state->waiters, &waiter->link);
}

void
state_hold(struct account *account, uint64_t mailbox_id, struct state_waiter *waiter)
{
	state_hold_for(account, mailbox_id, NULL, waiter);
}

size_t
state_lower_bound(const struct state *state, uint32_t uid)
{
	return LOWER_BOUND(state->count, middle, state->messages[middle].uid < uid);
}

size_t
state_changed_from(const struct state *state, size_t index, uint64_t since)
{
	while (index < state->count) {
		uint32_t uid = state->messages[index].uid, next = modseqs_next(&state->modseqs, uid, since);

		if (next == uid)
			return index;
		index = next == 0 ? state->count : state_lower_bound(state, next);
	}
	return index;
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
		.deleted_octets = state->deleted_octets,
		.highest_modseq = state->highest_modseq,
	};
}

uint32_t
state_recent_count(const struct state *state)
{
	return (uint32_t)(state->count - state_lower_bound(state, state->recent_uid));
}

void
state_tell_listeners(struct state *state)
{
	LIST_FOREACH(&state->listeners, link) {
		struct state_listener *listener = LIST_ENTRY(link, struct state_listener, link);

		listener->on_change(listener);
	}
}

void
state_keywords_changed(struct account *account, uint64_t mailbox_id, const struct store_keywords *news)
{
	LIST_FOREACH(states_of(account_states(account), mailbox_id), link) {
		struct state *state = LIST_ENTRY(link, struct state, link);

		if (state->mailbox_id != mailbox_id || state->phase != STATE_READY)
			continue;
		keywords_shed(&state->keywords, state->messages, state->count);
		keywords_learn(&state->keywords, news);
		state_tell_listeners(state);
	}
}

/* One that is loading knows none: its snapshot may be older than what the job will do. */
size_t
state_known_keywords(struct account *account, uint64_t mailbox_id)
{
	size_t least = STORE_KEYWORDS_UNTOLD;

	LIST_FOREACH(states_of(account_states(account), mailbox_id), link) {
		const struct state *state = LIST_ENTRY(link, struct state, link);

		if (state->mailbox_id == mailbox_id && state->phase != STATE_GONE && state->keywords->all.count < least)
			least = state->keywords->all.count;
	}
	return least;
}

void
state_forget_names(struct account *account)
{
	for (size_t i = 0; i < STATES_LISTS; i++)
		LIST_FOREACH(&account_states(account)->by_name[i], link)
			forget_name(LIST_ENTRY(link, struct state, name_link));
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
	state_tell_listeners(state);
}

static void
lose_all(struct account *account, uint64_t mailbox_id, enum store_status status)
{
	LIST_FOREACH(states_of(account_states(account), mailbox_id), link) {
		struct state *state = LIST_ENTRY(link, struct state, link);

		if (state->mailbox_id == mailbox_id && state->phase != STATE_GONE)
			lose(state, status);
	}
}

void
state_deleted(struct account *account, uint64_t mailbox_id)
{
	account_has_garbage(account);
	lose_all(account, mailbox_id, STORE_NOT_FOUND);
}

void
state_outdated(struct account *account, uint64_t mailbox_id)
{
	lose_all(account, mailbox_id, STORE_UNAVAILABLE);
}

static void
lose_listed(struct list *states)
{
	LIST_FOREACH(states, link) {
		struct state *state = LIST_ENTRY(link, struct state, link);

		if (state->phase != STATE_GONE)
			lose(state, STORE_UNAVAILABLE);
	}
}

void
state_all_lost(struct account *account)
{
	for (size_t i = 0; i < STATES_LISTS; i++)
		lose_listed(&account_states(account)->by_mailbox[i]);
	LIST_FOREACH(account_overlays(account), link) {
		struct state *state = LIST_ENTRY(link, struct overlay, link)->state;
		struct account *owner = state->account;

		if (state->phase != STATE_GONE)
			lose(state, STORE_UNAVAILABLE);
		account_tend(owner);	/* it may have waited for that one to go */
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
	struct claim *claim;

	state->recent_uid = state->uidnext;
	if (state->overlay != NULL)	/* they stay recent to the owner */
		return;
	if (state->claimed_uid == state->uidnext)
		return;
	state->claimed_uid = state->uidnext;
	claim = NEW(struct claim);
	claim->mailbox_id = state->mailbox_id;
	claim->job.kind = ACCOUNT_LAZY;
	claim->job.work = work_claim;
	claim->job.done = on_claimed;
	account_submit(state->account, &claim->job);
}

void
state_note_claimed(struct account *account, uint64_t mailbox_id)
{
	struct state *state = state_find(account, mailbox_id);

	if (state != NULL)
		state->claimed_uid = state->uidnext;
}
