/*
 * Telling both mailbox servers how a move has ended, again and again until each knows: first the one where the user is, so
 * that nobody waits longer than need be.  Loop thread; the work_ functions on workers.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/clock.h"
#include "link/move.h"
#include "moves.h"

#define RETRY_LEAST_MS 50
#define RETRY_MOST_MS  5000
#define AWAITED_TRIES  4

static void next(struct move *move);
static void tell(struct move *move, int which);

static bool
knows(const struct move *move, int which)
{
	return which == MOVE_SOURCE ? move->row.source_knows : move->row.target_knows;
}

static void
set_knows(struct move *move, int which)
{
	if (which == MOVE_SOURCE)
		move->row.source_knows = true;
	else
		move->row.target_knows = true;
}

/* Who is told next: the user is there. */
static int
first_side(const struct move *move)
{
	return move->row.is_switched ? MOVE_TARGET : MOVE_SOURCE;
}

/* One that cannot be told keeps the other from nothing. */
static void
try_later(struct move *move, int which)
{
	uint64_t wait_ms = (uint64_t)RETRY_LEAST_MS << (move->tries < 8 ? move->tries : 8);
	int other = which == MOVE_SOURCE ? MOVE_TARGET : MOVE_SOURCE;

	move_hang_up(move);
	move->sides[which].has_failed = true;
	if (!knows(move, other) && !move->sides[other].has_failed) {
		tell(move, other);
		return;
	}
	for (int i = 0; i < MOVE_SIDES; i++)
		move->sides[i].has_failed = false;
	if (++move->tries == AWAITED_TRIES)	/* who looks on need not wait for it */
		move->awaited = knows(move, MOVE_TARGET) ? MOVE_SOURCE : MOVE_TARGET;
	if (move->tries % 20 == 10)
		log_warning("move-waits", log_span("user", directory_name_span(&move->name)),
		    log_text("move", move->row.move_id), log_span("server", moves_server_name(move->cas,
		    which == MOVE_SOURCE ? move->row.source : move->row.target)),
		    log_text("verdict", move->row.is_switched ? "moved" : "taken back"));
	timer_start_ms(&move->timer, wait_ms < RETRY_MOST_MS ? wait_ms : RETRY_MOST_MS);
	move_note(move);
}

static void
work_told(struct job *job)
{
	struct move *move = CONTAINER_OF(job, struct move, job);

	move->status = DIRECTORY_OK;
	for (int i = 0; i < MOVE_SIDES && move->status == DIRECTORY_OK; i++)
		if (knows(move, i))
			move->status = directory_move_told(move->cas->parts.directory, directory_name_span(&move->name),
			    move->row.move_id, i == MOVE_SOURCE);
}

static void
on_told(struct job *job)
{
	struct move *move = CONTAINER_OF(job, struct move, job);

	if (!move_answered(move))
		return;
	if (move->status != DIRECTORY_OK)
		timer_start_ms(&move->timer, RETRY_MOST_MS);
	else
		move_end(move);
}

static void
on_line(struct move *move, struct span line)
{
	int which = move->sides[MOVE_SOURCE].stream != NULL ? MOVE_SOURCE : MOVE_TARGET;

	if (!span_equals(line, SPAN("done"))) {
		try_later(move, which);
		return;
	}
	set_knows(move, which);
	move_hang_up(move);
	move->tries = 0;
	move->awaited = MOVE_SIDES;
	next(move);
}

static void
on_input(struct stream *stream, void *context)
{
	struct move_side *side = context;
	struct span input = stream_input_whole(stream);
	size_t end = span_find(input, '\n');

	if (end < input.length)
		on_line(side->move, span_without_line_end(span_slice(input, 0, end + 1)));
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	const struct move_side *side = context;

	(void)stream;
	(void)reason;
	try_later(side->move, side == &side->move->sides[MOVE_SOURCE] ? MOVE_SOURCE : MOVE_TARGET);
}

static const struct stream_events events = { on_input, NULL, on_end };

static void
on_connected(const struct link_result *result, void *context)
{
	struct move_side *side = context;

	side->attempt = NULL;
	if (result->status != LINK_OK) {
		try_later(side->move, side == &side->move->sides[MOVE_SOURCE] ? MOVE_SOURCE : MOVE_TARGET);
		return;
	}
	side->stream = result->stream;
	stream_set_events(side->stream, &events, side);
}

void
settle_lost(struct move *move, struct span server)
{
	for (int i = 0; i < MOVE_SIDES; i++) {
		struct span home = i == MOVE_SOURCE ? move->row.source : move->row.target;

		if (move->sides[i].stream != NULL && span_equals(link_server_of(move->cas->parts.link, home), server)) {
			try_later(move, i);
			return;
		}
	}
}

static void
tell(struct move *move, int which)
{
	static const char *const words[2][MOVE_SIDES] = { { "stay", "drop" }, { "gone", "adopt" } };
	struct move_side *side = &move->sides[which];
	struct buffer wish = { 0 };

	buffer_add_octet(&wish, 0);
	buffer_add_string(&wish, words[move->row.is_switched][which]);
	buffer_add_octet(&wish, 0);
	buffer_add_span(&wish, directory_name_span(&move->name));
	buffer_add_octet(&wish, 0);
	buffer_add_string(&wish, move->row.move_id);
	side->attempt = link_connect_to_move(move->cas->parts.link,
	    which == MOVE_SOURCE ? move->row.source : move->row.target, buffer_span(&wish), on_connected, side);
	buffer_free(&wish);
}

static void
next(struct move *move)
{
	int first = first_side(move), second = first == MOVE_SOURCE ? MOVE_TARGET : MOVE_SOURCE;

	if (!knows(move, first) && move->sides[first].has_failed && knows(move, second)) {
		try_later(move, first);
	} else if (!knows(move, first)) {
		tell(move, first);
	} else if (!knows(move, second)) {
		tell(move, second);
	} else {
		if (move->paused_us != 0 && move->pause_us == 0)
			move->pause_us = clock_monotonic_us() - move->paused_us;
		move_ask(move, work_told, on_told);
	}
}

/* A server that was not asked for anything need not be told. */
void
settle_begin(struct move *move)
{
	move_hang_up(move);
	if (move->phase != MOVE_SETTLING)
		move->tries = 0;
	move->phase = MOVE_SETTLING;
	for (int i = 0; i < MOVE_SIDES; i++)
		if (!move->sides[i].was_asked)
			set_knows(move, i);
	next(move);
	move_note(move);
}

/* ---- when it is not known whether the directory was changed ---- */

static void
work_find(struct job *job)
{
	struct move *move = CONTAINER_OF(job, struct move, job);
	struct directory_move *rows;
	size_t count = 0;

	move->found = (struct directory_move){ .is_switched = false };
	move->status = directory_move_list(move->cas->parts.directory, move->arena, &rows, &count);
	for (size_t i = 0; move->status == DIRECTORY_OK && i < count; i++)
		if (strcmp(rows[i].move_id, move->row.move_id) == 0)
			move->found.is_switched = rows[i].is_switched;
}

static void
on_found(struct job *job)
{
	struct move *move = CONTAINER_OF(job, struct move, job);

	if (!move_answered(move))
		return;
	if (move->status != DIRECTORY_OK) {
		timer_start_ms(&move->timer, RETRY_LEAST_MS * 4);
		return;
	}
	move->row.is_switched = move->found.is_switched;
	move->has_failed = !move->row.is_switched;
	settle_begin(move);
}

void
settle_unknown(struct move *move)
{
	snprintf(move->error, sizeof move->error, "the directory could not be written");
	move->code = EX_TEMPFAIL;
	move_ask(move, work_find, on_found);
}
