/*
 * Attempts to reach a mailbox role, and the mailbox role of this process that can be reached.  What is
 * said on the wire stands in README.  Loop thread.
 */
#include "link/link.h"

#include <assert.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/memory.h"
#include "conversation.h"
#include "internal.h"
#include "link/move.h"
#include "link/trace.h"
#include "link/relay.h"

#define CONNECT_MS 30000
#define SILENCE_MS 20000

struct link_attempt {
	struct link *link;
	struct server *server;		/* NULL: the mailbox role of this process */
	struct connector *connector;
	struct stream *stream;
	struct buffer opening;		/* not yet said; may hold a password */
	struct timer timer;
	uint64_t began_us;
	struct deferred failure;	/* tells in the next turn */
	bool is_greeted;
	link_connected *on_connected;
	void *context;
};

struct link *
link_new(struct loop *loop)
{
	struct link *link = NEW(struct link);

	link->loop = loop;
	link->patience = (struct link_patience){ CONNECT_MS, SILENCE_MS };
	list_init(&link->servers);
	list_init(&link->ports);
	list_init(&link->strangers);
	list_init(&link->given);
	return link;
}

void
link_set_patience(struct link *link, const struct link_patience *patience)
{
	link->patience = *patience;
}

void
link_free(struct link **link)
{
	if (*link == NULL)
		return;
	assert((*link)->attempts == 0);
	ports_free(*link);
	given_free(*link);
	link_servers_free(*link);
	link_relay_forget_authorities(*link);
	free(*link);
	*link = NULL;
}

void
link_serve(struct link *link, link_arrived *on_arrived, void *context)
{
	link->on_arrived = on_arrived;
	link->context = context;
	link->is_local = link->is_local || on_arrived != NULL;
}

void
link_on_lost(struct link *link, link_lost *on_lost, void *context)
{
	link->on_lost = on_lost;
	link->lost_context = context;
	servers_watch(link, on_lost != NULL);
}

void
link_figures(const struct link *link, struct link_figures *figures_out)
{
	*figures_out = link->figures;
}

struct span
link_server_of(const struct link *link, struct span home)
{
	if (home.length > 0 || link->is_local || list_is_empty((struct list *)&link->servers))
		return home;
	return span_from_string(LIST_ENTRY(link->servers.next, struct server, link)->name);
}

const char *
link_status_name(enum link_status status)
{
	static const char *const names[] = {
		[LINK_OK] = "ok",
		[LINK_REFUSED] = "refused",
		[LINK_DENIED] = "denied",
		[LINK_UNREACHABLE] = "unreachable",
		[LINK_TIMEOUT] = "timeout",
		[LINK_PROTOCOL] = "protocol",
	};

	return names[status];
}

static void
forget_opening(struct link_attempt *attempt)
{
	buffer_wipe(&attempt->opening);
}

void
link_cancel(struct link_attempt **attempt)
{
	if (*attempt == NULL)
		return;
	forget_opening(*attempt);
	net_connect_cancel(&(*attempt)->connector);
	timer_stop(&(*attempt)->timer);
	deferred_cancel(&(*attempt)->failure);
	stream_free(&(*attempt)->stream);
	(*attempt)->link->attempts--;
	free(*attempt);
	*attempt = NULL;
}

static const struct stream_events nobody = { NULL, NULL, NULL };

/* The attempt's owner forgets it in the callback, so it is freed behind it. */
static void
finish(struct link_attempt *attempt, struct link_result *result)
{
	link_connected *on_connected = attempt->on_connected;
	void *context = attempt->context;

	if (result->status == LINK_OK) {
		result->stream = attempt->stream;
		attempt->stream = NULL;
		stream_set_events(result->stream, &nobody, NULL);
		if (attempt->server != NULL)
			server_felt(attempt->server);
	}
	on_connected(result, context);
	link_cancel(&attempt);
}

static void
fail(struct link_attempt *attempt, enum link_status status)
{
	if (attempt->server != NULL && !attempt->server->is_down)
		server_doubt(attempt->server, attempt->began_us);
	finish(attempt, &(struct link_result){ .status = status });
}

/* One line at a time: what stands behind L2 belongs to the session. */
static void
on_input(struct stream *stream, void *context)
{
	struct link_attempt *attempt = context;

	for (;;) {
		struct span input = stream_input_whole(stream);
		size_t end = span_find(input, '\n');
		struct link_result result;
		struct buffer line = { 0 };
		bool is_over;

		if (end == input.length && end <= LINK_LINE_MAX)
			return;
		buffer_add_span(&line, span_slice(input, 0, end > 0 ? end - 1 : 0));
		stream_consume(stream, end == input.length ? end : end + 1);
		is_over = conversation_read(buffer_span(&line), !attempt->is_greeted, &result);
		attempt->is_greeted = true;
		if (is_over)
			finish(attempt, &result);
		buffer_free(&line);
		if (is_over)
			return;
	}
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)stream;
	(void)reason;
	fail(context, LINK_UNREACHABLE);
}

static void
on_timeout(void *context)
{
	fail(context, LINK_TIMEOUT);
}

static const struct stream_events events = { on_input, NULL, on_end };

/* The mailbox role of this process: give it one end of a pair. */
static struct stream *
reach_local(struct link *link)
{
	struct stream *near, *far;

	if (link->on_arrived == NULL)
		return NULL;
	stream_pair(link->loop, &near, &far);
	link->on_arrived(far, link->context);
	return near;
}

/* A stream is there, TLS begun on it where it has to be: speak. */
static void
begin(struct link_attempt *attempt)
{
	stream_set_events(attempt->stream, &events, attempt);
	stream_write(attempt->stream, buffer_span(&attempt->opening));
	forget_opening(attempt);
}

static void
on_reached(struct stream *stream, const char *error, void *context)
{
	struct link_attempt *attempt = context;

	(void)error;
	attempt->connector = NULL;
	if (stream == NULL) {
		fail(attempt, LINK_UNREACHABLE);
		return;
	}
	attempt->stream = stream;
	server_start_tls(attempt->server, stream);
	begin(attempt);
}

static void
on_failure(void *context)
{
	struct link_attempt *attempt = context;

	finish(attempt, &(struct link_result){ .status = LINK_UNREACHABLE });
}

/* Go to the server, or fail in the next turn.  A server that is down is not tried: its pulse does that. */
static void
reach(struct link_attempt *attempt, struct span name)
{
	struct link *link = attempt->link;

	timer_start_ms(&attempt->timer, link->patience.connect_ms);
	if (name.length == 0 && (attempt->stream = reach_local(link)) != NULL) {
		begin(attempt);
		return;
	}
	attempt->server = server_find(link, name);
	if (attempt->server == NULL || attempt->server->is_down)
		deferred_schedule(link->loop, &attempt->failure);
	else
		attempt->connector = net_connect(link->loop, attempt->server->compute,
		    attempt->server->address, link->patience.connect_ms, on_reached, attempt);
}

static struct link_attempt *
attempt_new(struct link *link, link_connected *on_connected, void *context)
{
	struct link_attempt *attempt = NEW(struct link_attempt);

	link->attempts++;
	attempt->link = link;
	attempt->began_us = loop_now_us(link->loop);
	attempt->on_connected = on_connected;
	attempt->context = context;
	timer_init(&attempt->timer, link->loop, on_timeout, attempt);
	deferred_init(&attempt->failure, on_failure, attempt);
	return attempt;
}

struct link_attempt *
link_connect(struct link *link, struct span server, struct span user, const struct link_facts *facts,
    link_connected *on_connected, void *context)
{
	struct link_attempt *attempt = attempt_new(link, on_connected, context);

	assert(user.length > 0 && user.length <= LINK_USER_MAX);
	conversation_open(&attempt->opening, user, facts);
	reach(attempt, link_server_of(link, server));
	return attempt;
}

struct link_attempt *
link_connect_carried(struct link *link, struct span server, struct span user, struct span state,
    const struct link_facts *facts, link_connected *on_connected, void *context)
{
	struct link_attempt *attempt = attempt_new(link, on_connected, context);

	assert(user.length > 0 && user.length <= LINK_USER_MAX && state.length <= LINK_STATE_MAX);
	conversation_open_carried(&attempt->opening, user, state, facts);
	reach(attempt, link_server_of(link, server));
	return attempt;
}

struct link_attempt *
link_connect_with_password(struct link *link, struct span server, struct span user, struct span password,
    const struct link_facts *facts, link_connected *on_connected, void *context)
{
	struct link_attempt *attempt = attempt_new(link, on_connected, context);

	assert(user.length > 0 && user.length <= LINK_USER_MAX && password.length > 0);
	conversation_open_with_password(&attempt->opening, user, password, facts);
	reach(attempt, link_server_of(link, server));
	return attempt;
}

/* Not for a user: what is wanted stands behind the mechanism. */
static struct link_attempt *
connect_for(struct link *link, struct span server, const char *mechanism, struct span wish, link_connected *on_connected,
    void *context)
{
	struct link_attempt *attempt = attempt_new(link, on_connected, context);

	buffer_printf(&attempt->opening, "L2 AUTHENTICATE %s ", mechanism);
	base64_encode(wish, &attempt->opening);
	buffer_add_string(&attempt->opening, "\r\n");
	reach(attempt, link_server_of(link, server));
	return attempt;
}

struct link_attempt *
link_connect_to_move(struct link *link, struct span server, struct span wish, link_connected *on_connected, void *context)
{
	return connect_for(link, server, LINK_MOVE_MECHANISM, wish, on_connected, context);
}

struct link_attempt *
link_connect_to_trace(struct link *link, struct span server, struct span word, link_connected *on_connected, void *context)
{
	return connect_for(link, server, LINK_TRACE_MECHANISM, word, on_connected, context);
}
