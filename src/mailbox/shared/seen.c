/*
 * From the viewer's queue to the owner's, and a last word to the viewer's that nobody waits for.
 */
#include "seen.h"

#include <assert.h>
#include <stdlib.h>

/* That word: the modseq; or, when there is none, that it is as it was. */
struct conclusion {
	struct account_job job;
	char *owner;
	struct store_seen_mailbox mailbox;
	uint64_t modseq;		/* 0: there is none */
	struct store_uid_range *ranges;	/* owned */
	size_t range_count;
	bool was_seen;
};

void
seen_change_begin(struct seen_change *change, struct state *state)
{
	struct overlay *overlay = state->overlay;
	bool is_first = list_is_empty(&overlay->changes);

	assert(state->holders > 0);
	state->holders++;
	change->state = state;
	list_push_back(&overlay->changes, &change->link);
	if (is_first)
		change->on_turn(change);
}

void
seen_change_end(struct seen_change *change)
{
	struct list *changes = &change->state->overlay->changes;
	struct seen_change *next;

	list_remove(&change->link);
	if (!list_is_empty(changes)) {
		next = LIST_ENTRY(changes->next, struct seen_change, link);
		next->on_turn(next);
	}
	state_release(&change->state);
}

static enum store_status
work_conclude(struct store *store, struct account_job *job)
{
	struct conclusion *conclusion = CONTAINER_OF(job, struct conclusion, job);

	if (conclusion->modseq != 0)
		return store_seen_settle(store, &conclusion->mailbox, conclusion->modseq);
	return store_seen_change(store, &conclusion->mailbox, conclusion->ranges, conclusion->range_count,
	    conclusion->was_seen);
}

/* A failure leaves it unsettled, which the next one to load it sees to. */
static void
on_concluded(struct account_job *job)
{
	struct conclusion *conclusion = CONTAINER_OF(job, struct conclusion, job);

	free(conclusion->owner);
	free(conclusion->ranges);
	free(conclusion);
}

/* Takes the ranges. */
static void
conclude(struct seen_change *change)
{
	struct conclusion *conclusion = NEW(struct conclusion);

	conclusion->owner = memory_copy_string(change->mailbox.owner);
	conclusion->mailbox = change->mailbox;
	conclusion->mailbox.owner = conclusion->owner;
	conclusion->modseq = change->modseq;
	conclusion->ranges = change->ranges;
	conclusion->range_count = change->range_count;
	conclusion->was_seen = !change->is_seen;
	change->ranges = NULL;
	conclusion->job.kind = ACCOUNT_LAZY;
	conclusion->job.work = work_conclude;
	conclusion->job.done = on_concluded;
	account_submit(overlay_viewer(change->state), &conclusion->job);
}

static enum store_status
work_owners(struct store *store, struct account_job *job)
{
	struct seen_change *change = CONTAINER_OF(job, struct seen_change, owners);
	enum store_status status = change->check == NULL ? STORE_OK : change->check(store, change);

	return status != STORE_OK ? status : store_mailbox_take_modseq(store, change->mailbox.id, &change->modseq);
}

static void
on_owners(struct account_job *job)
{
	struct seen_change *change = CONTAINER_OF(job, struct seen_change, owners);

	if (job->status != STORE_OK)
		change->modseq = 0;
	conclude(change);
	change->done(change, job->status);
}

static enum store_status
work_viewers(struct store *store, struct account_job *job)
{
	struct seen_change *change = CONTAINER_OF(job, struct seen_change, viewers);

	return store_seen_change(store, &change->mailbox, change->ranges, change->range_count, change->is_seen);
}

static void
on_viewers(struct account_job *job)
{
	struct seen_change *change = CONTAINER_OF(job, struct seen_change, viewers);

	if (job->status != STORE_OK) {
		free(change->ranges);
		change->ranges = NULL;
		change->done(change, job->status);
		return;
	}
	change->owners.kind = ACCOUNT_LAZY;
	change->owners.work = work_owners;
	change->owners.done = on_owners;
	account_submit(change->state->account, &change->owners);
}

/* Messages that follow each other are one range, whatever UIDs have gone between them. */
static void
find_ranges(struct seen_change *change)
{
	const struct state *state = change->state;
	size_t next = SIZE_MAX;		/* where the message behind the last range is, if there is one */

	change->ranges = memory_new_array(change->count, sizeof *change->ranges);
	change->range_count = 0;
	for (size_t i = 0; i < change->count; i++) {
		uint32_t uid = change->uids[i];
		bool follows = next < state->count && state->messages[next].uid == uid;
		size_t place = follows ? next : state_lower_bound(state, uid);

		if (follows)
			change->ranges[change->range_count - 1].last = uid;
		else
			change->ranges[change->range_count++] = (struct store_uid_range){ uid, uid };
		next = place < state->count && state->messages[place].uid == uid ? place + 1 : SIZE_MAX;
	}
}

/* Those that have it already, or are gone, do not change. */
static void
drop_others(struct seen_change *change)
{
	size_t kept = 0;

	for (size_t i = 0; i < change->count; i++) {
		const struct store_message *message = state_message(change->state, change->uids[i]);

		if (message != NULL && ((message->flags & STORE_FLAG_SEEN) != 0) != change->is_seen)
			change->uids[kept++] = change->uids[i];
	}
	change->count = kept;
}

void
seen_change_write(struct seen_change *change)
{
	drop_others(change);
	if (change->count == 0) {
		change->done(change, STORE_OK);
		return;
	}
	change->mailbox = overlay_mailbox(change->state);
	change->modseq = 0;
	find_ranges(change);
	change->viewers.kind = ACCOUNT_LAZY;
	change->viewers.work = work_viewers;
	change->viewers.done = on_viewers;
	account_submit(overlay_viewer(change->state), &change->viewers);
}
