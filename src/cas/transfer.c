/*
 * The conversation with both mailbox servers up to the switch.  Pages go from the one to the other as they come, and are
 * not looked at.  Loop thread; work_switch() on a worker.
 */
#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/base64.h"
#include "base/clock.h"
#include "link/move.h"
#include "moves.h"

#define OUTPUT_MAX	((size_t)1024 * 1024)	/* that waits for the target */
#define OUTPUT_LOW	((size_t)256 * 1024)
#define INPUT_MAX	((size_t)512 * 1024)
#define LINE_OCTETS_MAX 65536
#define LEFT_MAX	(UINT64_C(1024) * 1024)	/* to be copied in the pause */
#define PASSES_MAX	50
#define BUSY_MS		300
#define TRIES_MAX	200			/* a minute */

static const char *
side_name(const struct move_side *side, struct buffer *out)
{
	const struct move *move = side->move;

	buffer_clear(out);
	buffer_add_span(out, moves_server_name(move->cas,
	    side == &move->sides[MOVE_SOURCE] ? move->row.source : move->row.target));
	return buffer_string(out);
}

void
transfer_say(struct move_side *side, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	stream_write(side->stream, span_from_string(text));
	stream_write(side->stream, SPAN("\r\n"));
}

static struct move_side *
other(struct move_side *side)
{
	struct move *move = side->move;

	return side == &move->sides[MOVE_SOURCE] ? &move->sides[MOVE_TARGET] : &move->sides[MOVE_SOURCE];
}

/* Octets of pages; what the target has not taken waits there. */
static void
pass_on(struct move_side *side, struct span input)
{
	struct span piece = span_slice(input, 0, side->passing);

	stream_write(other(side)->stream, piece);
	side->move->octets += piece.length;
	side->passing -= piece.length;
	stream_consume(side->stream, piece.length);
	if (stream_output_length(other(side)->stream) > OUTPUT_MAX)
		stream_pause_input(side->stream);
}

static void
announce(struct move_side *side, struct span line)
{
	uint64_t octets;

	if (other(side)->stream == NULL || !span_to_number(span_from(line, 5), LINE_OCTETS_MAX * 16, &octets)) {
		move_fail(side->move, EX_PROTOCOL, "what comes from the server is not understood");
		return;
	}
	side->passing = (size_t)octets;
	transfer_say(other(side), "%.*s", SPAN_ARGS(line));
}

static void
take_line(struct move_side *side, struct span line)
{
	struct buffer name = { 0 };

	if (span_starts_with(line, SPAN("no ")))
		move_fail(side->move, EX_UNAVAILABLE, "%s: %.*s", side_name(side, &name), SPAN_ARGS(span_from(line, 3)));
	else if (span_starts_with(line, SPAN("data ")))
		announce(side, line);
	else if (side->on_line == NULL)
		move_fail(side->move, EX_PROTOCOL, "%s has said what nobody has asked for", side_name(side, &name));
	else
		side->on_line(side->move, line);
	buffer_free(&name);
}

static void
on_input(struct stream *stream, void *context)
{
	struct move_side *side = context;

	while (side->stream == stream && stream_has_input(stream)) {
		struct buffer line = { 0 };
		struct span input;
		size_t end;

		if (side->passing > 0) {
			pass_on(side, stream_input(stream));
			continue;
		}
		input = stream_input_whole(stream);
		end = span_find(input, '\n');
		if (end == input.length && end < LINE_OCTETS_MAX)
			return;
		buffer_add_span(&line, span_without_line_end(span_slice(input, 0, end + 1)));
		stream_consume(stream, end < input.length ? end + 1 : end);
		take_line(side, buffer_span(&line));
		buffer_free(&line);
	}
}

static void
on_drained(struct stream *stream, void *context)
{
	struct move_side *side = context;

	(void)stream;
	if (side == &side->move->sides[MOVE_TARGET] && other(side)->stream != NULL)
		stream_resume_input(other(side)->stream);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct move_side *side = context;
	struct buffer name = { 0 };

	(void)stream;
	(void)reason;
	move_fail(side->move, EX_TEMPFAIL, "%s has hung up", side_name(side, &name));
	buffer_free(&name);
}

static const struct stream_events events = { on_input, on_drained, on_end };

void
transfer_listen(struct move_side *side, struct stream *stream)
{
	side->stream = stream;
	stream_set_input_limit(stream, INPUT_MAX);
	stream_set_low_mark(stream, OUTPUT_LOW);
	stream_set_events(stream, &events, side);
}

/* ---- the steps ---- */

static void
work_switch(struct job *job)
{
	struct move *move = CONTAINER_OF(job, struct move, job);

	move->status = directory_move_switch(move->cas->parts.directory, &move->row);
}

static void
on_switched(struct job *job)
{
	struct move *move = CONTAINER_OF(job, struct move, job);

	if (!move_answered(move))
		return;
	if (move->status == DIRECTORY_OK) {
		move->row.is_switched = true;
		move->has_failed = false;
		settle_begin(move);
	} else if (move->status == DIRECTORY_UNAVAILABLE) {	/* it may have been done: only reading tells */
		settle_unknown(move);
	} else {
		move->has_failed = false;
		move_fail(move, EX_TEMPFAIL, "the user was changed meanwhile: %s", directory_status_text(move->status));
	}
}

static void
on_yielded(struct move *move, struct span line)
{
	if (!span_equals(line, SPAN("yielded"))) {
		move_fail(move, EX_PROTOCOL, "what comes from the server is not understood");
		return;
	}
	move->phase = MOVE_SWITCHING;
	move->sides[MOVE_SOURCE].on_line = NULL;
	move_ask(move, work_switch, on_switched);
	move_note(move);
}

static void
on_prepared(struct move *move, struct span line)
{
	struct move_side *source = &move->sides[MOVE_SOURCE];

	if (!span_equals(line, SPAN("prepared"))) {
		move_fail(move, EX_PROTOCOL, "what comes from the server is not understood");
		return;
	}
	source->on_line = on_yielded;
	transfer_say(source, "yield %.*s", SPAN_ARGS(moves_server_name(move->cas, move->row.target)));
}

static void
prepare(struct move *move)
{
	struct move_side *target = &move->sides[MOVE_TARGET];
	struct buffer line = { 0 };

	buffer_printf(&line, "prepare %llu ", (unsigned long long)move->pages);
	buffer_add_span(&line, move->facts);
	buffer_add_string(&line, "\r\n");
	target->on_line = on_prepared;
	stream_write_buffer(target->stream, &line);
	buffer_free(&line);
}

static void on_copied(struct move *move, struct span line);

static void
copy(struct move *move)
{
	move->sides[MOVE_SOURCE].on_line = on_copied;
	transfer_say(&move->sides[MOVE_SOURCE], "copy");
}

static void
on_frozen(struct move *move, struct span line)
{
	if (span_equals(line, SPAN("frozen"))) {
		move->phase = MOVE_PAUSED;
		move->is_final = true;
		copy(move);
	} else if (!span_equals(line, SPAN("busy"))) {
		move_fail(move, EX_PROTOCOL, "what comes from the server is not understood");
	} else if (++move->tries == TRIES_MAX) {
		move_fail(move, EX_TEMPFAIL, "the user's sessions are never between two commands: "
		    "try again later, or end them by `imapctl kick'");
	} else {
		move->phase = MOVE_COPYING;
		timer_start_ms(&move->timer, BUSY_MS);
	}
	move_note(move);
}

/* What waits at the source waits from now on. */
static void
freeze(struct move *move)
{
	move->phase = MOVE_PAUSING;
	move->paused_us = clock_monotonic_us();
	move->sides[MOVE_SOURCE].on_line = on_frozen;
	transfer_say(&move->sides[MOVE_SOURCE], "freeze");
}

static bool
read_copied(struct move *move, struct span line)
{
	struct span rest = span_from(line, 7);
	size_t space = span_find(rest, ' ');

	return span_starts_with(line, SPAN("copied ")) &&
	    span_to_number(span_slice(rest, 0, space), UINT32_MAX, &move->pages) &&
	    span_to_number(span_from(rest, space + 1), INT64_MAX, &move->left);
}

static void
on_copied(struct move *move, struct span line)
{
	if (!read_copied(move, line))
		move_fail(move, EX_PROTOCOL, "what comes from the server is not understood");
	else if (move->is_final)
		prepare(move);
	else if (move->left > LEFT_MAX && ++move->passes < PASSES_MAX)
		copy(move);
	else
		freeze(move);
	move_note(move);
}

void
transfer_try_again(struct move *move)
{
	if (move->sides[MOVE_SOURCE].stream != NULL)
		copy(move);
}

static void
on_target_ready(struct move *move, struct span line)
{
	if (!span_equals(line, SPAN("ok"))) {
		move_fail(move, EX_PROTOCOL, "what comes from the server is not understood");
		return;
	}
	move->sides[MOVE_TARGET].on_line = NULL;
	move->phase = MOVE_COPYING;
	copy(move);
	move_note(move);
}

/* ---- both streams ---- */

static void
add_wish(struct buffer *wish, struct span word)
{
	buffer_add_octet(wish, 0);
	buffer_add_span(wish, word);
}

static void
on_connected(const struct link_result *result, void *context)
{
	struct move_side *side = context;
	struct buffer name = { 0 };

	side->attempt = NULL;
	side->was_asked = result->status != LINK_REFUSED && result->status != LINK_DENIED;
	if (result->status == LINK_OK)
		transfer_listen(side, result->stream);
	else if (!side->was_asked)
		move_fail(side->move, EX_UNAVAILABLE, "%s is of a version that cannot move users", side_name(side, &name));
	else
		move_fail(side->move, EX_TEMPFAIL, "%s cannot be reached: %s", side_name(side, &name),
		    link_status_name(result->status));
	buffer_free(&name);
}

static void
connect_target(struct move *move)
{
	struct move_side *side = &move->sides[MOVE_TARGET];
	struct buffer wish = { 0 };

	add_wish(&wish, SPAN("in"));
	add_wish(&wish, directory_name_span(&move->name));
	add_wish(&wish, span_from_string(move->row.move_id));
	buffer_add_octet(&wish, 0);
	buffer_add_number(&wish, move->schema);
	buffer_add_octet(&wish, 0);
	buffer_add_number(&wish, move->octets_total);
	side->on_line = on_target_ready;
	side->was_asked = true;
	side->attempt = link_connect_to_move(move->cas->parts.link, move->row.target, buffer_span(&wish), on_connected, side);
	buffer_free(&wish);
}

/* A record of each who will not find the user's mailboxes any more, or whose mailboxes the user will not find. */
static void
read_shares(struct move *move)
{
	struct buffer facts = { 0 };
	struct span rest;

	if (!base64_decode(move->facts, &facts))
		return;
	for (rest = buffer_span(&facts); rest.length > 0;) {
		size_t end = span_find(rest, '\n');
		struct span line = span_slice(rest, 0, end);

		if (span_starts_with(line, SPAN("gives ")) || span_starts_with(line, SPAN("gets "))) {
			buffer_add_span(&move->shares, line);
			buffer_add_octet(&move->shares, '\n');
		}
		rest = span_from(rest, end + 1);
	}
	buffer_free(&facts);
}

static void
on_facts(struct move *move, struct span line)
{
	move->facts = arena_copy(move->arena, line);
	move->sides[MOVE_SOURCE].on_line = NULL;
	read_shares(move);
	if (move->shares.length > 0 && !move->is_confirmed)
		move_fail(move, EX_NOPERM,
		    "shared mailboxes will not be found any more between the two servers: --yes moves the user all the same");
	else
		connect_target(move);
}

static void
on_source_ready(struct move *move, struct span line)
{
	struct span rest = span_from(line, 3);
	size_t space = span_find(rest, ' ');

	if (!span_starts_with(line, SPAN("ok ")) || !span_to_number(span_slice(rest, 0, space), INT32_MAX, &move->schema) ||
	    !span_to_number(span_from(rest, space + 1), INT64_MAX, &move->octets_total))
		move_fail(move, EX_PROTOCOL, "what comes from the server is not understood");
	else
		move->sides[MOVE_SOURCE].on_line = on_facts;
}

void
transfer_begin(struct move *move)
{
	struct move_side *side = &move->sides[MOVE_SOURCE];
	struct buffer wish = { 0 };

	add_wish(&wish, SPAN("out"));
	add_wish(&wish, directory_name_span(&move->name));
	add_wish(&wish, span_from_string(move->row.move_id));
	side->on_line = on_source_ready;
	side->was_asked = true;
	side->attempt = link_connect_to_move(move->cas->parts.link, move->row.source, buffer_span(&wish), on_connected, side);
	buffer_free(&wish);
}
