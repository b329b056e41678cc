/*
 * The life of a session: octets in, one command after the other, replies out.  All decisions about what to
 * read next are in advance().  Loop thread.
 */
#include <assert.h>
#include <stdlib.h>

#include "../shared/role.h"
#include "../shared/shares.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/random.h"
#include "budget.h"
#include "counting.h"
#include "config/config.h"
#include "dispatch.h"
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
#include "timeout.h"

#define TURN_EVENTS 64		/* what one session may do in a turn of the loop */

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

/* Octets. */

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
		dispatch_event(session, &event);
	if (session->stream != NULL)
		stream_consume(session->stream, eaten);
	if (event.kind != IMAP_EVENT_MESSAGE_OCTETS)
		dispatch_event(session, &event);
}

/* What has waited until all before it was answered. */
static void
handle_held(struct session *session)
{
	struct imap_event event;

	if (session->phase == SESSION_RUNNING || !pipeline_is_holding(session) || !may_read(session))
		return;
	event = pipeline_give(session);
	dispatch_event(session, &event);
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
		timeout_note_activity(session);
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
	timer_init(&session->timer, role->parts.loop, timeout_on_timer, session);
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
	timeout_start(session);
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
	timeout_start(session);
	log_session(session);
	session_log_begin(session);
	session_find_onlookers(session);
}
