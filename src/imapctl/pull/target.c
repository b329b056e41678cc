/*
 * Mailboxes here: made, subscribed to, and compared with what the state says of them.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "imap/mailbox_name.h"
#include "transfer.h"
#include "uses.h"

struct status {
	uint64_t messages, uidnext, uidvalidity;
};

static bool
on_status(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct status *status = context;

	(void)is_malformed;
	if (reply->kind == IMAP_REPLY_STATUS)
		*status = (struct status){ reply->status.messages, reply->status.uidnext, reply->status.uidvalidity };
	return true;
}

/* One command with the name of a mailbox.  False: the connection is lost. */
static bool
call(struct remote *here, const char *words, struct span name, const char *behind, struct remote_answer *answer)
{
	uint32_t number = remote_begin(here, words);

	if (!remote_add_mailbox(here, name))
		return false;
	buffer_add_string(remote_out(here), behind);
	remote_end(here);
	return remote_wait(here, number, answer);
}

static bool
is_there_already(const struct remote_answer *answer)
{
	return span_equals_nocase(answer->code.name, SPAN("ALREADYEXISTS"));
}

static void
tell_refusal(struct transfer *transfer, struct span name, const struct remote_answer *answer)
{
	struct buffer reason = { 0 };

	buffer_printf(&reason, "the mailbox cannot be made: %.*s", SPAN_ARGS(answer->text));
	pull_refused(transfer->pull, name, buffer_span(&reason));
	buffer_free(&reason);
}

/* Make the mailbox where it is missing.  False: the connection is lost. */
static bool
make(struct transfer *transfer, struct target *target)
{
	struct span name = buffer_span(&target->place->mailbox);
	struct remote_answer answer;

	if (state_has_mailbox(transfer->pull->state, name))
		return true;
	if (!call(transfer->pull->here, "CREATE ", name, "", &answer))
		return false;
	target->is_refused = answer.condition != IMAP_REPLY_OK && !is_there_already(&answer);
	if (target->is_refused)
		tell_refusal(transfer, name, &answer);
	return true;
}

/* What belongs to a mailbox beside its mail, once: later the user may have changed it here. */
static bool
furnish(struct transfer *transfer, struct target *target)
{
	struct pull *pull = transfer->pull;
	struct span name = buffer_span(&target->place->mailbox);
	struct remote_answer answer;

	if (target->is_refused || !target->place->is_new)
		return true;
	if (pull->plan.is_gmail)
		return call(pull->here, "SUBSCRIBE ", name, "", &answer);
	return call(pull->here, transfer->box->is_subscribed ? "SUBSCRIBE " : "UNSUBSCRIBE ", name, "", &answer) &&
	    uses_take_over(pull, name, transfer->box->attributes);
}

static int
by_number(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static void
list_paired(struct target *target)
{
	const struct pairs *pairs = &target->place->pairs;

	target->paired = memory_new_array(pairs->count + 1, sizeof *target->paired);
	for (size_t i = 0; i < pairs->count; i++)
		target->paired[i] = pairs->at[i].here;
	target->paired_count = pairs->count;
	if (pairs->count > 0)
		qsort(target->paired, pairs->count, sizeof *target->paired, by_number);
}

/* What the state says counts for one incarnation of both mailboxes. */
static void
compare(struct transfer *transfer, struct target *target, const struct status *status)
{
	struct place *place = target->place;

	if (place->uidvalidity != transfer->uidvalidity || place->here_uidvalidity != status->uidvalidity) {
		pairs_clear(&place->pairs);
		place->here_uidnext = 0;
		place->modseq = place->here_modseq = 0;
	}
	target->is_fresh = place->pairs.count == 0;
	target->first_uid = place->here_uidnext == 0 ? 1 : place->here_uidnext;
	target->is_checked = status->messages > 0 && status->uidnext > target->first_uid;
	target->uidnext = (uint32_t)status->uidnext;
	place->uidvalidity = transfer->uidvalidity;
	place->here_uidvalidity = (uint32_t)status->uidvalidity;
	if (!target->is_checked)
		place->here_uidnext = target->uidnext;
	else
		list_paired(target);
}

static bool
look_at(struct transfer *transfer, struct target *target)
{
	struct remote *here = transfer->pull->here;
	struct status status = { 0 };
	struct remote_answer answer;
	bool is_alive;

	remote_listen(here, on_status, &status);
	is_alive = call(here, "STATUS ", buffer_span(&target->place->mailbox), " (MESSAGES UIDNEXT UIDVALIDITY)", &answer);
	remote_listen(here, NULL, NULL);
	if (is_alive)
		compare(transfer, target, &status);
	return is_alive;
}

static struct target *
add(struct transfer *transfer, struct span encoded, struct place *place)
{
	struct target *target;

	transfer->targets = memory_resize(transfer->targets, transfer->target_count + 1, sizeof *target);
	target = &transfer->targets[transfer->target_count++];
	*target = (struct target){ .place = place };
	buffer_add_span(&target->encoded, encoded);
	return target;
}

struct target *
transfer_target(struct transfer *transfer, struct span encoded)
{
	struct buffer name = { 0 };
	struct target *target;

	for (size_t i = 0; i < transfer->target_count; i++) {
		if (span_equals(buffer_span(&transfer->targets[i].encoded), encoded))
			return &transfer->targets[i];
	}
	imap_utf7_decode_lax(encoded, false, &name);
	target = add(transfer, encoded, state_place_in(transfer->pull->state, buffer_span(&transfer->box->sent), buffer_span(&name)));
	buffer_free(&name);
	if (!make(transfer, target) || !furnish(transfer, target) || (!target->is_refused && !look_at(transfer, target))) {
		transfer->pull->is_here_lost = true;
		return NULL;
	}
	return target;
}

bool
target_counts(const struct target *target, uint32_t uid)
{
	return uid >= target->first_uid && (target->paired_count == 0 || bsearch(&uid, target->paired, target->paired_count,
	    sizeof *target->paired, by_number) == NULL);
}

bool
transfer_save(struct transfer *transfer)
{
	bool is_alive = true;

	for (size_t i = 0; i < transfer->target_count && is_alive; i++) {
		struct target *target = &transfer->targets[i];

		if (!target->is_refused && (target->place->pairs.count > 0 || target->is_main))
			is_alive = state_save(transfer->pull->state, target->place);
	}
	transfer->unsaved = 0;
	return is_alive;
}

/* The whole mailbox has been compared: what is above came from others, or comes later. */
void
transfer_settle(struct transfer *transfer)
{
	for (size_t i = 0; i < transfer->target_count; i++) {
		struct target *target = &transfer->targets[i];
		struct place *place = target->place;

		if (place->here_uidnext < target->uidnext)
			place->here_uidnext = target->uidnext;
		for (size_t j = 0; j < place->pairs.count; j++) {
			if (place->pairs.at[j].here >= place->here_uidnext)
				place->here_uidnext = place->pairs.at[j].here + 1;
		}
	}
}
