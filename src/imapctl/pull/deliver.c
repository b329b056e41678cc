/*
 * From a message to the mailboxes here, in the order of its UIDs: what comes too early is held back, up to a bound.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "facts.h"
#include "transfer.h"

#define SAVED_EACH 500		/* messages: what is not saved is found again by its contents */
#define HELD_OCTETS ((size_t)16 << 20)
#define HELD_MAX 1000

static void
store_pair(struct transfer *transfer, struct place *place, uint32_t uid, uint32_t here)
{
	if (here != 0)
		pairs_add(&place->pairs, uid, here);
	transfer->unsaved++;
}

void
transfer_on_stored(struct span mailbox, uint32_t number, uint32_t uid, void *context)
{
	struct transfer *transfer = ((struct pull *)context)->transfer;

	for (size_t i = 0; transfer != NULL && i < transfer->target_count; i++) {
		struct target *target = &transfer->targets[i];

		if (!span_equals(buffer_span(&target->encoded), mailbox))
			continue;
		store_pair(transfer, target->place, number, uid);
		/* While contents are compared, what was there before is not all known. */
		if (!target->is_checked && uid >= target->place->here_uidnext)
			target->place->here_uidnext = uid + 1;
	}
}

static bool
counts(uint32_t uid, void *target)
{
	return target_counts(target, uid);
}

/* Put the message into one mailbox, unless it is there.  False: the connection here is lost. */
static bool
deliver_to(struct transfer *transfer, struct span encoded, uint32_t number)
{
	struct pull *pull = transfer->pull;
	struct message *message = &transfer->message;
	struct target *target = transfer_target(transfer, encoded);
	uint32_t uid = 0;

	if (target == NULL)
		return false;
	if (target->is_refused) {
		pull_refused(pull, buffer_span(&message->origin), SPAN("its mailbox cannot be made"));
		return true;
	}
	if (target->is_checked && !known_find(pull->known, buffer_span(&target->encoded),
	    &(struct known_filter){ target->first_uid, counts, target }, message, &uid))
		return false;
	message->number = number;
	if (uid == 0)
		return appender_add(pull->appender, buffer_span(&target->encoded), message);
	pull->report.already++;
	if (number != 0)
		store_pair(transfer, target->place, number, uid);
	return true;
}

/* The copies go first: where the message itself is recorded, they are here.  The number is its UID at the source. */
static bool
deliver(struct transfer *transfer, uint32_t number)
{
	struct message *message = &transfer->message;
	struct span copies = buffer_span(&message->copies);
	bool is_alive = true;

	while (is_alive && copies.length > 0) {
		size_t end = span_find(copies, '\0');

		is_alive = deliver_to(transfer, span_slice(copies, 0, end), 0);
		copies = span_from(copies, end + 1);
	}
	return is_alive && deliver_to(transfer, message->mailbox.length > 0 ? buffer_span(&message->mailbox) :
	    buffer_span(&transfer->box->encoded), number);
}

static bool
save_sometimes(struct transfer *transfer)
{
	return transfer->unsaved < SAVED_EACH || transfer_save(transfer);
}

/* ---- in order ------------------------------------------------------------------------------------------- */

/* --verify: nothing is delivered. */
static void
note_fact(struct transfer *transfer)
{
	uint32_t uid = transfer->message.number;

	facts_fill(transfer->verification, &transfer->verification->there[uids_find(&transfer->uids, uid)], uid,
	    &transfer->message);
}

static bool
deliver_now(struct transfer *transfer)
{
	struct pull *pull = transfer->pull;

	if (transfer->verification != NULL) {
		note_fact(transfer);
	} else if (!deliver(transfer, transfer->message.number) || !save_sometimes(transfer)) {
		pull->is_here_lost = true;
		return false;
	}
	pull->failures = 0;
	pull->done++;
	progress_show(&pull->progress, pull->done, pull->plan.messages, appender_count(pull->appender) + pull->report.already);
	return true;
}

/* Whether a message may still come, in the order of the others. */
static bool
is_awaited(enum uid_state state)
{
	return state == UID_WANTED || state == UID_ASKED || state == UID_OCTETS || state == UID_ASKED_OCTETS;
}

/* Whether no message before this one is awaited; those that are asked for alone come later anyway. */
static bool
is_next(struct transfer *transfer, size_t index)
{
	while (transfer->settled < index && !is_awaited(transfer->uids.states[transfer->settled]))
		transfer->settled++;
	return transfer->settled >= index || transfer->is_single;
}

static void
hold(struct transfer *transfer, size_t index)
{
	size_t at = transfer->held_count;

	if (transfer->held == NULL)
		transfer->held = memory_new_array(HELD_MAX, sizeof *transfer->held);
	while (at > 0 && transfer->held[at - 1].index > index)
		at--;
	memmove(&transfer->held[at + 1], &transfer->held[at], (transfer->held_count - at) * sizeof *transfer->held);
	transfer->held[at] = (struct held_message){ index, transfer->message };
	transfer->held_count++;
	transfer->held_octets += transfer->message.octets.length;
	transfer->message = (struct message){ 0 };
}

/* Deliver the first that is held. */
static bool
release(struct transfer *transfer)
{
	message_free(&transfer->message);
	transfer->message = transfer->held[0].message;
	transfer->held_octets -= transfer->message.octets.length;
	memmove(&transfer->held[0], &transfer->held[1], --transfer->held_count * sizeof *transfer->held);
	return deliver_now(transfer);
}

bool
transfer_release(struct transfer *transfer)
{
	while (transfer->held_count > 0 && (is_next(transfer, transfer->held[0].index) ||
	    transfer->held_octets > HELD_OCTETS || transfer->held_count == HELD_MAX)) {
		if (!release(transfer))
			return false;
	}
	return true;
}

bool
transfer_deliver(struct transfer *transfer, size_t index)
{
	if (is_next(transfer, index))
		return deliver_now(transfer) && transfer_release(transfer);
	hold(transfer, index);
	return transfer_release(transfer);
}
