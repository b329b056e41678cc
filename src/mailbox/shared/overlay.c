/*
 * Loading of overlays, and tidying up what they are made from.
 */
#include "overlay.h"

#include <stdlib.h>

#include "base/random.h"

#define TIDY_RANGES  64		/* fewer are left as they are */
#define MODSEQS_MAX  1000	/* ranges that differ by their modseqs alone are joined beyond that */
#define LOOKED_AT    16		/* of the other mailboxes of the owner, whether they are still there */

struct overlay_load {
	char *owner;
	uint64_t mailbox_id;
	struct store_seen seen;
	bool is_unsettled;		/* some of it has no modseq */
	uint64_t modseq;		/* what is doubtful or unsettled gets; 0: nothing is */
	struct arena *arena;
	uint64_t *known, *gone;		/* mailboxes of the owner of which something is known; that are not there */
	size_t known_count, gone_count;
};

/* What is written into the viewer's file when an overlay was loaded. */
struct tidying {
	struct account_job job;
	char *owner;
	struct store_seen_mailbox mailbox;
	bool is_doubtful;
	uint64_t modseq;		/* or 0 */
	struct store_seen_range *ranges;	/* in the place of others; or NULL */
	size_t count;
	uint64_t gone[LOOKED_AT];
	size_t gone_count;
};

struct overlay *
overlay_new(struct state *state, struct account *viewer)
{
	struct overlay *overlay = NEW(struct overlay);

	overlay->state = state;
	overlay->viewer = account_keep(viewer);
	list_init(&overlay->changes);
	list_push_back(account_overlays(viewer), &overlay->link);
	return overlay;
}

void
overlay_free(struct overlay **overlay)
{
	struct overlay *freed = *overlay;

	*overlay = NULL;
	if (freed == NULL)
		return;
	list_remove(&freed->link);
	account_release(&freed->viewer);
	free(freed);
}

struct store_seen_mailbox
overlay_mailbox(const struct state *state)
{
	return (struct store_seen_mailbox){ account_id(state->account), state->mailbox_id, state->uidvalidity };
}

struct overlay_load *
overlay_load_new(const struct state *state)
{
	struct overlay_load *load = NEW(struct overlay_load);

	load->owner = memory_copy_string(account_id(state->account));
	load->mailbox_id = state->mailbox_id;
	load->arena = arena_new();
	return load;
}

void
overlay_load_free(struct overlay_load **load)
{
	struct overlay_load *freed = *load;

	*load = NULL;
	if (freed == NULL)
		return;
	store_seen_fini(&freed->seen);
	arena_free(&freed->arena);
	free(freed->owner);
	free(freed);
}

enum store_status
overlay_load_viewers(struct overlay_load *load, struct store *store)
{
	const struct store_seen_mailbox mailbox = { .owner = load->owner, .id = load->mailbox_id };
	enum store_status status = store_seen_load(store, &mailbox, &load->seen);

	for (size_t i = 0; i < load->seen.count; i++)
		load->is_unsettled |= load->seen.ranges[i].modseq == 0;
	if (status != STORE_OK)
		return status;
	return store_seen_mailboxes(store, load->owner, load->arena, &load->known, &load->known_count);
}

bool
overlay_load_takes_modseq(const struct overlay_load *load)
{
	return load->is_unsettled || load->seen.is_doubtful;
}

/* Some of them each time, from anywhere: in the end all are looked at. */
static enum store_status
look_for_gone(struct overlay_load *load, struct store *store)
{
	size_t count = load->known_count < LOOKED_AT ? load->known_count : LOOKED_AT;
	enum store_status status = STORE_OK;
	uint32_t begin;

	random_fill(&begin, sizeof begin);
	load->gone = arena_alloc_array(load->arena, count + 1, sizeof *load->gone);
	for (size_t i = 0; i < count && status == STORE_OK; i++) {
		uint64_t id = load->known[(begin + i) % load->known_count];
		bool is_gone = false;

		status = store_mailbox_is_gone(store, id, &is_gone);
		if (is_gone)
			load->gone[load->gone_count++] = id;
	}
	return status;
}

enum store_status
overlay_load_owners(struct overlay_load *load, struct store *store)
{
	enum store_status status = STORE_OK;

	if (overlay_load_takes_modseq(load))
		status = store_mailbox_take_modseq(store, load->mailbox_id, &load->modseq);
	return status == STORE_OK ? look_for_gone(load, store) : status;
}

/* Ranges that say the same of the messages that are there. */
struct shorter {
	struct store_seen_range *ranges;
	size_t count;
	uint64_t floor_modseq;
	uint64_t least_modseq;		/* lower ones are raised to this: that tells more than is true, never less */
	const struct store_seen_range *last;	/* of the message before */
};

static void
add_message(struct shorter *shorter, uint32_t uid, const struct store_seen_range *range)
{
	struct store_seen_range *before = shorter->count == 0 ? NULL : &shorter->ranges[shorter->count - 1];
	bool follows = shorter->last != NULL;
	uint64_t modseq;

	shorter->last = NULL;
	if (range == NULL || (!range->is_seen && range->modseq <= shorter->floor_modseq))
		return;
	shorter->last = range;
	modseq = range->modseq < shorter->least_modseq ? shorter->least_modseq : range->modseq;
	if (follows && before->is_seen == range->is_seen && before->modseq == modseq)
		before->last = uid;
	else
		shorter->ranges[shorter->count++] = (struct store_seen_range){ uid, uid, range->is_seen, modseq };
}

/* The range that has a UID; *place goes on from the UID before. */
static const struct store_seen_range *
range_of(const struct store_seen *seen, size_t *place, uint32_t uid)
{
	while (*place < seen->count && seen->ranges[*place].last < uid)
		(*place)++;
	return *place < seen->count && seen->ranges[*place].first <= uid ? &seen->ranges[*place] : NULL;
}

static void
shorten(const struct state *state, const struct store_seen *seen, uint64_t least_modseq, struct shorter *shorter)
{
	size_t place = 0;

	shorter->count = 0;
	shorter->last = NULL;
	shorter->floor_modseq = seen->floor_modseq;
	shorter->least_modseq = least_modseq;
	for (size_t i = 0; i < state->count; i++)
		add_message(shorter, state->messages[i].uid, range_of(seen, &place, state->messages[i].uid));
}

static int
compare_modseqs(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* The modseq that the newest MODSEQS_MAX ranges have at least. */
static uint64_t
modseq_of_old(const struct shorter *shorter)
{
	uint64_t *modseqs = memory_new_array(shorter->count, sizeof *modseqs), old;

	for (size_t i = 0; i < shorter->count; i++)
		modseqs[i] = shorter->ranges[i].modseq;
	qsort(modseqs, shorter->count, sizeof *modseqs, compare_modseqs);
	old = modseqs[shorter->count - MODSEQS_MAX];
	free(modseqs);
	return old;
}

/* Messages have gone, or changes were many: put down what is left of them when that is half as long. */
static void
tidy_ranges(const struct state *state, const struct store_seen *seen, struct tidying *tidying)
{
	struct shorter shorter = { 0 };

	if (seen->count < TIDY_RANGES)
		return;
	shorter.ranges = memory_new_array(state->count + 1, sizeof *shorter.ranges);
	shorten(state, seen, 0, &shorter);
	if (shorter.count > MODSEQS_MAX)
		shorten(state, seen, modseq_of_old(&shorter), &shorter);
	if (shorter.count > seen->count / 2) {
		free(shorter.ranges);
		return;
	}
	tidying->ranges = shorter.ranges;
	tidying->count = shorter.count;
}

static enum store_status
work_tidy(struct store *store, struct account_job *job)
{
	struct tidying *tidying = CONTAINER_OF(job, struct tidying, job);
	enum store_status status = STORE_OK;

	if (tidying->is_doubtful)
		status = store_seen_raise(store, &tidying->mailbox, tidying->modseq);
	else if (tidying->modseq != 0)
		status = store_seen_settle(store, &tidying->mailbox, tidying->modseq);
	if (status == STORE_OK && tidying->ranges != NULL)
		status = store_seen_replace(store, &tidying->mailbox, tidying->ranges, tidying->count);
	for (size_t i = 0; i < tidying->gone_count && status == STORE_OK; i++)
		status = store_seen_forget(store, tidying->owner, tidying->gone[i]);
	return status;
}

/* What has failed is tried again when it is loaded again. */
static void
on_tidied(struct account_job *job)
{
	struct tidying *tidying = CONTAINER_OF(job, struct tidying, job);

	free(tidying->owner);
	free(tidying->ranges);
	free(tidying);
}

/* A file that needs nothing is not written to. */
static void
tidy(const struct state *state, const struct overlay_load *load, bool is_same)
{
	struct tidying *tidying = NEW(struct tidying);

	tidying->owner = memory_copy_string(load->owner);
	tidying->mailbox = (struct store_seen_mailbox){ tidying->owner, state->mailbox_id, state->uidvalidity };
	tidying->is_doubtful = load->seen.is_doubtful;
	tidying->modseq = load->modseq;
	if (is_same)
		tidy_ranges(state, &load->seen, tidying);
	for (size_t i = 0; i < load->gone_count; i++)
		tidying->gone[tidying->gone_count++] = load->gone[i];
	tidying->job.kind = ACCOUNT_LAZY;
	tidying->job.work = work_tidy;
	tidying->job.done = on_tidied;
	if (tidying->modseq != 0 || tidying->ranges != NULL || tidying->gone_count > 0)
		account_submit(state->overlay->viewer, &tidying->job);
	else
		on_tidied(&tidying->job);
}

static void
raise_modseq(struct state *state, struct store_message *message, uint64_t modseq)
{
	if (message->modseq >= modseq)
		return;
	message->modseq = modseq;
	modseqs_note(&state->modseqs, message->uid, modseq);
}

/* What has no modseq has the one that was taken for it. */
static void
settle(struct overlay_load *load)
{
	for (size_t i = 0; i < load->seen.count; i++)
		if (load->seen.ranges[i].modseq == 0)
			load->seen.ranges[i].modseq = load->modseq;
	if (load->seen.is_doubtful)
		load->seen.floor_modseq = load->modseq;
}

void
overlay_apply(struct state *state, struct overlay_load *load)
{
	bool is_same = load->seen.uidvalidity == state->uidvalidity;
	size_t place = 0;

	settle(load);
	state->unseen = 0;
	for (size_t i = 0; i < state->count; i++) {
		struct store_message *message = &state->messages[i];
		const struct store_seen_range *range = is_same ? range_of(&load->seen, &place, message->uid) : NULL;

		message->flags &= ~STORE_FLAG_SEEN;
		if (range != NULL && range->is_seen)
			message->flags |= STORE_FLAG_SEEN;
		else
			state->unseen++;
		if (is_same || load->seen.is_doubtful)
			raise_modseq(state, message, load->seen.floor_modseq);
		if (range != NULL)
			raise_modseq(state, message, range->modseq);
	}
	tidy(state, load, is_same);
}
