/*
 * Mailbox servers on other hosts.  Each has a pulse: a connection on which it is asked NOOP.  While the pulse
 * finds nobody, logins are answered at once instead of waiting each for itself; the tries go on, at times that
 * differ from host to host, so that a server that comes back is not overrun.  Loop thread.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "internal.h"

#define TRY_MS_MAX   3000	/* for a try to connect: a login may wait longer, the next try is better */
#define WAIT_MS_LEAST 200
#define WAIT_MS_MOST  2000
#define AGAIN_MS     50		/* a connection that has ended says little about the server */
#define QUESTIONS    4		/* in the time of silence */

static void try(struct server *server);

/* Half to one and a half of it. */
static uint64_t
jitter(uint64_t ms)
{
	uint32_t random;

	random_fill(&random, sizeof random);
	return ms / 2 + (uint64_t)random % (ms + 1);
}

static void
drop(struct server *server)
{
	server->asked_us = 0;
	net_connect_cancel(&server->connector);
	stream_free(&server->stream);
	timer_stop(&server->limit);
	timer_stop(&server->next);
}

/* Logged once, and again when the reason is another one, but not with every try. */
static void
note_down(struct server *server, const char *reason)
{
	if (!server->is_down || strcmp(server->reason, reason) != 0)
		log_warning("link-down", log_text("server", server->name),
		    log_text("address", server->address), log_text("reason", reason));
	snprintf(server->reason, sizeof server->reason, "%s", reason);
	if (!server->is_down)
		server->since_s = clock_calendar_s();
	server->is_down = true;
}

static void
fail(struct server *server, const char *reason)
{
	note_down(server, reason);	/* first: the reason may be the stream's */
	server->is_hurried = false;
	drop(server);
	timer_start_ms(&server->next, jitter(server->wait_ms));
	server->wait_ms = server->wait_ms * 2 > WAIT_MS_MOST ? WAIT_MS_MOST : server->wait_ms * 2;
}

static void
on_silence(void *context)
{
	struct server *server = context;

	server->is_known = false;
	log_warning("link-lost", log_text("server", server->name), log_text("address", server->address));
	if (server->stream != NULL)
		fail(server, "silent");
	server->owner->on_lost(span_from_string(server->name), server->owner->lost_context);
}

static void
on_limit(void *context)
{
	fail(context, "timed out");
}

void
server_felt(struct server *server)
{
	if (server->owner->on_lost == NULL)
		return;
	timer_start_ms(&server->silence, server->owner->patience.silence_ms);
	if (server->is_down || !server->is_known) {
		log_info("link-up", log_text("server", server->name), log_text("address", server->address));
		server->since_s = clock_calendar_s();
		server->reconnects += server->was_up;
		server->was_up = true;
	}
	server->answered_us = loop_now_us(server->owner->loop);
	server->is_down = server->is_hurried = false;
	server->is_known = true;
	server->wait_ms = WAIT_MS_LEAST;
}

static void
note_answer(struct server *server)
{
	if (server->asked_us != 0)
		server->rtt_us = clock_monotonic_us() - server->asked_us;
	server->asked_us = 0;
}

/* Any line is an answer; the pulse ends with the connection, or with BYE. */
static void
on_line(struct server *server, struct span line)
{
	if (!span_starts_with_nocase(line, SPAN("* OK")) && !span_starts_with(line, SPAN("P ")) &&
	    !span_starts_with_nocase(line, SPAN("* ID"))) {
		fail(server, span_starts_with_nocase(line, SPAN("* BYE")) ? "not now" : "not IMAP");
		return;
	}
	timer_stop(&server->limit);
	note_answer(server);
	server_felt(server);
	if (!timer_is_running(&server->next))
		timer_start_ms(&server->next, jitter(server->owner->patience.silence_ms / QUESTIONS));
}

static void
on_input(struct stream *stream, void *context)
{
	struct server *server = context;

	while (server->stream == stream) {
		struct span input = stream_input_whole(stream);
		size_t end = span_find(input, '\n');

		if (end == input.length)
			return;
		on_line(server, span_slice(input, 0, end));
		if (server->stream == stream)
			stream_consume(stream, end + 1);
	}
}

/* In an operator's words, as far as the TLS library's let one tell. */
static void
tell_failure(const char *error, char *why_out, size_t size)
{
	if (strstr(error, "invalid SSL record") != NULL)
		snprintf(why_out, size, "what answers there speaks no TLS: is it the port of link-listen?");
	else if (strstr(error, "fatal alert") != NULL)
		snprintf(why_out, size, "it refuses our link-key or link-certificate: are both hosts' the same, and of one site?");
	else
		snprintf(why_out, size, "link-key or link-certificate does not fit: %s", error);
}

/* One that has answered is tried again before anything is said: only this connection may have broken. */
static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct server *server = context;
	struct tls_facts tls;
	char why[sizeof server->reason] = "closed";

	(void)reason;
	if (!timer_is_running(&server->limit)) {
		drop(server);
		timer_start_ms(&server->next, jitter(AGAIN_MS));
		return;
	}
	stream_tls_facts(stream, &tls);
	if (tls.error != NULL)
		tell_failure(tls.error, why, sizeof why);
	fail(server, why);
}

static const struct stream_events events = { on_input, NULL, on_end };

void
server_start_tls(const struct server *server, struct stream *stream)
{
	unsigned silence_s = (unsigned)(server->owner->patience.silence_ms / 1000);

	stream_count_as(stream, METRIC_LISTENER_LINK);
	stream_set_peer_timeout(stream, silence_s, silence_s);
	stream_start_tls(stream, server->tls, server->compute);
}

static void
on_connected(struct stream *stream, const char *error, void *context)
{
	struct server *server = context;

	server->connector = NULL;
	if (stream == NULL) {
		fail(server, error);
		return;
	}
	server->stream = stream;
	server_start_tls(server, stream);
	stream_set_events(stream, &events, server);
}

static void
try(struct server *server)
{
	uint64_t limit_ms = server->owner->patience.connect_ms;

	limit_ms = limit_ms < TRY_MS_MAX ? limit_ms : TRY_MS_MAX;
	timer_start_ms(&server->limit, limit_ms);
	server->connector = net_connect(server->owner->loop, server->compute, server->address, limit_ms,
	    on_connected, server);
}

static void
ask(struct server *server)
{
	/* No second question before an answer: a peer that takes nothing must not fill our memory. */
	if (stream_output_length(server->stream) == 0) {
		server->asked_us = server->asked_us != 0 ? server->asked_us : clock_monotonic_us();
		stream_write(server->stream, SPAN("P NOOP\r\n"));
	}
	timer_start_ms(&server->next, jitter(server->owner->patience.silence_ms / QUESTIONS));
}

static void
on_next(void *context)
{
	struct server *server = context;

	if (server->stream == NULL)
		try(server);
	else
		ask(server);
}

void
server_doubt(struct server *server, uint64_t began_us)
{
	if (server->owner->on_lost == NULL || server->answered_us > began_us)
		return;
	note_down(server, "a login could not reach it");
	if (server->stream != NULL)
		ask(server);
}

struct server *
server_find(const struct link *link, struct span name)
{
	LIST_FOREACH((struct list *)&link->servers, place) {
		struct server *server = LIST_ENTRY(place, struct server, link);

		if (span_equals(name, span_from_string(server->name)))
			return server;
	}
	return NULL;
}

bool
link_server_state(const struct link *link, size_t index, struct link_server_state *state_out)
{
	LIST_FOREACH((struct list *)&link->servers, place) {
		const struct server *server = LIST_ENTRY(place, struct server, link);

		if (index-- > 0)
			continue;
		*state_out = (struct link_server_state){
			.name = server->name,
			.address = server->address,
			.state = server->is_down ? LINK_SERVER_DOWN
			    : server->is_known ? LINK_SERVER_UP : LINK_SERVER_UNKNOWN,
			.since_s = server->since_s,
			.reason = server->is_down ? server->reason : "",
			.is_asked = server->is_hurried,
			.rtt_us = server->rtt_us,
			.reconnects = server->reconnects,
		};
		return true;
	}
	return false;
}

void
link_hurry(struct link *link)
{
	LIST_FOREACH(&link->servers, place) {
		struct server *server = LIST_ENTRY(place, struct server, link);

		if (link->on_lost == NULL || (server->is_known && !server->is_down))
			continue;
		server->is_hurried = true;
		if (!timer_is_running(&server->limit) && server->stream == NULL)	/* no try is under way */
			timer_start_ms(&server->next, 0);
	}
}

void
link_add_server(struct link *link, struct span name, const char *address, struct tls_context *tls,
    struct workers *compute)
{
	struct server *server = NEW(struct server);

	assert(name.length > 0 && server_find(link, name) == NULL);
	server->owner = link;
	server->name = memory_copy_span(name);
	server->address = memory_copy_string(address);
	server->tls = tls_context_hold(tls);
	server->compute = compute;
	server->wait_ms = WAIT_MS_LEAST;
	server->since_s = clock_calendar_s();
	timer_init(&server->next, link->loop, on_next, server);
	timer_init(&server->limit, link->loop, on_limit, server);
	timer_init(&server->silence, link->loop, on_silence, server);
	list_push_back(&link->servers, &server->link);
	if (link->on_lost != NULL)
		timer_start_ms(&server->next, 0);
}

void
servers_watch(struct link *link, bool is_wanted)
{
	LIST_FOREACH(&link->servers, place) {
		struct server *server = LIST_ENTRY(place, struct server, link);

		drop(server);
		timer_stop(&server->silence);
		server->is_down = server->is_known = server->is_hurried = false;
		server->since_s = clock_calendar_s();
		if (is_wanted)
			timer_start_ms(&server->next, 0);
	}
}

void
link_servers_free(struct link *link)
{
	LIST_FOREACH(&link->servers, place) {
		struct server *server = LIST_ENTRY(place, struct server, link);

		drop(server);
		timer_stop(&server->silence);
		list_remove(&server->link);
		tls_context_free(&server->tls);
		free(server->name);
		free(server->address);
		free(server);
	}
}
