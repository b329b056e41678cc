/*
 * One user on the way: what all that happens on it needs.  Loop thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "moves.h"

void
move_hang_up(struct move *move)
{
	for (int i = 0; i < MOVE_SIDES; i++) {
		link_cancel(&move->sides[i].attempt);
		stream_free(&move->sides[i].stream);
		move->sides[i].passing = 0;
	}
}

void
move_free(struct move *move)
{
	if (move->cas->on_move_gone != NULL)
		move->cas->on_move_gone(move);
	move_hang_up(move);
	timer_stop(&move->timer);
	list_remove(&move->link);
	buffer_free(&move->shares);
	arena_free(&move->arena);
	free(move);
}

static void
on_timer(void *context)
{
	struct move *move = context;

	move->events->on_due(move);
}

struct move *
move_new(struct cas *cas, const struct directory_name *name, const struct move_events *events)
{
	struct move *move = NEW(struct move);

	move->cas = cas;
	move->events = events;
	move->name = *name;
	move->arena = arena_new();
	move->began_us = clock_monotonic_us();
	list_init(&move->waits);
	move->awaited = MOVE_SIDES;
	for (int i = 0; i < MOVE_SIDES; i++)
		move->sides[i].move = move;
	timer_init(&move->timer, cas->parts.loop, on_timer, move);
	list_push_back(&cas->moves, &move->link);
	return move;
}

struct span
moves_server_name(const struct cas *cas, struct span home)
{
	struct span server = link_server_of(cas->parts.link, home);

	return server.length > 0 ? server : span_from_string(cas->parts.config->hostname);
}

void
move_ask(struct move *move, void (*work)(struct job *job), void (*done)(struct job *job))
{
	move->is_asking = true;
	move->job.work = work;
	move->job.done = done;
	move->cas->asking_moves++;
	if (job_queue_submit(move->cas->parts.directory_queue, &move->job))
		return;
	move->status = DIRECTORY_UNAVAILABLE;	/* the queue is full of logins: as if it had answered so */
	done(&move->job);
}

/* The role may have ended meanwhile, and the move ends with it. */
bool
move_answered(struct move *move)
{
	struct cas *cas = move->cas;

	move->is_asking = false;
	cas->asking_moves--;
	if (!cas->are_moves_closed)
		return true;
	move_free(move);
	cas_check_gone(cas);
	return false;
}

void
move_note(struct move *move)
{
	if (move->cas->on_move_news != NULL)
		move->cas->on_move_news(move);
}

void
move_end(struct move *move)
{
	move_hang_up(move);
	timer_stop(&move->timer);
	move->phase = MOVE_ENDED;
	move->ended_us = clock_monotonic_us();
	if (move->has_failed)
		log_warning("move-failed", log_span("user", directory_name_span(&move->name)),
		    log_text("move", move->row.move_id), log_text("reason", move->error));
	else if (!move->is_there)
		log_info("moved", log_span("user", directory_name_span(&move->name)),
		    log_text("move", move->row.move_id),
		    log_span("from", moves_server_name(move->cas, move->row.source)),
		    log_span("to", moves_server_name(move->cas, move->row.target)),
		    log_number("octets", (int64_t)move->octets), log_number("pause-ms", (int64_t)move->pause_us / 1000),
		    log_number("ms", (int64_t)(move->ended_us - move->began_us) / 1000));
	move_note(move);
}

void
move_fail(struct move *move, int code, const char *format, ...)
{
	va_list arguments;

	if (move->has_failed || move->phase >= MOVE_SETTLING)
		return;
	va_start(arguments, format);
	vsnprintf(move->error, sizeof move->error, format, arguments);
	va_end(arguments);
	move->has_failed = true;
	move->code = code;
	move_hang_up(move);
	timer_stop(&move->timer);
	if (!move->is_asking)		/* else who comes home looks for this */
		move->events->on_failed(move);
}
