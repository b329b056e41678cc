/*
 * Which messages are wanted is the difference between what the source has and what the state says was pulled.  What was
 * deleted here stays in the state, and so is not pulled again.
 */
#include "mailbox.h"

#include <sysexits.h>

#include "base/memory.h"
#include "examine.h"
#include "imap/mailbox_name.h"
#include "mirror.h"
#include "reopen.h"
#include "transfer.h"
#include "verify.h"

/* Places that are known from former runs; with those the state says which messages are here. */
static bool
find_targets(struct transfer *transfer)
{
	struct pull *pull = transfer->pull;
	struct buffer encoded = { 0 };
	struct place *place;
	bool is_alive = true;

	for (size_t n = 0; is_alive && (place = state_place(pull->state, buffer_span(&transfer->box->sent), n)) != NULL; n++) {
		buffer_clear(&encoded);
		imap_utf7_encode(buffer_span(&place->mailbox), &encoded);
		is_alive = transfer_target(transfer, buffer_span(&encoded)) != NULL;
	}
	buffer_free(&encoded);
	return is_alive;
}

static bool
is_held(const struct transfer *transfer, uint32_t uid)
{
	for (size_t i = 0; i < transfer->target_count; i++) {
		if (pairs_find(&transfer->targets[i].place->pairs, uid) != NULL)
			return true;
	}
	return false;
}

static void
mark_held(struct transfer *transfer)
{
	struct uids *uids = &transfer->uids;

	for (size_t i = 0; i < uids->count; i++) {
		if (is_held(transfer, uids->at[i]))
			uids->states[i] = UID_HELD;
	}
	transfer->pull->report.already += uids_count(uids, UID_HELD);
	transfer->pull->done += uids_count(uids, UID_HELD);
}

/* Messages that did not come, and nobody said why: gone meanwhile, or left out. */
static bool
settle_missing(struct transfer *transfer)
{
	struct pull *pull = transfer->pull;
	struct uids *uids = &transfer->uids;
	struct examined examined = { 0 };
	struct arena *arena;
	struct imap_sequence there;
	struct buffer origin = { 0 };
	bool is_alive, is_whole;

	if (uids_count(uids, UID_MISSING) == 0)
		return true;
	arena = arena_new();
	is_alive = reopen_and_list(pull, transfer->box, &examined, arena, &there, &is_whole);
	for (size_t i = 0; is_alive && i < uids->count; i++) {
		if (uids->states[i] != UID_MISSING)
			continue;
		buffer_clear(&origin);
		buffer_printf(&origin, "%.*s UID %u", SPAN_ARGS(buffer_span(&transfer->box->name)), uids->at[i]);
		if (examined.is_open && imap_sequence_contains(&there, uids->at[i]))
			pull_unreadable(pull, buffer_span(&origin), SPAN("the source does not send it"));
		else
			pull_note(pull, NOTE_LEFT_OUT, "messages that were expunged at the source meanwhile", buffer_span(&origin));
	}
	arena_free(&arena);
	buffer_free(&origin);
	buffer_free(&examined.reason);
	return is_alive;
}

/* Pull what is wanted; the targets that are known are there. */
static bool
bring(struct transfer *transfer)
{
	struct pull *pull = transfer->pull;
	bool is_whole = transfer_run(transfer);

	if (!appender_finish(pull->appender)) {
		pull->is_here_lost = true;
		return false;
	}
	is_whole = is_whole && settle_missing(transfer);
	if (is_whole)
		transfer_settle(transfer);
	return transfer_save(transfer) && is_whole;
}

/* The mailbox of the same name, and the use that it has. */
static bool
make_main_target(struct transfer *transfer)
{
	struct target *target;

	if (transfer->target_count > 0)
		return true;
	target = transfer_target(transfer, buffer_span(&transfer->box->encoded));
	if (target != NULL)
		target->is_main = true;
	return target != NULL;
}

/* Follow the source, over a new connection where the old one is lost. */
static bool
follow(struct transfer *transfer, const struct examined *examined, const struct imap_sequence *uids)
{
	struct pull *pull = transfer->pull;

	while (!mirror_follow(transfer, examined, uids)) {
		pull->is_here_lost = dialog_trouble(pull->dialog)[0] != '\0';
		if (pull->is_here_lost)
			return false;
		pull_lose(pull);
		if (!pull_connect(pull) || !transfer_reopen(transfer))
			return false;
	}
	return true;
}

static bool
work(struct transfer *transfer, const struct examined *examined, const struct imap_sequence *uids, bool is_whole)
{
	struct pull *pull = transfer->pull;

	if (!find_targets(transfer) || (!pull->plan.is_gmail && !make_main_target(transfer)))
		return false;
	if (!pull->plan.is_gmail && transfer->targets[0].is_refused)
		return true;
	if (pull->is_mirror && !mirror_forget_deleted(transfer)) {
		pull->is_here_lost = true;
		return false;
	}
	mark_held(transfer);
	if (!bring(transfer))
		return false;
	/* Where the source does not tell all that it has, nothing is known to be expunged. */
	if (pull->is_mirror && !follow(transfer, examined, is_whole ? uids : NULL))
		return false;
	if (!mirror_settle(transfer, examined) || !transfer_save(transfer)) {
		pull->is_here_lost = true;
		return false;
	}
	return true;
}

/* Whether the user has deleted the mailbox that it was pulled into. */
static bool
is_deleted_here(const struct pull *pull, const struct planned *box)
{
	struct span sent = buffer_span(&box->sent);

	return state_has_met(pull->state, sent) && state_place(pull->state, sent, 0) == NULL &&
	    !state_has_mailbox(pull->state, buffer_span(&box->name));
}

static void
count_only(struct transfer *transfer)
{
	struct pull *pull = transfer->pull;
	struct place *place;

	for (size_t n = 0; (place = state_place(pull->state, buffer_span(&transfer->box->sent), n)) != NULL; n++) {
		for (size_t i = 0; i < transfer->uids.count && place->uidvalidity == transfer->uidvalidity; i++) {
			if (pairs_find(&place->pairs, transfer->uids.at[i]) != NULL)
				transfer->uids.states[i] = UID_HELD;
		}
	}
	report_would(&pull->report, buffer_span(&transfer->box->encoded), uids_count(&transfer->uids, UID_WANTED),
	    uids_count(&transfer->uids, UID_HELD));
}

static bool
begin(struct transfer *transfer, const struct examined *examined, const struct imap_sequence *uids, bool is_whole)
{
	struct pull *pull = transfer->pull;
	struct span name = buffer_span(&transfer->box->name);

	if (examined->uidvalidity == 0 || examined->uidvalidity > UINT32_MAX) {
		pull_unreadable(pull, name, SPAN("the source does not tell its UIDVALIDITY"));
		return true;
	}
	transfer->uidvalidity = (uint32_t)examined->uidvalidity;
	if (!uids_fill(&transfer->uids, uids, UID_WANTED)) {
		pull_unreadable(pull, name, SPAN("it has more messages than there can be"));
		return true;
	}
	if (!is_whole)
		pull_note(pull, NOTE_DOUBTFUL, "mailboxes of which the source tells more or fewer messages than it lists", name);
	if (pull->is_verify)
		return verify_mailbox(transfer) && settle_missing(transfer);
	if (pull->is_dry_run) {
		count_only(transfer);
		return true;
	}
	return work(transfer, examined, uids, is_whole);
}

bool
pull_mailbox(struct pull *pull, const struct planned *box)
{
	struct transfer transfer = { .pull = pull, .box = box };
	struct examined examined = { 0 };
	struct imap_sequence uids;
	struct arena *arena;
	bool is_whole, is_well;

	if (!pull->is_mirror && !pull->is_verify && is_deleted_here(pull, box)) {
		pull_note(pull, NOTE_LEFT_OUT, "mailboxes that were deleted here since they were pulled", buffer_span(&box->name));
		return true;
	}
	arena = arena_new();
	is_well = reopen_and_list(pull, box, &examined, arena, &uids, &is_whole);
	pull->transfer = &transfer;
	if (is_well && !examined.is_open)
		pull_unreadable(pull, buffer_span(&box->name), buffer_span(&examined.reason));
	else if (is_well)
		is_well = begin(&transfer, &examined, &uids, is_whole);
	known_forget(pull->known);
	pull->transfer = NULL;
	transfer_free(&transfer);
	buffer_free(&examined.reason);
	arena_free(&arena);
	return is_well;
}
