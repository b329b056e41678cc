/*
 * The life of a session: octets in, one command after the other, replies out.  All decisions about what to
 * read next are in advance().  Loop thread.
 */
#include <assert.h>
#include <stdlib.h>

#include "../shared/role.h"
#include "../shared/shares.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/random.h"
#include "budget.h"
#include "counting.h"
#include "config/config.h"
#include "ending.h"
#include "ground.h"
#include "identity.h"
#include "imap/capability.h"
#include "limit.h"
#include "net/deflate.h"
#include "net/stream.h"
#include "net/tls.h"
#include "notify.h"
#include "onlook.h"
#include "pipeline.h"
#include "protocol.h"
#include "session.h"

#define TURN_EVENTS	 64		/* what one session may do in a turn of the loop */
#define BAD_COMMANDS_MAX 20
#define STILL_HERE_MS	 120000
#define AUTHENTICATE_MS	 30000

static void advance(struct session *session);

/* Freeing. */

static void
leave_others(struct session *session)
{
	size_t position = 0;
	struct span id;
	void *value;

	while (session->visited != NULL && map_next(session->visited, &position, &id, &value)) {
		struct account *account = value;

		account_release(&account);
	}
	map_free(&session->visited);
}

static void
session_free(struct session *session)
{
	struct mailbox_role *role = session->role;

	session_end_onlook(session);
	session->commands->forget_message(session);
	pipeline_fini(session);
	if (session->is_line_kept)
		session->line = NULL;
	imap_command_free(&session->line);
	session_unselect(session);
	count_end(session);
	notify_end(session);
	leave_others(session);
	session_forget_identity(session);
	account_release(&session->account);
	imap_parser_free(&session->parser);
	deferred_cancel(&session->deferred);
	deferred_cancel(&session->news);
	timer_stop(&session->timer);
	buffer_free(&session->out);
	free(session->saved.ranges);
	free((void *)session->appended_name.at);
	free(session->user);
	free(session->address);
	free(session->port);
	free(session->tls);
	free(session->cipher);
	free(session->prover);
	free(session->return_word);
	free(session->return_capability);
	buffer_free(&session->id);
	if (map_get(role->by_sid, span_from_string(session->sid)) == session)
		map_remove(role->by_sid, span_from_string(session->sid));
	list_remove(&session->link);
	free(session);
	role->sessions_count--;
	role->on_ended(role);
}

static void
on_deferred(void *context)
{
	struct session *session = context;
	void (*on_room)(struct session *session) = session->on_room;

	if (on_room != NULL && (session_is_closing(session) || session_has_room(session))) {
		uint64_t since_us = clock_thread_us();

		session->on_room = NULL;
		on_room(session);
		budget_note_turn(session, since_us);
	}
	if (!session_is_closing(session))
		advance(session);
	else if (session->jobs == 0 && session->on_room == NULL)
		session_free(session);
}

/* Timers. */

static uint64_t
timeout_ms(const struct session *session)
{
	if (session->account == NULL)
		return AUTHENTICATE_MS;
	return session->role->parts.config->idle_timeout_s * 1000;
}

/* When it must leave, that may be before. */
static uint64_t
sooner_ms(const struct session *session, uint64_t left_ms)
{
	uint64_t now_us = loop_now_us(session->role->parts.loop), cut_ms;

	if (session->cut_us == 0)
		return left_ms;
	cut_ms = session->cut_us > now_us ? (session->cut_us - now_us) / 1000 : 0;
	return cut_ms < left_ms ? cut_ms : left_ms;
}

static void
start_timer(struct session *session)
{
	uint64_t idle_ms = (loop_now_us(session->role->parts.loop) - session->active_us) / 1000;
	uint64_t limit_ms = timeout_ms(session);
	uint64_t left_ms = idle_ms >= limit_ms ? 0 : limit_ms - idle_ms;

	if (session->is_idling && left_ms > STILL_HERE_MS)
		left_ms = STILL_HERE_MS;
	left_ms = sooner_ms(session, left_ms);
	timer_start_ms(&session->timer, left_ms + 1);
}

static void
note_activity(struct session *session)
{
	if (session_is_closing(session))
		return;
	session->active_us = loop_now_us(session->role->parts.loop);
	if (session->is_idling || session->account == NULL || !timer_is_running(&session->timer))
		start_timer(session);
}

static void
on_timer(void *context)
{
	struct session *session = context;
	uint64_t now_us = loop_now_us(session->role->parts.loop), idle_us = now_us - session->active_us;

	if (session->cut_us != 0 && now_us >= session->cut_us) {
		session_bye(session, session->end_reason, NULL, session->farewell);
		return;
	}
	if (idle_us >= timeout_ms(session) * 1000 && session->phase != SESSION_RUNNING) {
		session_bye(session, METRIC_TIMEOUT, NULL, "idle for too long");
		return;
	}
	if (session->phase == SESSION_RUNNING)
		session->active_us += idle_us;
	if (session->is_idling && session->phase == SESSION_LISTENING) {	/* else within what NOTIFY fetches */
		buffer_add_string(&session->out, "* OK still here\r\n");
		session_flush(session);
	}
	start_timer(session);
}

void
session_leave_within(struct session *session, uint64_t ms, const char *text)
{
	session_leave(session, METRIC_KICKED, NULL, text);
	session->cut_us = loop_now_us(session->role->parts.loop) + ms * 1000;
	start_timer(session);
}

/* Commands. */

static bool
is_legal(const struct session *session)
{
	unsigned now = session->account == NULL ? IMAP_STATE_NOT_LOGGED_IN
	    : session->view == NULL		? IMAP_STATE_LOGGED_IN
						: IMAP_STATE_SELECTED;

	return (imap_commands[session->line->verb].states & now) != 0 &&
	    session->commands->handlers[session->line->verb] != NULL;
}

static void
run(struct session *session)
{
	crash_note(imap_commands[session->line->verb].name, session->sid);
	budget_begin(session);
	session->commands->handlers[session->line->verb](session);
	crash_note_end();
}

static void
on_command(struct session *session, struct imap_command_line *line)
{
	session_begin_line(session, line);
	session_enter(session, SESSION_RUNNING);
	if (!is_legal(session)) {
		session->commands->forget_message(session);
		session_finish(session, REPLY_BAD_STATE);
		return;
	}
	session->bad_commands = 0;
	if (session->is_uid_only && imap_command_has_numbers(line)) {
		session->commands->forget_message(session);
		session_finish(session, REPLY_UID_REQUIRED);
		return;
	}
	run(session);
}

static void
answer_error(struct session *session, const struct imap_error *error, enum imap_condition condition)
{
	size_t start = session->out.length;

	imap_write_condition(&session->out, error->tag, condition,
	    error->code == NULL ? (struct span){ NULL, 0 } : span_from_string(error->code), span_from_string(error->text));
	session_log_answer(session, NULL, span_without_line_end(span_from(buffer_span(&session->out), start)));
}

static void
on_error(struct session *session, const struct imap_error *error)
{
	enum imap_condition condition = error->status == IMAP_ERROR_NO ? IMAP_NO : IMAP_BAD;

	session->commands->forget_message(session);
	if (session->phase == SESSION_APPENDING)
		session_enter(session, SESSION_READY);
	if (error->code != NULL && strcmp(error->code, "TOOBIG") == 0)
		metric_count(METRIC_LIMIT_HITS, METRIC_MESSAGE_SIZE, 0);
	if (!error->is_foreign && session->account != NULL)
		metric_count(METRIC_COMMANDS, METRIC_COMMAND_UNKNOWN, condition);
	if (!error->is_foreign)
		answer_error(session, error, condition);
	if (error->is_foreign)
		session_close(session, METRIC_BAD_COMMANDS);
	else if (error->is_fatal)
		session_bye(session, METRIC_BAD_COMMANDS, error->code, "what follows cannot be understood");
	else if (error->is_syntax && ++session->bad_commands >= BAD_COMMANDS_MAX)
		session_bye(session, METRIC_BAD_COMMANDS, NULL, "too many bad commands");
}

void
session_expect_line(struct session *session, size_t max_octets,
    void (*on_line)(struct session *session, struct span line))
{
	session->on_line = on_line;
	imap_parser_expect_line(session->parser, max_octets);
	session_enter(session, SESSION_LISTENING);
	session_flush(session);
	session_schedule(session);
}

static void
on_listened(struct session *session, struct span line)
{
	session_enter(session, SESSION_RUNNING);
	session->on_line(session, line);
}

/* The message of an APPEND, by the parser's events; append.c tells how it goes on. */
static void
on_message_begins(struct session *session, const struct imap_append_message *message)
{
	session_enter(session, SESSION_RUNNING);
	session->commands->message_begins(session, message);
}

void
session_resume_append(struct session *session)
{
	if (session->phase == SESSION_RUNNING)
		session_enter(session, SESSION_APPENDING);
	session_schedule(session);
}

void
session_refuse_append(struct session *session, struct span tag, enum reply reply)
{
	const char *code = reply_words(reply)->code;

	session_refuse_append_with(session, tag, reply, code == NULL ? (struct span){ NULL, 0 } : span_from_string(code));
}

void
session_refuse_append_with(struct session *session, struct span tag, enum reply reply, struct span code)
{
	const struct reply_words *words = reply_words(reply);

	count_reply(session, IMAP_APPEND, reply);
	imap_write_condition(&session->out, tag, words->condition, code, span_from_string(words->text));
	session_flush(session);
	if (session_is_closing(session))
		return;
	imap_parser_skip_command(session->parser, false);
	session_enter(session, SESSION_READY);
	session_schedule(session);
}

static void
handle(struct session *session, const struct imap_event *event)
{
	if (session->phase == SESSION_RUNNING) {
		pipeline_take(session, event);
		return;
	}
	switch (event->kind) {
	case IMAP_EVENT_NEED_MORE:
	case IMAP_EVENT_MESSAGE_ENDS:
		break;
	case IMAP_EVENT_CONTINUE:
		buffer_add_string(&session->out, "+ OK\r\n");
		break;
	case IMAP_EVENT_COMMAND:
		on_command(session, event->command);
		break;
	case IMAP_EVENT_MESSAGE_BEGINS:
		on_message_begins(session, &event->message);
		break;
	case IMAP_EVENT_MESSAGE_OCTETS:
		session->commands->message_octets(session, event->octets);
		break;
	case IMAP_EVENT_LINE:
		on_listened(session, event->octets);
		break;
	case IMAP_EVENT_ERROR:
		on_error(session, &event->error);
		break;
	}
}

static bool
may_read(const struct session *session)
{
	return (session->phase != SESSION_RUNNING || pipeline_may_read(session)) && !session_is_closing(session) &&
	    !session_is_halted(session) &&
	    stream_output_length(session->stream) <= SESSION_OUTPUT_MAX &&
	    !session->commands->is_congested(session);
}

/* Who looks on sees it in the order in which it comes, whenever it is done. */
static void
show_event(struct session *session, const struct imap_event *event, size_t octets)
{
	session_begin_onlook(session);
	if (session->onlooker != NULL)
		session_show_event(session, event, octets);
}

/* One event of the parser; the octets of a message are borrowed from the stream until they are used. */
static void
step(struct session *session)
{
	struct span input = stream_input(session->stream), rest = input;
	struct imap_event event;
	size_t eaten;

	imap_parser_feed(session->parser, &rest, &event);
	eaten = input.length - rest.length;
	show_event(session, &event, eaten);
	if (event.kind == IMAP_EVENT_MESSAGE_OCTETS)
		handle(session, &event);
	if (session->stream != NULL)
		stream_consume(session->stream, eaten);
	if (event.kind != IMAP_EVENT_MESSAGE_OCTETS)
		handle(session, &event);
}

/* What has waited until all before it was answered. */
static void
handle_held(struct session *session)
{
	struct imap_event event;

	if (session->phase == SESSION_RUNNING || !pipeline_is_holding(session) || !may_read(session))
		return;
	event = pipeline_give(session);
	handle(session, &event);
}

/*
 * Nothing more comes from the client, or from a front end that lets it go.  The latter says BYE by itself, but not
 * in DEFLATE, of which it knows nothing.
 */
static void
end(struct session *session)
{
	if (stream_is_deflated(session->stream))
		session_bye(session, METRIC_CLIENT_CLOSED, NULL, "the session is over");
	else
		session_close(session, METRIC_CLIENT_CLOSED);
}

static void
advance(struct session *session)
{
	unsigned events = TURN_EVENTS;

	if (session_has_lost_view(session) && session->phase != SESSION_RUNNING) {
		session_say_lost_view(session);
		return;
	}
	if (session->is_leaving && session->phase != SESSION_RUNNING && session->phase != SESSION_APPENDING) {
		session_bye(session, session->end_reason, session->farewell_code, session->farewell);
		return;
	}
	handle_held(session);
	while (may_read(session) && stream_has_input(session->stream)) {
		if (events-- == 0) {
			session_schedule(session);
			break;
		}
		step(session);
		note_activity(session);
	}
	session_flush(session);
	if (may_read(session) && !imap_parser_is_idle(session->parser) && !stream_has_input(session->stream))
		stream_await_more(session->stream);
	if (!session_is_closing(session) && session->has_ended && session->phase != SESSION_RUNNING &&
	    !stream_has_input(session->stream) && !pipeline_is_holding(session))
		end(session);
}

static void
on_input(struct stream *stream, void *context)
{
	(void)stream;
	advance(context);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct session *session = context;

	(void)stream;
	session->has_ended = true;
	if (reason == STREAM_EOF)
		advance(session);
	else
		session_close(session, METRIC_CONNECTION_LOST);
}

static const struct stream_events events = { on_input, session_on_drained, on_end };

/* Beginning. */

void
session_write_capability(const struct session *session, struct buffer *out)
{
	struct imap_capability_options options = {
		.append_limit = session->role->parts.config->message_size_limit_octets,
		.message_limit = session->message_limit,
		.save_limit = session->save_limit,
		.masked = session->masked,
	};

	buffer_add_string(out, "CAPABILITY ");
	imap_capability_write(out, session->account == NULL ? IMAP_MOMENT_LINK : IMAP_MOMENT_AFTER_LOGIN,
	    &options);
}

struct session *
session_new(struct mailbox_role *role, struct stream *stream, const struct session_commands *commands)
{
	struct session *session = NEW(struct session);

	session->role = role;
	session->commands = commands;
	session->stream = stream;
	session->parser = imap_parser_new(&role->limits);
	random_hex(session->sid, 12);
	list_init(&session->link);
	session_join(session);
	role->sessions_count++;
	count_begin(session);
	deferred_init(&session->deferred, on_deferred, session);
	deferred_init(&session->news, session_on_news, session);
	timer_init(&session->timer, role->parts.loop, on_timer, session);
	list_init(&session->pipeline.followers);
	list_init(&session->whole);
	session->active_us = loop_now_us(role->parts.loop);
	session->verb = IMAP_COMMAND_COUNT;
	return session;
}

void
session_greet(struct session *session)
{
	struct buffer code = { 0 };

	metric_count(METRIC_CONNECTIONS, METRIC_MAILBOX,
	    session->account == NULL ? METRIC_LISTENER_LINK : METRIC_LISTENER_CONTROL);
	session_write_capability(session, &code);
	imap_write_condition(&session->out, SPAN("*"), session->account == NULL ? IMAP_OK : IMAP_PREAUTH,
	    buffer_span(&code), SPAN("imapd mailbox"));
	buffer_free(&code);
	stream_set_low_mark(session->stream, SESSION_OUTPUT_LOW);
	stream_set_events(session->stream, &events, session);
	session_flush(session);
	start_timer(session);
}

/* Who, from where, and how: what the cas says of its client, and what we see of the cas. */
static void
log_session(const struct session *session)
{
	struct tls_facts link;

	stream_tls_facts(session->stream, &link);
	log_info("login", log_text("sid", session->sid), log_text("user", session->user),
	    log_text("by", session->prover), log_text("address", session->address), log_text("port", session->port),
	    log_text("tls", session->tls), log_text("cipher", session->cipher),
	    log_text("cas", stream_peer_address(session->stream)), log_text("link", link.version),
	    log_text("resumed", link.version == NULL ? NULL : link.is_resumed ? "yes" : "no"));
}

/* What the other role has said to log in is not the client's. */
static void
note_beginning(struct session *session)
{
	session->began_us = loop_now_us(session->role->parts.loop);
	session->octets_in = stream_octets_in(session->stream);
	session->octets_out = stream_octets_out(session->stream);
	session->verb = IMAP_COMMAND_COUNT;
	map_put(session->role->by_sid, span_from_string(session->sid), session);
}

void
session_login(struct session *session, struct span user, const char *mailbox_id, struct span groups, struct span former)
{
	session->user = memory_copy_span(user);
	session_take_identity(session, groups, former);
	shares_begin(session->role);
	session->account = account_hold(session->role->accounts, mailbox_id, session->user);
	session->role->logins++;
	note_beginning(session);
	count_state(session);
	limit_begin(session);
	session_mask(session);
	start_timer(session);
	log_session(session);
	session_log_begin(session);
	session_find_onlookers(session);
}
