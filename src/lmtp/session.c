/*
 * The life of an LMTP session: who listens to the stream, which state follows which, and the one function
 * that advances.  It owns its stream; what a delivery borrows lives until the last recipient is answered,
 * also when the client has gone.  RFC 2033, RFC 5321 section 4.5.3.  Loop thread.
 */
#include "session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"

#define FLUSH_MS 5000	/* how long a farewell may take */

static const struct { const char *name; unsigned next; } states[] = {
	[LMTP_GREETED]	  = { "greeted",    LMTP_BIT(LMTP_READY) | LMTP_BIT(LMTP_IN_CHUNK) },
	[LMTP_READY]	  = { "ready",	    LMTP_BIT(LMTP_READY) | LMTP_BIT(LMTP_MAIL) | LMTP_BIT(LMTP_IN_CHUNK) },
	[LMTP_MAIL]	  = { "mail",	    LMTP_BIT(LMTP_READY) | LMTP_BIT(LMTP_LOOKING_UP) |
					    LMTP_BIT(LMTP_IN_CHUNK) },
	[LMTP_LOOKING_UP] = { "looking up", LMTP_BIT(LMTP_MAIL) | LMTP_BIT(LMTP_RECIPIENTS) },
	[LMTP_RECIPIENTS] = { "recipients", LMTP_BIT(LMTP_READY) | LMTP_BIT(LMTP_LOOKING_UP) |
					    LMTP_BIT(LMTP_IN_DATA) | LMTP_BIT(LMTP_IN_CHUNK) },
	[LMTP_CHUNKED]	  = { "chunked",    LMTP_BIT(LMTP_READY) | LMTP_BIT(LMTP_IN_CHUNK) },
	[LMTP_IN_DATA]	  = { "in data",    LMTP_BIT(LMTP_DELIVERING) },
	[LMTP_IN_CHUNK]	  = { "in chunk",   LMTP_BIT(LMTP_GREETED) | LMTP_BIT(LMTP_READY) | LMTP_BIT(LMTP_MAIL) |
					    LMTP_BIT(LMTP_CHUNKED) | LMTP_BIT(LMTP_DELIVERING) },
	[LMTP_DELIVERING] = { "delivering", LMTP_BIT(LMTP_READY) },
	[LMTP_CLOSING]	  = { "closing",    0 },
};

void
lmtp_enter(struct lmtp_session *session, enum lmtp_state next)
{
	assert(next == LMTP_CLOSING || (states[session->state].next & LMTP_BIT(next)));
	log_debug("lmtp-state", log_text("sid", session->sid), log_text("from", states[session->state].name),
	    log_text("to", states[next].name));
	session->state = next;
}

void
lmtp_end(struct lmtp_session *session, enum metric_reason why)
{
	session->end_reason = why;
	lmtp_enter(session, LMTP_CLOSING);
}

void
lmtp_reply(struct lmtp_session *session, const char *line)
{
	stream_write(session->stream, span_from_string(line));
	stream_write(session->stream, SPAN("\r\n"));
}

void
lmtp_reply_error(struct lmtp_session *session, const char *line)
{
	lmtp_reply(session, line);
	if (++session->errors < LMTP_ERRORS_MAX)
		return;
	lmtp_reply(session, "421 4.7.0 Too many errors, closing connection");
	lmtp_end(session, METRIC_BAD_COMMANDS);
}

void
lmtp_transaction_reset(struct lmtp_session *session)
{
	struct lmtp_transaction *transaction = &session->transaction;

	spool_free(&transaction->message);
	arena_free(&transaction->arena);
	free(transaction->recipients);
	free(transaction->addresses);
	free(transaction->answers);
	*transaction = (struct lmtp_transaction){ 0 };
}

/* Nothing refers to the session any more: on_closed is the last that is heard of it. */
static void
free_session(struct lmtp_session *session)
{
	const struct lmtp_settings *settings = session->settings;

	deferred_cancel(&session->again);
	timer_stop(&session->idle);
	lmtp_transaction_reset(session);
	stream_close_after_flush(&session->stream, FLUSH_MS);
	log_info("lmtp-end", log_text("sid", session->sid));
	free(session->sid);
	metric_count(METRIC_CONNECTIONS_CLOSED, METRIC_MAILBOX, session->end_reason);
	settings->ops->on_closed(settings->context, session);
	free(session);
}

/* Drop the octets of a line that was too long, to its end. */
static bool
skip_line(struct lmtp_session *session)
{
	struct span input = stream_input(session->stream);
	size_t end = span_find(input, '\n');

	if (end == input.length) {
		stream_consume(session->stream, input.length);
		return input.length > 0;
	}
	stream_consume(session->stream, end + 1);
	session->is_skipping_line = false;
	lmtp_reply_error(session, "500 5.5.2 Line too long");
	return true;
}

/* The octets that may be the next line: it ends with the first LF, or has none yet. */
static struct span
line_input(struct lmtp_session *session)
{
	return span_slice(stream_input_whole(session->stream), 0, LMTP_LINE_MAX);
}

/* A line whose LF stands at end. */
static struct span
line_before(struct span input, size_t end)
{
	return span_slice(input, 0, end > 0 && input.at[end - 1] == '\r' ? end - 1 : end);
}

/* Obey the next line; false when it is not all there. */
static bool
run_line(struct lmtp_session *session, size_t *eaten_octets)
{
	struct span input;
	uint8_t copy[LMTP_LINE_MAX];
	size_t end;

	if (session->is_skipping_line)
		return skip_line(session);
	input = line_input(session);
	if ((end = span_find(input, '\n')) == input.length) {
		session->is_skipping_line = input.length == LMTP_LINE_MAX;
		return session->is_skipping_line;
	}
	/* The command may take up the stream's input, so it gets octets of its own. */
	memcpy(copy, input.at, end);
	stream_consume(session->stream, end + 1);
	*eaten_octets += end + 1;
	lmtp_command(session, line_before(span_of(copy, end), end));
	return true;
}

/* More replies than it reads: on_drained() goes on. */
static bool
is_client_behind(const struct lmtp_session *session)
{
	return stream_output_length(session->stream) > LMTP_OUTPUT_MAX;
}

/* While recipients are looked up: whether the next line is there, and may be obeyed already. */
static bool
has_follower(struct lmtp_session *session)
{
	struct span input = line_input(session);
	size_t end = span_find(input, '\n');

	return end < input.length && !session->is_closing_soon && !is_client_behind(session) &&
	    lmtp_recipient_follows(session, line_before(input, end));
}

/* One step; false when there is something to wait for. */
static bool
step(struct lmtp_session *session, size_t *eaten_octets)
{
	bool has_gone_on;

	switch (session->state) {
	case LMTP_DELIVERING:
	case LMTP_CLOSING:
		return false;
	case LMTP_LOOKING_UP:
		return has_follower(session) && run_line(session, eaten_octets);
	case LMTP_IN_DATA:
	case LMTP_IN_CHUNK:
		has_gone_on = lmtp_message_eat(session, eaten_octets);
		if (!has_gone_on && session->transaction.message != NULL &&
		    spool_is_congested(session->transaction.message))
			return false;
		break;
	default:
		if (session->is_closing_soon) {
			lmtp_reply(session, "421 4.3.2 Service shutting down, closing connection");
			lmtp_end(session, METRIC_SERVER_STOPS);
			return false;
		}
		if (is_client_behind(session))
			return false;
		has_gone_on = run_line(session, eaten_octets);
		break;
	}
	if (!has_gone_on && session->is_ended)
		lmtp_end(session, METRIC_CLIENT_CLOSED);
	return has_gone_on;
}

/* What has come ends within a line or a message. */
static bool
is_within(const struct lmtp_session *session)
{
	switch (session->state) {
	case LMTP_LOOKING_UP:
	case LMTP_DELIVERING:
	case LMTP_CLOSING:
		return false;
	case LMTP_IN_DATA:
	case LMTP_IN_CHUNK:
		return true;
	default:
		return session->is_skipping_line || stream_has_input(session->stream);
	}
}

void
lmtp_advance(struct lmtp_session *session)
{
	size_t eaten_octets = 0;

	if (session->is_advancing)	/* an answer that came at once: the loop below goes on */
		return;
	session->is_advancing = true;
	while (eaten_octets < LMTP_TURN_OCTETS && step(session, &eaten_octets))
		;
	session->is_advancing = false;
	if (session->state == LMTP_CLOSING)
		free_session(session);
	else if (eaten_octets >= LMTP_TURN_OCTETS)
		deferred_schedule(session->settings->loop, &session->again);
	else if (is_within(session))
		stream_await_more(session->stream);
}

static void
on_again(void *context)
{
	lmtp_advance(context);
}

static void
on_input(struct stream *stream, void *context)
{
	struct lmtp_session *session = context;

	(void)stream;
	timer_start_ms(&session->idle, session->settings->idle_timeout_ms);
	lmtp_advance(session);
}

static void
on_drained(struct stream *stream, void *context)
{
	(void)stream;
	lmtp_advance(context);
}

/* A client that has only ended its side still gets the replies to what it sent. */
static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct lmtp_session *session = context;

	(void)stream;
	session->is_ended = true;
	if (reason != STREAM_EOF && session->state != LMTP_LOOKING_UP && session->state != LMTP_DELIVERING)
		lmtp_end(session, METRIC_CONNECTION_LOST);
	lmtp_advance(session);
}

static void
on_idle(void *context)
{
	struct lmtp_session *session = context;

	if (session->state == LMTP_LOOKING_UP || session->state == LMTP_DELIVERING) {
		timer_start_ms(&session->idle, session->settings->idle_timeout_ms);
		return;
	}
	lmtp_reply(session, "421 4.4.2 Timeout, closing connection");
	lmtp_end(session, METRIC_TIMEOUT);
	lmtp_advance(session);
}

static const struct stream_events events = { .on_input = on_input, .on_drained = on_drained, .on_end = on_end };

struct lmtp_session *
lmtp_session_new(const struct lmtp_settings *settings, struct stream *stream, const char *sid)
{
	struct lmtp_session *session = NEW(struct lmtp_session);

	session->settings = settings;
	session->stream = stream;
	session->sid = memory_copy_string(sid);
	list_init(&session->asked);
	deferred_init(&session->again, on_again, session);
	timer_init(&session->idle, settings->loop, on_idle, session);
	timer_start_ms(&session->idle, settings->idle_timeout_ms);
	stream_set_events(stream, &events, session);
	log_info("lmtp-begin", log_text("sid", sid), log_text("ip", stream_peer_address(stream)));
	stream_write(stream, SPAN("220 "));
	stream_write(stream, span_from_string(settings->hostname));
	lmtp_reply(session, " LMTP ready");
	return session;
}

void
lmtp_session_close(struct lmtp_session *session)
{
	session->is_closing_soon = true;
	if (session->state == LMTP_IN_DATA || session->state == LMTP_IN_CHUNK) {
		lmtp_reply(session, "421 4.3.2 Service shutting down, closing connection");
		lmtp_end(session, METRIC_SERVER_STOPS);
	}
	lmtp_advance(session);
}
