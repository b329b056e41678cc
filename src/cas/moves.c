/*
 * Which users are on their way, from the order to the end.  What was ordered is in the directory before anybody is asked
 * for anything; a process that begins finds there what another has left, and ends it: nothing that was not switched has
 * happened, and all that was has.  Loop thread; the work_ functions on workers.
 */
#include "moves.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/memory.h"

#define MOVES_MAX 16		/* at a time: each keeps what it has not sent in memory */
#define KEPT_US	  UINT64_C(1000000)	/* at least: what has just ended is still looked at */
#define ENDED_MAX 64		/* are remembered */

struct move *
moves_find(struct cas *cas, struct span name)
{
	struct move *found = NULL;

	LIST_FOREACH(&cas->moves, link) {
		struct move *move = LIST_ENTRY(link, struct move, link);

		if (span_equals(directory_name_span(&move->name), name))
			found = move;
	}
	return found;
}

/* So many are under way; the oldest of those that have ended are forgotten. */
static size_t
count_moves(struct cas *cas)
{
	size_t count = 0, ended = 0;

	LIST_FOREACH(&cas->moves, link)
		if (LIST_ENTRY(link, struct move, link)->phase == MOVE_ENDED)
			ended++;
		else
			count++;
	LIST_FOREACH(&cas->moves, link) {
		struct move *move = LIST_ENTRY(link, struct move, link);

		if (ended > ENDED_MAX && move->phase == MOVE_ENDED && move->ended_us + KEPT_US < clock_monotonic_us()) {
			move_free(move);
			ended--;
		}
	}
	return count;
}

/* The home that a server's name means; this host, when it has mailboxes, is the empty one.  False: there is none. */
static bool
find_home(const struct cas *cas, struct span target, struct span *home_out)
{
	struct link_server_state state;

	*home_out = target;
	for (size_t i = 0; link_server_state(cas->parts.link, i, &state); i++)
		if (span_equals(target, span_from_string(state.name)))
			return true;
	*home_out = SPAN("");
	return (cas->parts.config->role & CONFIG_ROLE_MAILBOX) != 0 &&
	    (target.length == 0 || span_equals(target, span_from_string(cas->parts.config->hostname)));
}

bool
moves_cancel(struct move *move)
{
	if (move->phase >= MOVE_SWITCHING)
		return false;
	move_fail(move, EX_UNAVAILABLE, "it was cancelled");
	return true;
}

/* Whatever was waited for: see the phase. */
static void
on_due(struct move *move)
{
	if (move->phase == MOVE_SETTLING)
		settle_begin(move);
	else if (move->phase == MOVE_SWITCHING)
		settle_unknown(move);
	else
		transfer_try_again(move);
}

static void
on_failed(struct move *move)
{
	if (move->is_noted)
		settle_begin(move);
	else
		move_end(move);
}

static const struct move_events events = { on_due, on_failed };

/* ---- beginning ---- */

static void
work_begin(struct job *job)
{
	struct move *move = CONTAINER_OF(job, struct move, job);
	struct directory *directory = move->cas->parts.directory;
	struct span name = directory_name_span(&move->name);
	struct directory_user user;

	move->status = directory_asks_home(directory) ? DIRECTORY_READ_ONLY :
	    directory_lookup(directory, name, move->arena, &user);
	if (move->status != DIRECTORY_OK)
		return;
	move->found = (struct directory_move){ .name = user.name, .source = user.home, .target = move->wanted };
	if (directory_is_verifier(directory) && !user.is_shared)
		move->status = DIRECTORY_READ_ONLY;
	else if (directory_home_is_foreign(user.home))
		move->status = DIRECTORY_ELSEWHERE;
}

static void
work_note(struct job *job)
{
	struct move *move = CONTAINER_OF(job, struct move, job);

	move->status = directory_move_begin(move->cas->parts.directory, directory_name_span(&move->name), move->wanted,
	    move->arena, &move->found);
}

static void
refuse(struct move *move)
{
	switch (move->status) {
	case DIRECTORY_NOT_FOUND:
		move_fail(move, EX_NOUSER, "there is no such user");
		break;
	case DIRECTORY_READ_ONLY:
		move_fail(move, EX_UNAVAILABLE, directory_is_verifier(move->cas->parts.directory) ?
		    "users are kept in LDAP, which is only read from here: where a user lives is changed there, "
		    "and `imapctl backup' and `restore' bring the mail" :
		    "the directory of this host does not say where users live; "
		    "users can be moved where it is `directory sqlite'");
		break;
	case DIRECTORY_ELSEWHERE:
		move_fail(move, EX_DATAERR, "the user is at a server of another kind still: `imapctl import' brings the mail here");
		break;
	default:
		move_fail(move, EX_TEMPFAIL, "%s", directory_status_text(move->status));
	}
}

static void
on_noted(struct job *job)
{
	struct move *move = CONTAINER_OF(job, struct move, job);

	if (!move_answered(move))
		return;
	move->is_noted = move->status == DIRECTORY_OK || move->status == DIRECTORY_EXISTS;
	if (move->is_noted)
		move->row = move->found;
	if (move->status == DIRECTORY_EXISTS) {		/* of somebody who has not come to its end */
		move->has_failed = move->sides[MOVE_SOURCE].was_asked = move->sides[MOVE_TARGET].was_asked = true;
		move->code = EX_TEMPFAIL;
		snprintf(move->error, sizeof move->error, "an earlier move of this user is being brought to its end: try again then");
		settle_begin(move);
	} else if (move->has_failed) {			/* cancelled meanwhile */
		move->is_noted ? settle_begin(move) : move_end(move);
	} else if (move->status != DIRECTORY_OK) {
		refuse(move);
	} else {
		log_info("move-begun", log_span("user", directory_name_span(&move->name)),
		    log_text("move", move->row.move_id), log_span("from", moves_server_name(move->cas, move->row.source)),
		    log_span("to", moves_server_name(move->cas, move->row.target)));
		transfer_begin(move);
	}
	move_note(move);
}

/* A name may be one of several that the directory knows the user by. */
static void
on_looked_up(struct job *job)
{
	struct move *move = CONTAINER_OF(job, struct move, job);
	const struct link *link = move->cas->parts.link;

	if (!move_answered(move))
		return;
	if (move->status == DIRECTORY_OK)
		move->row = move->found;
	if (move->has_failed) {
		move_end(move);
	} else if (move->status != DIRECTORY_OK) {
		refuse(move);
	} else if (span_equals(link_server_of(link, move->row.source), link_server_of(link, move->row.target))) {
		move->is_there = true;
		move_end(move);
	} else {
		directory_prepare_name(move->row.name, &move->name);
		move_ask(move, work_note, on_noted);
	}
}

struct move *
moves_begin(struct cas *cas, const struct directory_name *name, struct span target, bool is_confirmed, int *code_out,
    const char **why_out)
{
	struct span home;
	struct move *move;

	*code_out = EX_UNAVAILABLE;
	*why_out = "there is no mailbox-server of this name in the configuration";
	if (!find_home(cas, target, &home))
		return NULL;
	*code_out = EX_TEMPFAIL;
	*why_out = "too many users are being moved just now";
	if (count_moves(cas) >= MOVES_MAX)
		return NULL;
	move = move_new(cas, name, &events);
	move->wanted = move->row.target = arena_copy(move->arena, home);
	move->is_confirmed = is_confirmed;
	move_ask(move, work_begin, on_looked_up);
	return move;
}

/* ---- what another process has left ---- */

void
moves_take_up(struct cas *cas, const struct directory_move *row)
{
	struct directory_name name;
	struct move *move;

	if (!directory_prepare_name(row->name, &name) || moves_find(cas, row->name) != NULL)
		return;
	move = move_new(cas, &name, &events);
	move->row = *row;
	move->row.name = arena_copy(move->arena, row->name);
	move->row.source = arena_copy(move->arena, row->source);
	move->row.target = arena_copy(move->arena, row->target);
	move->is_noted = true;
	move->has_failed = !row->is_switched;
	move->code = EX_UNAVAILABLE;
	snprintf(move->error, sizeof move->error, "the server was stopped meanwhile: order it again");
	for (int i = 0; i < MOVE_SIDES; i++)
		move->sides[i].was_asked = true;
	log_info("move-resumed", log_span("user", row->name), log_text("move", row->move_id),
	    log_text("verdict", row->is_switched ? "moved" : "taken back"));
	settle_begin(move);
}

void
moves_close(struct cas *cas)
{
	cas->are_moves_closed = true;
	timer_stop(&cas->leftovers_retry);
	LIST_FOREACH(&cas->moves, link) {
		struct move *move = LIST_ENTRY(link, struct move, link);

		if (cas->on_move_gone != NULL)
			cas->on_move_gone(move);
		move_hang_up(move);
		timer_stop(&move->timer);
		if (!move->is_asking)
			move_free(move);
	}
}

void
moves_lost(struct cas *cas, struct span server)
{
	LIST_FOREACH(&cas->moves, link) {
		struct move *move = LIST_ENTRY(link, struct move, link);
		bool is_source = span_equals(link_server_of(cas->parts.link, move->row.source), server);

		if (move->phase == MOVE_SETTLING)
			settle_lost(move, server);
		else if (move->phase < MOVE_SETTLING && move->is_noted &&
		    (is_source || span_equals(link_server_of(cas->parts.link, move->row.target), server)))
			move_fail(move, EX_TEMPFAIL, "%.*s does not answer any more", SPAN_ARGS(server));
	}
}
