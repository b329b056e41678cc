/*
 * A window of commands.  When one is answered, those of its messages that have not come are asked for again, alone, at
 * the end: a server that stumbles over one message does not keep the others back.
 */
#include "transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/memory.h"

#define COMMANDS_AT_ONCE 4
#define SET_OCTETS 900		/* of a command line, most servers take 8192, RFC 7162 section 4 */
#define LOSSES_MAX 2		/* of the connection, by one message */

struct command {
	uint32_t number;
	size_t first, end;		/* indices of its messages */
	enum uid_state state;		/* that it has given them */
	size_t count;
};

struct window {
	struct transfer *transfer;
	struct command commands[COMMANDS_AT_ONCE];
	size_t running;
	size_t next;			/* index of the first message that may be wanted */
	size_t lost_at;			/* index of the message with which the connection was lost last */
	unsigned losses;
};

static bool
on_reply(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct transfer *transfer = context;

	(void)is_malformed;
	if (pull_is_interrupted())
		return dialog_lose(remote_dialog(transfer->pull->there), "interrupted");
	if (reply->kind != IMAP_REPLY_FETCH || transfer_receive(transfer, &reply->fetch))
		return true;
	return dialog_lose(remote_dialog(transfer->pull->there), "no more can be written here");
}

/* BINARY tells NUL, in whose place BODY has 0x80 (RFC 3516 section 4.2). */
static void
add_items(const struct transfer *transfer, enum uid_state state, struct buffer *out)
{
	buffer_add_string(out, " (UID FLAGS INTERNALDATE RFC822.SIZE");
	if (transfer->pull->plan.is_gmail)
		buffer_add_string(out, " X-GM-LABELS");
	buffer_add_string(out, state == UID_ASKED_OCTETS ? " BODY.PEEK[] BINARY.PEEK[])" : " BODY.PEEK[])");
}

/* Send a command for a set of messages, whose indices are in it. */
static void
send(struct window *window, struct command *command, struct span set)
{
	struct remote *there = window->transfer->pull->there;

	command->number = remote_begin(there, "UID FETCH ");
	buffer_add_span(remote_out(there), set);
	add_items(window->transfer, command->state, remote_out(there));
	remote_end(there);
	window->running++;
}

/* Ask for what may hold NUL, so that it comes in its turn; false when there is nothing. */
static bool
ask_for_octets(struct window *window)
{
	struct transfer *transfer = window->transfer;
	struct command *command = &window->commands[window->running];
	struct buffer set = { 0 };

	if (transfer->octets_wanted == 0)
		return false;
	transfer->octets_wanted--;
	*command = (struct command){ .state = UID_ASKED_OCTETS };
	command->end = uids_ask(&transfer->uids, transfer->settled, UID_OCTETS, UID_ASKED_OCTETS, 1, SET_OCTETS, &set,
	    &command->count);
	if (command->count > 0) {
		command->first = command->end - 1;
		send(window, command, buffer_span(&set));
	}
	buffer_free(&set);
	return command->count > 0;
}

/* Ask for some more; false when no more is wanted. */
static bool
ask(struct window *window)
{
	struct transfer *transfer = window->transfer;
	struct command *command = &window->commands[window->running];
	struct buffer set = { 0 };

	if (ask_for_octets(window))
		return true;
	*command = (struct command){ .first = window->next, .state = UID_ASKED };
	command->end = uids_ask(&transfer->uids, window->next, UID_WANTED, UID_ASKED, transfer->is_single ? 1 : transfer->set_max,
	    SET_OCTETS, &set, &command->count);
	window->next = command->end;
	if (transfer->is_single && command->count > 0)
		command->first = command->end - 1;	/* those before it are settled */
	if (command->count > 0)
		send(window, command, buffer_span(&set));
	buffer_free(&set);
	return command->count > 0;
}

static void
keep_reason(struct transfer *transfer, const struct remote_answer *answer)
{
	buffer_clear(&transfer->reason);
	buffer_printf(&transfer->reason, "the source said: %s %.*s",
	    answer->condition == IMAP_REPLY_BAD ? "BAD" : "NO", SPAN_ARGS(answer->text));
}

static void
add_origin(const struct transfer *transfer, size_t index, struct buffer *out)
{
	buffer_printf(out, "%.*s UID %u", SPAN_ARGS(buffer_span(&transfer->box->name)), transfer->uids.at[index]);
}

static void
fail(struct transfer *transfer, size_t index, struct span reason)
{
	struct buffer origin = { 0 };

	add_origin(transfer, index, &origin);
	transfer->uids.states[index] = UID_FAILED;
	pull_unreadable(transfer->pull, buffer_span(&origin), reason);
	buffer_free(&origin);
}

/* A message of a command that is answered has not come. */
static void
settle_missing(struct transfer *transfer, size_t index, const struct remote_answer *answer, bool is_shorter)
{
	uint8_t *state = &transfer->uids.states[index];

	if (is_shorter)
		*state = UID_WANTED;
	else if (!transfer->is_single)
		*state = UID_AGAIN;
	else if (answer->condition != IMAP_REPLY_OK)
		fail(transfer, index, buffer_span(&transfer->reason));
	else if (transfer->message.number == transfer->uids.at[index] && transfer->has_octets)
		fail(transfer, index, SPAN("the source does not tell its flags"));
	else
		*state = UID_MISSING;
}

/* Go on behind a command that is answered; false: the connection here is lost. */
static bool
settle_messages(struct transfer *transfer, const struct command *command, const struct remote_answer *answer, bool is_shorter)
{
	if (transfer->is_single && !transfer_receive_end(transfer, command->first))
		return false;
	for (size_t i = command->first; i < command->end; i++) {
		if (transfer->uids.states[i] == command->state)
			settle_missing(transfer, i, answer, is_shorter);
	}
	return transfer_release(transfer);
}

/* The oldest command is answered; false: the connection here is lost. */
static bool
settle(struct window *window, const struct remote_answer *answer)
{
	struct transfer *transfer = window->transfer;
	struct command command = window->commands[0];
	/* Some servers take no long sets. */
	bool is_shorter = answer->condition == IMAP_REPLY_BAD && command.count > 1;

	if (answer->condition != IMAP_REPLY_OK)
		keep_reason(transfer, answer);
	memmove(&window->commands[0], &window->commands[1], (window->running - 1) * sizeof command);
	window->running--;
	if (is_shorter && command.count / 4 < transfer->set_max)
		transfer->set_max = command.count / 4 + 1;
	if (is_shorter && command.first < window->next)
		window->next = command.first;
	return settle_messages(transfer, &command, answer, is_shorter);
}

/* The connection is lost: what was under way may be the reason, and is asked for alone. */
static void
note_loss(struct window *window)
{
	struct transfer *transfer = window->transfer;
	size_t index = window->running > 0 ? window->commands[0].first : SIZE_MAX;

	while (index < transfer->uids.count && transfer->uids.states[index] != UID_ASKED)
		index++;
	window->running = 0;
	transfer->octets_wanted = 0;
	transfer->message.number = 0;
	if (!transfer->is_single) {
		uids_change(&transfer->uids, UID_OCTETS, UID_AGAIN);
		uids_change(&transfer->uids, UID_ASKED_OCTETS, UID_AGAIN);
		uids_change(&transfer->uids, UID_ASKED, UID_AGAIN);
		return;
	}
	uids_change(&transfer->uids, UID_ASKED, UID_WANTED);
	window->next = 0;
	window->losses = index == window->lost_at ? window->losses + 1 : 1;
	window->lost_at = index;
	if (window->losses >= LOSSES_MAX && index < transfer->uids.count)
		fail(transfer, index, SPAN("the source ends the connection"));
}

static bool
recover(struct window *window)
{
	struct pull *pull = window->transfer->pull;

	note_loss(window);
	pull_lose(pull);
	if (pull->is_here_lost || !pull_connect(pull) || !transfer_reopen(window->transfer))
		return false;
	remote_listen(pull->there, on_reply, window->transfer);
	return true;
}

/* Ask for all that is wanted, some at once; false as transfer_run(). */
static bool
run(struct transfer *transfer)
{
	struct window window = { .transfer = transfer, .lost_at = SIZE_MAX };
	size_t at_once = transfer->is_single ? 1 : COMMANDS_AT_ONCE;
	struct remote_answer answer;

	for (;;) {
		while (window.running < at_once && ask(&window))
			;
		if (window.running == 0)
			return true;
		if (!remote_wait(transfer->pull->there, window.commands[0].number, &answer)) {
			if (!recover(&window))
				return false;
		} else if (!settle(&window, &answer)) {
			return false;
		}
	}
}

static bool
run_all(struct transfer *transfer)
{
	transfer->is_single = false;
	if (!run(transfer))
		return false;
	transfer->is_single = true;
	transfer->message.number = 0;
	uids_change(&transfer->uids, UID_AGAIN, UID_WANTED);
	return run(transfer);
}

bool
transfer_run(struct transfer *transfer)
{
	struct pull *pull = transfer->pull;
	bool is_whole;

	transfer->set_max = 100;
	remote_listen(pull->there, on_reply, transfer);
	is_whole = run_all(transfer);
	if (pull->there != NULL)
		remote_listen(pull->there, NULL, NULL);
	return is_whole;
}

void
transfer_free(struct transfer *transfer)
{
	for (size_t i = 0; i < transfer->target_count; i++) {
		buffer_free(&transfer->targets[i].encoded);
		free(transfer->targets[i].paired);
	}
	free(transfer->targets);
	for (size_t i = 0; i < transfer->held_count; i++)
		message_free(&transfer->held[i].message);
	free(transfer->held);
	uids_free(&transfer->uids);
	message_free(&transfer->message);
	buffer_free(&transfer->reason);
}
