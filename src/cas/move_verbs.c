/*
 * What the operator asks about users on their way: move start, watch, cancel, status.  A call is answered when something has
 * come of it, or after a second; imapctl calls again.  Loop thread.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "base/clock.h"
#include "control/control.h"
#include "control/words.h"
#include "moves.h"
#include "renames.h"

#define WAIT_MS 1000

struct move_wait {
	struct list link;		/* in move->waits */
	struct move *move;
	struct control_call *call;
	struct timer timer;
	bool is_start;			/* until it has begun to copy; else until it has ended */
	bool is_again;			/* until it is undone, when what the call orders can begin */
};

static const char *
phase_name(const struct move *move)
{
	static const char *const names[] = {
		[MOVE_BEGINNING] = "beginning",
		[MOVE_COPYING] = "copying",
		[MOVE_PAUSING] = "pausing",
		[MOVE_PAUSED] = "paused",
		[MOVE_SWITCHING] = "switching",
		[MOVE_SETTLING] = "settling",
		[MOVE_ENDED] = "moved",
	};

	if (move->phase == MOVE_ENDED && move->has_failed)
		return "failed";
	if (move->phase == MOVE_SETTLING && move->has_failed)
		return "undoing";
	return move->is_there ? "there" : names[move->phase];
}

/* Whom nobody reaches, who is to be told how it has ended; empty: nobody. */
static struct span
awaited_server(const struct move *move)
{
	if (move->phase != MOVE_SETTLING || move->awaited == MOVE_SIDES)
		return SPAN("");
	return moves_server_name(move->cas, move->awaited == MOVE_SOURCE ? move->row.source : move->row.target);
}

static void
tell(struct control_call *call, const struct move *move)
{
	uint64_t end_us = move->phase == MOVE_ENDED ? move->ended_us : clock_monotonic_us();
	uint64_t total = move->octets > move->octets_total ? move->octets : move->octets_total;
	uint64_t ms = (end_us - move->began_us) / 1000;
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("move"));
	control_add_field(&line, "user", directory_name_span(&move->name));
	control_add_field(&line, "from", moves_server_name(move->cas, move->row.source));
	control_add_field(&line, "to", moves_server_name(move->cas, move->row.target));
	control_add_field(&line, "phase", span_from_string(phase_name(move)));
	control_add_number(&line, "octets", (int64_t)move->octets);
	control_add_number(&line, "total", (int64_t)total);
	control_add_number(&line, "octets-per-second", (int64_t)(move->octets * 1000 / (ms == 0 ? 1 : ms)));
	control_add_number(&line, "ms", (int64_t)ms);
	control_add_number(&line, "pause-ms", (int64_t)(move->pause_us / 1000));
	control_add_field(&line, "waits-for", awaited_server(move));
	control_add_field(&line, "error", span_from_string(move->has_failed ? move->error : ""));
	control_reply(call, buffer_span(&line));
	buffer_free(&line);
}

/* Whose mailboxes will not be found by whom. */
static void
tell_shares(struct control_call *call, const struct move *move)
{
	struct span rest = buffer_span(&move->shares);

	while (rest.length > 0) {
		size_t end = span_find(rest, '\n');
		struct span line = span_slice(rest, 0, end);
		bool gives = span_starts_with(line, SPAN("gives "));
		struct span who = span_from(line, gives ? 6 : 5), user = directory_name_span(&move->name);
		struct buffer record = { 0 };

		control_add_word(&record, SPAN("share"));
		control_add_field(&record, "owner", gives ? user : who);
		control_add_field(&record, "with", gives ? who : user);
		control_reply(call, buffer_span(&record));
		buffer_free(&record);
		rest = span_from(rest, end + 1);
	}
}

static void on_start(struct control_call *call, void *context);

/* What was to be undone first is undone, or is not in time. */
static void
order_again(struct move_wait *wait)
{
	struct control_call *call = wait->call;
	struct cas *cas = wait->move->cas;
	bool is_undone = wait->move->phase == MOVE_ENDED;

	timer_stop(&wait->timer);
	list_remove(&wait->link);
	free(wait);
	if (is_undone)
		on_start(call, cas);
	else
		control_finish(call, EX_TEMPFAIL, "an earlier move of this user is being undone: try again when "
		    "`imapctl move NAME --status' says that it has failed");
}

/* What is undone need not be waited for; who has moved is there when that server knows. */
static void
finish(struct control_call *call, const struct move *move)
{
	if (move->phase >= MOVE_SETTLING && move->has_failed)
		control_finish(call, move->code, move->error);
	else if (awaited_server(move).length > 0 && move->awaited == MOVE_TARGET)
		control_finish(call, EX_TEMPFAIL, "the user has moved, and the other server cannot be told: "
		    "logins wait until it is reached");
	else
		control_finish(call, EX_OK, NULL);
}

static void
answer(struct move_wait *wait)
{
	struct move *move = wait->move;

	timer_stop(&wait->timer);
	list_remove(&wait->link);
	if (wait->is_start)
		tell_shares(wait->call, move);
	tell(wait->call, move);
	finish(wait->call, move);
	free(wait);
}

static void
on_due(void *context)
{
	struct move_wait *wait = context;

	if (wait->is_again)
		order_again(wait);
	else
		answer(wait);
}

/* Whoever orders anew comes last: that is another move. */
static void
note(struct move *move)
{
	struct list again;

	list_init(&again);
	LIST_FOREACH(&move->waits, link) {
		struct move_wait *wait = LIST_ENTRY(link, struct move_wait, link);

		if (wait->is_again && move->phase == MOVE_ENDED) {
			list_remove(link);
			list_push_back(&again, link);
		} else if (wait->is_again) {
			continue;
		} else if (move->phase == MOVE_ENDED || (move->phase == MOVE_SETTLING && (move->has_failed || move->awaited != MOVE_SIDES)) ||
		    (wait->is_start && move->phase != MOVE_BEGINNING)) {
			answer(wait);
		}
	}
	LIST_FOREACH(&again, link)
		order_again(LIST_ENTRY(link, struct move_wait, link));
}

static void
wait_for(struct move *move, struct control_call *call, bool is_start, bool is_again)
{
	struct move_wait *wait = NEW(struct move_wait);

	wait->is_again = is_again;
	wait->move = move;
	wait->call = call;
	wait->is_start = is_start;
	timer_init(&wait->timer, move->cas->parts.loop, on_due, wait);
	timer_start_ms(&wait->timer, WAIT_MS);
	list_push_back(&move->waits, &wait->link);
	note(move);
}

static void
forget(struct move *move)
{
	LIST_FOREACH(&move->waits, link) {
		struct move_wait *wait = LIST_ENTRY(link, struct move_wait, link);

		timer_stop(&wait->timer);
		list_remove(link);
		control_finish(wait->call, EX_TEMPFAIL, "the service is being stopped");
		free(wait);
	}
}

/* The name that the call has first; false: answered. */
static bool
read_name(struct control_call *call, size_t least, struct directory_name *name_out)
{
	if (control_call_count(call) < least)
		control_finish(call, EX_USAGE, "move start NAME SERVER [yes] | watch NAME | cancel NAME | status [NAME]");
	else if (!directory_prepare_name(control_call_word(call, 0), name_out))
		control_finish(call, EX_DATAERR, "not a name for a user: 1 to 255 octets of UTF-8, no space");
	else
		return true;
	return false;
}

/* Who orders what is under way already waits for it, too. */
static void
on_start(struct control_call *call, void *context)
{
	struct cas *cas = context;
	struct directory_name name;
	const char *why;
	struct move *move;
	int code;

	if (!read_name(call, 2, &name))
		return;
	move = moves_find(cas, directory_name_span(&name));
	if (move != NULL && move->phase != MOVE_ENDED && !move->has_failed) {
		if (span_equals(moves_server_name(cas, move->row.target), control_call_word(call, 1)))
			wait_for(move, call, true, false);
		else
			control_finish(call, EX_TEMPFAIL, "the user is on the way to another server: `imapctl move NAME --status'");
		return;
	}
	if (move != NULL && move->phase != MOVE_ENDED) {
		wait_for(move, call, true, true);
		return;
	}
	move = moves_begin(cas, &name, control_call_word(call, 1),
	    control_call_count(call) > 2 && span_equals(control_call_word(call, 2), SPAN("yes")), &code, &why);
	if (move == NULL)
		control_finish(call, code, why);
	else
		wait_for(move, call, true, false);
}

static void
on_watch(struct control_call *call, void *context)
{
	struct directory_name name;
	struct move *move;

	if (!read_name(call, 1, &name))
		return;
	move = moves_find(context, directory_name_span(&name));
	if (move == NULL)
		control_finish(call, EX_NOUSER, "no move of this user is known");
	else
		wait_for(move, call, false, false);
}

static void
on_cancel(struct control_call *call, void *context)
{
	struct directory_name name;
	struct move *move;

	if (!read_name(call, 1, &name))
		return;
	move = moves_find(context, directory_name_span(&name));
	if (move == NULL || move->phase == MOVE_ENDED)
		control_finish(call, EX_NOUSER, "this user is not being moved");
	else if (!moves_cancel(move))
		control_finish(call, EX_UNAVAILABLE, "it is too late: the user is moved, or it is being undone");
	else {
		tell(call, move);
		control_finish(call, EX_OK, NULL);
	}
}

static void
on_status(struct control_call *call, void *context)
{
	struct cas *cas = context;
	bool is_one = control_call_count(call) > 0, is_found = false;

	LIST_FOREACH(&cas->moves, link) {
		const struct move *move = LIST_ENTRY(link, struct move, link);

		if (is_one && move != moves_find(cas, control_call_word(call, 0)))
			continue;
		tell(call, move);
		is_found = true;
	}
	if (is_one && !is_found)
		control_finish(call, EX_NOUSER, "no move of this user is known");
	else
		control_finish(call, EX_OK, NULL);
}

void
cas_register(struct cas *cas, struct control *control)
{
	cas->on_move_news = note;
	cas->on_move_gone = forget;
	control_register(control, "move start", CONTROL_CHANGE, on_start, cas);
	control_register(control, "move watch", CONTROL_VIEW, on_watch, cas);
	control_register(control, "move cancel", CONTROL_CHANGE, on_cancel, cas);
	control_register(control, "move status", CONTROL_VIEW, on_status, cas);
	leftovers_open(cas);
}
