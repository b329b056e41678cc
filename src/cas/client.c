/*
 * A client before login: its states, its input, its end.  All decisions about input are in advance(),
 * which does a bounded number of commands in a turn.  Loop thread.
 */
#include "client.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"

#define BIT(state) (1u << (state))
#define COMMANDS_PER_TURN 16

static const struct {
	const char *name;
	unsigned next;
} states[] = {
	[GREETED] = { "greeted",
	    BIT(GREETED) | BIT(SHAKING) | BIT(ANSWERING) | BIT(VERIFYING) | BIT(DELAYED) |
		BIT(CLOSING) },
	[SHAKING] = { "shaking", BIT(GREETED) | BIT(CLOSING) },
	[ANSWERING] = { "answering",
	    BIT(ANSWERING) | BIT(VERIFYING) | BIT(DELAYED) | BIT(LINKING) | BIT(GREETED) | BIT(CLOSING) },
	[VERIFYING] = { "verifying",
	    BIT(ANSWERING) | BIT(DELAYED) | BIT(LINKING) | BIT(GREETED) | BIT(CLOSING) },
	[DELAYED] = { "delayed", BIT(GREETED) | BIT(CLOSING) },
	[LINKING] = { "linking", BIT(FORWARDING) | BIT(DELAYED) | BIT(GREETED) | BIT(CLOSING) },
	[FORWARDING] = { "forwarding", BIT(RETURNING) | BIT(CLOSING) },
	[RETURNING] = { "returning", BIT(GREETED) | BIT(MOVING) | BIT(CLOSING) },
	[MOVING] = { "moving", BIT(FORWARDING) | BIT(CLOSING) },
	[CLOSING] = { "closing", 0 },
};

void
client_enter(struct cas_client *client, enum client_state next)
{
	assert(states[client->state].next & BIT(next));
	log_debug("cas-state", log_text("sid", client->sid),
	    log_text("from", states[client->state].name), log_text("to", states[next].name));
	client->state = next;
	if (next == GREETED || next == CLOSING)
		client_wake(client);
}

void
client_join(struct cas_client *client, struct list *list)
{
	list_remove(&client->link);
	client->place = ++client->cas->joined;
	list_push_back(list, &client->link);
}

void
client_wake(struct cas_client *client)
{
	deferred_schedule(client->cas->parts.loop, &client->again);
}

bool
client_is_looked_on(const struct cas_client *client)
{
	return traces_are_on(client->cas->parts.traces);
}

void
client_write(struct cas_client *client, struct buffer *line)
{
	if (client_is_looked_on(client))
		onlook_reply(client, buffer_span(line));
	if (client_has_protocol(client))
		protocol_answer(client, buffer_span(line));
	stream_write_buffer(client->stream, line);
}

void
client_write_text(struct cas_client *client, struct span text)
{
	struct buffer line = { 0 };

	buffer_add_span(&line, text);
	client_write(client, &line);
	buffer_free(&line);
}

void
client_write_untagged(struct cas_client *client, struct span lines)
{
	while (lines.length > 0) {
		size_t end = span_find(lines, '\n');

		client_write_text(client, span_slice(lines, 0, end + 1));
		lines = span_from(lines, end + 1);
	}
}

void
client_note_answer(const struct cas_client *client, enum imap_condition condition)
{
	metric_count(METRIC_COMMANDS, client->command, condition);
	if (client->command != METRIC_COMMAND_UNKNOWN)
		metric_observe_us(METRIC_COMMAND_DURATION, client->command, clock_monotonic_us() - client->command_us);
}

void
client_note_login(const struct cas_client *client, enum metric_login result)
{
	metric_count(METRIC_LOGINS, client->mechanism, result);
	metric_observe_us(METRIC_AUTH_DURATION, 0, clock_monotonic_us() - client->began_us);
}

void
client_reply(struct cas_client *client, struct span tag, enum imap_condition condition, const char *code,
    const char *text)
{
	struct buffer line = { 0 };

	if (!span_equals(tag, SPAN("*")))
		client_note_answer(client, condition);
	imap_write_condition(&line, tag, condition, code == NULL ? SPAN("") : span_from_string(code),
	    span_from_string(text));
	client_write(client, &line);
	buffer_free(&line);
}

void
client_leave_users(struct cas_client *client)
{
	struct cas *cas = client->cas;

	count_down(cas->by_user, directory_name_span(&client->user));
	cas->status.sessions--;
	client->is_logged_in = false;
}

static void
forget_place(struct cas_client *client, enum metric_reason why)
{
	struct cas *cas = client->cas;
	uint8_t octets[16];

	count_down(cas->by_address, throttle_place(client->address, octets));
	if (client->is_logged_in)
		client_leave_users(client);
	cas->status.connections--;
	metric_count(METRIC_CONNECTIONS_CLOSED, METRIC_CAS, why);
	if (client->server != NULL && client->mailbox != NULL)
		client->server->figures.sessions--;
	list_remove(&client->link);
}

void
client_close(struct cas_client *client, enum metric_reason why, const char *reason)
{
	if (client->state == CLOSING)
		return;
	log_debug("close", log_text("sid", client->sid), log_text("rip", client->address),
	    log_text("reason", reason));
	if (client_is_looked_on(client))
		onlook_end(client);
	if (client_has_protocol(client))
		protocol_end(client);
	client_enter(client, CLOSING);
	forget_place(client, why);
	timer_stop(&client->patience_timer);
	timer_stop(&client->delay_timer);
	timer_stop(&client->carry_timer);
	link_cancel(&client->attempt);
	link_relay_cancel(&client->relay);
	stream_close_after_flush(&client->stream, FLUSH_MS);
	stream_free(&client->mailbox);
}

void
client_bye(struct cas_client *client, enum metric_reason why, const char *code, const char *text)
{
	client_reply(client, SPAN("*"), IMAP_BYE, code, text);
	client_close(client, why, text);
}

bool
client_is_one_too_many(struct cas_client *client)
{
	if (++client->bad_commands < BAD_COMMANDS_MAX)
		return false;
	metric_count(METRIC_LIMIT_HITS, METRIC_LIMIT_BAD_COMMANDS, 0);
	client_bye(client, METRIC_BAD_COMMANDS, NULL, "Too many bad commands");
	return true;
}

static void
client_free(struct cas_client *client)
{
	struct cas *cas = client->cas;

	deferred_cancel(&client->again);
	client->events->on_free(client);
	imap_parser_free(&client->parser);
	buffer_free(&client->tag);
	buffer_free(&client->home);
	buffer_free(&client->refusal);
	buffer_free(&client->id);
	buffer_free(&client->unshown);
	buffer_free(&client->said);
	buffer_free(&client->carried);
	free(client->address);
	free(client);
	cas->clients--;
	cas_check_gone(cas);
}

/*
 * Before TLS a line that was not understood may be a STARTTLS that somebody in the middle has bent:
 * what stands behind it must not be taken for the client's either (CVE-2022-28220).
 */
static bool
is_suspicious(const struct cas_client *client)
{
	return client->cas->parts.tls != NULL && !stream_is_tls(client->stream) &&
	    stream_has_input(client->stream);
}

static void
note_command(struct cas_client *client, size_t command)
{
	client->command = command;
	client->command_us = clock_monotonic_us();
}

static void
on_error(struct cas_client *client, const struct imap_error *error)
{
	if (error->is_foreign) {
		log_info("foreign", log_text("sid", client->sid), log_text("rip", client->address));
		client_close(client, METRIC_BAD_COMMANDS, "not IMAP");
		return;
	}
	note_command(client, METRIC_COMMAND_UNKNOWN);
	if (error->is_fatal) {
		client_bye(client, METRIC_BAD_COMMANDS, error->code, error->text);
		return;
	}
	client_reply(client, error->tag, error->status == IMAP_ERROR_NO ? IMAP_NO : IMAP_BAD,
	    error->code, error->text);
	if (client->state == ANSWERING)		/* the answer was too long */
		client_enter(client, GREETED);
	if (error->is_syntax && !client_is_one_too_many(client) && is_suspicious(client))
		client_bye(client, METRIC_BAD_COMMANDS, NULL, "Start TLS before sending more");
}

static void
on_event(struct cas_client *client, struct imap_event *event)
{
	switch (event->kind) {
	case IMAP_EVENT_CONTINUE:
		client_write_text(client, SPAN("+ OK\r\n"));
		break;
	case IMAP_EVENT_COMMAND:
		note_command(client, event->command->verb + 1);
		client->events->on_command(client, event->command);
		imap_command_free(&event->command);
		break;
	case IMAP_EVENT_LINE:
		client->events->on_line(client, event->octets);
		break;
	case IMAP_EVENT_MESSAGE_BEGINS:		/* APPEND by somebody who is not logged in */
		note_command(client, IMAP_APPEND + 1);
		client_reply(client, event->message.tag, IMAP_BAD, NULL, "Log in first");
		imap_parser_skip_command(client->parser, false);
		client_is_one_too_many(client);
		break;
	case IMAP_EVENT_ERROR:
		on_error(client, &event->error);
		break;
	default:
		break;
	}
}

/* Whoever wonders why EXTERNAL is not offered finds it here. */
static void
log_certificate(const struct cas_client *client)
{
	struct tls_facts tls;

	stream_tls_facts(client->stream, &tls);
	if (tls.certificate_error != NULL)
		log_info("client-certificate", log_text("sid", client->sid), log_text("rip", client->address),
		    log_text("reason", tls.certificate_error));
}

/* The channel is there, and with it what can be offered: greet, unless that was before STARTTLS. */
static void
begin(struct cas_client *client)
{
	log_certificate(client);
	if (client->state == SHAKING)
		client_enter(client, GREETED);
	if (!client->is_greeted)
		client->events->on_ready(client);
	if (!client->is_greeted && client_has_protocol(client))
		protocol_begin(client);
	client->is_greeted = true;
}

/* For who looks on, and the protocol log. */
static void
note_event(struct cas_client *client, const struct imap_event *event, size_t octets)
{
	client->hides_tag = event->kind == IMAP_EVENT_ERROR || event->kind == IMAP_EVENT_MESSAGE_BEGINS;
	if (client_is_looked_on(client))
		onlook_event(client, event, octets);
	if (client_has_protocol(client))
		protocol_event(client, event, octets);
}

/* Read commands until one must be waited for, the input is empty, or others have their turn. */
static void
advance(void *context)
{
	struct cas_client *client = context;

	if (client->state == SHAKING && stream_is_tls_established(client->stream))
		begin(client);
	for (unsigned i = 0; client->state == GREETED || client->state == ANSWERING; i++) {
		struct span input = stream_input(client->stream);
		size_t before = input.length;
		struct imap_event event;

		if (before == 0 && i > 0 && !imap_parser_is_idle(client->parser))
			stream_await_more(client->stream);
		/* Who asks and never reads the answers is not asked for more questions. */
		if (before == 0 || stream_output_length(client->stream) > OUTPUT_BEFORE_LOGIN)
			return;
		if (i == COMMANDS_PER_TURN) {
			client_wake(client);
			return;
		}
		imap_parser_feed(client->parser, &input, &event);
		stream_consume(client->stream, before - input.length);
		note_event(client, &event, before - input.length);
		on_event(client, &event);
	}
	if (client->state == CLOSING && client->jobs == 0)
		client_free(client);
}

static void
on_input(struct stream *stream, void *context)
{
	(void)stream;
	client_wake(context);
}

static void
on_drained(struct stream *stream, void *context)
{
	(void)stream;
	client_wake(context);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct cas_client *client = context;
	struct tls_facts tls;

	stream_tls_facts(stream, &tls);
	if (tls.error != NULL && !tls.is_silent)	/* else somebody only looked whether we listen */
		log_info("tls-failed", log_text("sid", client->sid), log_text("rip", client->address),
		    log_text("reason", tls.error));
	client_close(client, tls.error != NULL && !tls.is_silent ? METRIC_TLS_FAILED :
	    reason == STREAM_EOF ? METRIC_CLIENT_CLOSED : METRIC_CONNECTION_LOST,
	    reason == STREAM_EOF ? "client closed" : "connection lost");
}

static void
on_time_over(void *context)
{
	struct cas_client *client = context;

	if (client->state == FORWARDING)
		client->events->on_overdue(client);
	else
		client_bye(client, METRIC_TIMEOUT, NULL, "Autologout; log in sooner");
}

static const struct stream_events events = { on_input, on_drained, on_end };

void
client_listen(struct cas_client *client)
{
	stream_set_input_limit(client->stream, INPUT_BEFORE_LOGIN);
	stream_set_events(client->stream, &events, client);
}

struct cas_client *
client_new(struct cas *cas, struct stream *stream, bool is_tls, const struct client_events *handlers)
{
	struct cas_client *client = NEW(struct cas_client);

	cas->clients++;
	client->cas = cas;
	client->events = handlers;
	client->stream = stream;
	client->address = memory_copy_string(stream_peer_address(stream));
	client->began_us = loop_now_us(cas->parts.loop);
	client->parser = imap_parser_new(&cas->limits);
	random_hex(client->sid, SID_LENGTH);
	client->ttl = LINK_RELAY_TTL;
	deferred_init(&client->again, advance, client);
	timer_init(&client->patience_timer, cas->parts.loop, on_time_over, client);
	timer_init(&client->delay_timer, cas->parts.loop, handlers->on_delay_over, client);
	timer_start_ms(&client->patience_timer, cas->parts.config->login_timeout_s * 1000);
	list_init(&client->link);
	client_join(client, &cas->strangers);
	mask_find(client);
	client_listen(client);
	if (is_tls) {
		client->state = SHAKING;
		stream_begin_with_tls(stream, cas->parts.tls, cas->parts.compute);
	} else {
		begin(client);
	}
	return client;
}
