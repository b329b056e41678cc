/*
 * With CONDSTORE (RFC 7162) on both sides only what has changed since the last time is looked at: there, and here, since
 * what a user has changed here is set back as well.
 */
#include "mirror.h"

#include <stdlib.h>

#include "base/bound.h"
#include "base/memory.h"
#include "flag_sets.h"

#define UIDS_AT_ONCE 500
#define SET_OCTETS 900

/* Flags of the pairs of one place, on both sides; NULL: not known. */
struct comparison {
	struct transfer *transfer;
	struct target *target;
	struct flag_sets *sets;
	const struct flag_set **there, **here;	/* beside the pairs */
	size_t *by_here;		/* indices of pairs by their UID here */
};

/* ---- one mailbox here ----------------------------------------------------------------------------------- */

struct selected {
	uint64_t messages, modseq;	/* messages of STATUS alone */
	struct arena *arena;
	struct imap_sequence uids;
};

static bool
on_selected(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct selected *selected = context;
	const struct imap_sequence *all = &reply->search.all;

	(void)is_malformed;
	if (reply->kind == IMAP_REPLY_CONDITION && span_equals_nocase(reply->code.name, SPAN("HIGHESTMODSEQ")))
		selected->modseq = reply->code.number;
	if (reply->kind == IMAP_REPLY_STATUS) {
		selected->modseq = reply->status.highestmodseq;
		selected->messages = reply->status.messages;
	}
	if (reply->kind == IMAP_REPLY_SEARCH || reply->kind == IMAP_REPLY_ESEARCH) {
		struct imap_range *ranges = arena_alloc_array(selected->arena, all->count + 1, sizeof *ranges);

		if (all->count > 0)
			memcpy(ranges, all->ranges, all->count * sizeof *ranges);
		selected->uids = imap_sequence_of(ranges, all->count);
	}
	return true;
}

static bool
call(struct transfer *transfer, const char *words, const struct target *target, const char *behind, struct selected *selected)
{
	struct remote *here = transfer->pull->here;
	struct remote_answer answer;
	uint32_t number = remote_begin(here, words);
	bool is_alive;

	remote_listen(here, on_selected, selected);
	is_alive = remote_add_mailbox(here, buffer_span(&target->place->mailbox));
	buffer_add_string(remote_out(here), behind);
	remote_end(here);
	is_alive = is_alive && remote_wait(here, number, &answer);
	remote_listen(here, NULL, NULL);
	return is_alive;
}

static bool
list_here(struct transfer *transfer, const struct target *target, struct selected *selected)
{
	struct remote_answer answer;
	bool is_alive;

	if (!call(transfer, "SELECT ", target, "", selected))
		return false;
	remote_listen(transfer->pull->here, on_selected, selected);
	is_alive = remote_call(transfer->pull->here, "UID SEARCH RETURN (ALL) ALL", &answer);
	remote_listen(transfer->pull->here, NULL, NULL);
	return is_alive;
}

static bool
forget_deleted(struct transfer *transfer, struct target *target)
{
	struct selected selected = { .arena = arena_new() };
	struct pairs *pairs = &target->place->pairs;
	bool is_alive = list_here(transfer, target, &selected);

	for (size_t i = 0; is_alive && i < pairs->count; i++) {
		if (!imap_sequence_contains(&selected.uids, pairs->at[i].here))
			pairs->at[i].here = 0;
	}
	pairs_sweep(pairs);
	arena_free(&selected.arena);
	return is_alive;
}

bool
mirror_forget_deleted(struct transfer *transfer)
{
	for (size_t i = 0; i < transfer->target_count; i++) {
		if (!transfer->targets[i].is_refused && !forget_deleted(transfer, &transfer->targets[i]))
			return false;
	}
	return true;
}

/* A command about a set of UIDs: "UID STORE 1:3 FLAGS.SILENT (\Seen)".  False: the connection is lost. */
static bool
call_for_set(struct remote *remote, const char *words, struct span set, struct span behind, bool *is_ok_out)
{
	struct remote_answer answer;
	uint32_t number = remote_begin(remote, words);

	buffer_add_span(remote_out(remote), set);
	buffer_add_span(remote_out(remote), behind);
	remote_end(remote);
	if (!remote_wait(remote, number, &answer))
		return false;
	*is_ok_out = answer.condition == IMAP_REPLY_OK;
	return true;
}

/* ---- expunges ------------------------------------------------------------------------------------------- */

static bool
expunge_set(struct transfer *transfer, struct span set, size_t count)
{
	struct remote *here = transfer->pull->here;
	bool is_ok;

	if (!call_for_set(here, "UID STORE ", set, SPAN(" +FLAGS.SILENT (\\Deleted)"), &is_ok) ||
	    !call_for_set(here, "UID EXPUNGE ", set, SPAN(""), &is_ok))
		return false;
	if (is_ok)
		transfer->pull->report.expunged += count;
	return true;
}

/* What is not at the source any more goes here, too. */
static bool
expunge(struct transfer *transfer, struct target *target, const struct imap_sequence *uids)
{
	struct pairs *pairs = &target->place->pairs;
	bool is_alive = true;
	size_t i = 0;

	while (is_alive && i < pairs->count) {
		struct buffer set = { 0 };
		struct imap_set_writer writer = { .out = &set };
		size_t count = 0;

		for (; i < pairs->count && count < UIDS_AT_ONCE; i++) {
			if (imap_sequence_contains(uids, pairs->at[i].source))
				continue;
			imap_set_writer_add(&writer, pairs->at[i].here);
			pairs->at[i].here = 0;
			count++;
		}
		imap_set_writer_end(&writer);
		is_alive = count == 0 || expunge_set(transfer, buffer_span(&set), count);
		buffer_free(&set);
	}
	pairs_sweep(pairs);
	return is_alive;
}

/* ---- flags ---------------------------------------------------------------------------------------------- */

static const struct flag_set *
set_of(struct comparison *comparison, const struct imap_fetch_reply *fetch)
{
	struct message *message = &comparison->transfer->message;

	message_clear(message);
	receive_flags(comparison->transfer, fetch);
	return flag_sets_get(comparison->sets, message);
}

static bool
is_about_flags(const struct imap_reply *reply)
{
	const unsigned needed = IMAP_FETCH_HAS_UID | IMAP_FETCH_HAS_FLAGS;

	return reply->kind == IMAP_REPLY_FETCH && (reply->fetch.has & needed) == needed;
}

static bool
on_there(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct comparison *comparison = context;
	const struct pairs *pairs = &comparison->target->place->pairs;
	const struct pair *pair;

	(void)is_malformed;
	if (is_about_flags(reply) && (pair = pairs_find(pairs, reply->fetch.uid)) != NULL)
		comparison->there[pair - pairs->at] = set_of(comparison, &reply->fetch);
	return true;
}

/* The index of the pair with this UID here; SIZE_MAX: none. */
static size_t
find_here(const struct comparison *comparison, uint32_t uid)
{
	const struct pairs *pairs = &comparison->target->place->pairs;
	size_t low = LOWER_BOUND(pairs->count, middle, pairs->at[comparison->by_here[middle]].here < uid);

	return low < pairs->count && pairs->at[comparison->by_here[low]].here == uid ? comparison->by_here[low] : SIZE_MAX;
}

static bool
on_here(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct comparison *comparison = context;
	size_t index = is_about_flags(reply) ? find_here(comparison, reply->fetch.uid) : SIZE_MAX;

	(void)is_malformed;
	if (index != SIZE_MAX)
		comparison->here[index] = set_of(comparison, &reply->fetch);
	return true;
}

static int
by_uid_here(const void *a, const void *b, void *context)
{
	const struct pairs *pairs = context;
	uint32_t left = pairs->at[*(const size_t *)a].here, right = pairs->at[*(const size_t *)b].here;

	return left < right ? -1 : left > right;
}

static void
comparison_init(struct comparison *comparison, struct transfer *transfer, struct target *target)
{
	struct pairs *pairs = &target->place->pairs;

	*comparison = (struct comparison){ .transfer = transfer, .target = target, .sets = flag_sets_new() };
	comparison->there = memory_new_array(pairs->count + 1, sizeof *comparison->there);
	comparison->here = memory_new_array(pairs->count + 1, sizeof *comparison->here);
	comparison->by_here = memory_new_array(pairs->count + 1, sizeof *comparison->by_here);
	for (size_t i = 0; i < pairs->count; i++)
		comparison->by_here[i] = i;
	if (pairs->count > 0)
		qsort_r(comparison->by_here, pairs->count, sizeof *comparison->by_here, by_uid_here, pairs);
}

static void
comparison_fini(struct comparison *comparison)
{
	flag_sets_free(&comparison->sets);
	free(comparison->there);
	free(comparison->here);
	free(comparison->by_here);
}

/* Ask one side for all that has changed since a modseq; 0: for all.  False: the connection is lost. */
static bool
fetch_changed(struct comparison *comparison, bool is_here, uint64_t since)
{
	struct pull *pull = comparison->transfer->pull;
	struct remote *remote = is_here ? pull->here : pull->there;
	struct buffer command = { 0 };
	struct remote_answer answer;
	bool is_alive;

	buffer_printf(&command, "UID FETCH 1:* (UID FLAGS%s)", !is_here && pull->plan.is_gmail ? " X-GM-LABELS" : "");
	if (since > 0)
		buffer_printf(&command, " (CHANGEDSINCE %llu)", (unsigned long long)since);
	remote_listen(remote, is_here ? on_here : on_there, comparison);
	is_alive = remote_call(remote, buffer_string(&command), &answer);
	remote_listen(remote, NULL, NULL);
	buffer_free(&command);
	return is_alive;
}

/* Ask one side for the flags of what has changed on the other. */
static bool
fetch_others(struct comparison *comparison, bool is_here)
{
	struct pull *pull = comparison->transfer->pull;
	struct remote *remote = is_here ? pull->here : pull->there;
	const struct flag_set **mine = is_here ? comparison->here : comparison->there;
	const struct flag_set **others = is_here ? comparison->there : comparison->here;
	const struct pairs *pairs = &comparison->target->place->pairs;
	struct span items = !is_here && pull->plan.is_gmail ? SPAN(" (UID FLAGS X-GM-LABELS)") : SPAN(" (UID FLAGS)");
	bool is_alive = true, is_ok;

	remote_listen(remote, is_here ? on_here : on_there, comparison);
	for (size_t i = 0; is_alive && i < pairs->count;) {
		struct buffer set = { 0 };
		struct imap_set_writer writer = { .out = &set };

		for (; i < pairs->count && set.length < SET_OCTETS; i++) {
			if (mine[i] == NULL && others[i] != NULL)
				imap_set_writer_add(&writer, is_here ? pairs->at[i].here : pairs->at[i].source);
		}
		imap_set_writer_end(&writer);
		is_alive = set.length == 0 || call_for_set(remote, "UID FETCH ", buffer_span(&set), items, &is_ok);
		buffer_free(&set);
	}
	remote_listen(remote, NULL, NULL);
	return is_alive;
}

struct difference {
	const struct flag_set *wanted;
	uint32_t here;
};

static int
by_set(const void *a, const void *b)
{
	const struct difference *left = a, *right = b;

	if (left->wanted != right->wanted)
		return (uintptr_t)left->wanted < (uintptr_t)right->wanted ? -1 : 1;
	return left->here < right->here ? -1 : left->here > right->here;
}

/* Set the flags of the first of them that want the same; gives how many.  0: the connection is lost. */
static size_t
store_some(struct transfer *transfer, const struct difference *differences, size_t count)
{
	struct buffer set = { 0 }, behind = { 0 };
	struct imap_set_writer writer = { .out = &set };
	size_t done = 0;
	bool is_alive, is_ok = false;

	while (done < count && done < UIDS_AT_ONCE && differences[done].wanted == differences[0].wanted)
		imap_set_writer_add(&writer, differences[done++].here);
	imap_set_writer_end(&writer);
	buffer_add_string(&behind, " FLAGS.SILENT ");
	buffer_add_span(&behind, buffer_span(&differences[0].wanted->text));
	is_alive = call_for_set(transfer->pull->here, "UID STORE ", buffer_span(&set), buffer_span(&behind), &is_ok);
	if (is_ok)
		transfer->pull->report.changed += done;
	else if (is_alive)
		pull_note(transfer->pull, NOTE_NOT_TAKEN_OVER, "changed flags, which cannot be set here", buffer_span(&transfer->box->name));
	buffer_free(&set);
	buffer_free(&behind);
	return is_alive ? done : 0;
}

static bool
store_differences(struct comparison *comparison)
{
	const struct pairs *pairs = &comparison->target->place->pairs;
	struct difference *differences = memory_new_array(pairs->count + 1, sizeof *differences);
	size_t count = 0, done = 0, step = 1;

	for (size_t i = 0; i < pairs->count; i++) {
		if (comparison->there[i] != NULL && comparison->here[i] != NULL && comparison->there[i] != comparison->here[i])
			differences[count++] = (struct difference){ comparison->there[i], pairs->at[i].here };
	}
	qsort(differences, count, sizeof *differences, by_set);
	while (done < count && step > 0) {
		step = store_some(comparison->transfer, differences + done, count - done);
		done += step;
	}
	free(differences);
	return step > 0;
}

static bool
follow_flags(struct transfer *transfer, struct target *target, const struct examined *examined, uint64_t here_modseq)
{
	const struct place *place = target->place;
	bool knows_both = place->modseq > 0 && place->here_modseq > 0 && examined->modseq >= place->modseq;
	struct comparison comparison;
	bool is_alive = true;

	comparison_init(&comparison, transfer, target);
	if (!knows_both || examined->modseq != place->modseq)
		is_alive = fetch_changed(&comparison, false, knows_both ? place->modseq : 0);
	if (is_alive && (!knows_both || here_modseq != place->here_modseq))
		is_alive = fetch_changed(&comparison, true, knows_both ? place->here_modseq : 0);
	is_alive = is_alive && fetch_others(&comparison, true) && fetch_others(&comparison, false) && store_differences(&comparison);
	comparison_fini(&comparison);
	return is_alive;
}

bool
mirror_follow(struct transfer *transfer, const struct examined *examined, const struct imap_sequence *uids)
{
	bool is_alive = true;

	for (size_t i = 0; is_alive && i < transfer->target_count; i++) {
		struct target *target = &transfer->targets[i];
		struct selected selected = { 0 };

		if (target->is_refused || target->place->pairs.count == 0)
			continue;
		is_alive = call(transfer, "SELECT ", target, "", &selected) && (uids == NULL || expunge(transfer, target, uids)) &&
		    follow_flags(transfer, target, examined, selected.modseq);
	}
	return is_alive;
}

bool
mirror_settle(struct transfer *transfer, const struct examined *examined)
{
	for (size_t i = 0; i < transfer->target_count; i++) {
		struct target *target = &transfer->targets[i];
		struct selected selected = { 0 };

		if (target->is_refused || examined->modseq == 0 || !(transfer->pull->is_mirror || target->is_fresh))
			continue;
		if (!call(transfer, "STATUS ", target, " (HIGHESTMODSEQ)", &selected))
			return false;
		target->place->modseq = examined->modseq;
		target->place->here_modseq = selected.modseq;
	}
	return true;
}

bool
mirror_remove(struct pull *pull, struct place *place)
{
	struct transfer transfer = { .pull = pull };
	struct target target = { .place = place };
	struct imap_sequence none = { 0 };
	struct selected selected = { 0 };

	if (!call(&transfer, "SELECT ", &target, "", &selected) || !expunge(&transfer, &target, &none) ||
	    !call(&transfer, "STATUS ", &target, " (MESSAGES)", &selected) || !state_forget(pull->state, place))
		return false;
	if (selected.messages > 0 || span_equals(buffer_span(&place->mailbox), SPAN("INBOX")))
		return state_save(pull->state, place);
	pull_note(pull, NOTE_LEFT_OUT, "mailboxes that are gone at the source, and were deleted here", buffer_span(&place->mailbox));
	return call(&transfer, "DELETE ", &target, "", &selected);
}
