/*
 * One connection: reads a request, has it answered, goes on with the next.  Loop thread.
 */
#include <stdlib.h>

#include "internal.h"

#define FLUSH_MS 5000	/* for an answer behind which the connection is closed, and for the client to close: RFC 9112 section 9.6 */
#define STALL_MS 30000	/* for a client that takes nothing of its answer */

bool
http_connection_is_spare(const struct http_connection *connection)
{
	return connection->request == NULL || !connection->request->is_running;
}

void
http_connection_free(struct http_connection *connection)
{
	struct http_request *request = connection->request;

	connection->http->on_gone(connection);
	deferred_cancel(&connection->again);
	timer_stop(&connection->timer);
	if (request != NULL) {
		request->connection = NULL;
		if (!request->is_running)
			http_request_free(&request);
	}
	stream_close_after_flush(&connection->stream, FLUSH_MS);
	free(connection);
}

void
http_connection_close(struct http_connection *connection)
{
	connection->is_closing = true;
	deferred_schedule(connection->http->loop, &connection->again);
}

/* The answer is written: go on with the next request, or close. */
static void
on_answered(struct http_connection *connection)
{
	deferred_schedule(connection->http->loop, &connection->again);
}

static void
begin_request(struct http_connection *connection)
{
	connection->request = http_request_new(connection);
	connection->request->on_answered = on_answered;
}

/* Say what is wrong with what was no request, and close: where the next one begins, nobody knows. */
static void
refuse(struct http_connection *connection, unsigned status, const char *text)
{
	if (connection->request == NULL)
		begin_request(connection);
	timer_stop(&connection->timer);
	connection->request->is_running = true;
	connection->is_closing = true;
	stream_discard_input(connection->stream);
	http_answer_text(connection->request, status, text);
}

/* What the head points to moves to the request's memory. */
static void
keep_head(struct http_request *request, struct span octets)
{
	struct head_fault fault;

	head_parse(arena_copy(request->arena, octets), &request->head, &fault);
}

/* False: more must come, or the connection is being closed. */
static bool
take_head(struct http_connection *connection)
{
	struct head head;
	struct head_fault fault;
	struct span input = stream_input_whole(connection->stream);

	switch (head_parse(input, &head, &fault)) {
	case HEAD_NEED_MORE:
		if (input.length > 0 && connection->request == NULL) {
			begin_request(connection);
			timer_start_ms(&connection->timer, connection->http->settings.head_ms);
		}
		return false;
	case HEAD_WRONG:
		refuse(connection, fault.status, fault.text);
		return false;
	case HEAD_DONE:
		break;
	}
	if (connection->request == NULL)
		begin_request(connection);
	keep_head(connection->request, span_slice(input, 0, head.length));
	stream_consume(connection->stream, head.length);
	return true;
}

/* The head is there: is the body wanted? */
static bool
begin_body(struct http_connection *connection)
{
	const struct head *head = &connection->request->head;

	if (head->body_length > connection->http->settings.body_max) {
		refuse(connection, 413, "the body of the request is too long");
		return false;
	}
	if (head->expects_continue && head->body_length > 0 && !stream_has_input(connection->stream))
		stream_write(connection->stream, SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
	timer_start_ms(&connection->timer, connection->http->settings.body_ms);
	return true;
}

static bool
take_body(struct http_connection *connection)
{
	struct http_request *request = connection->request;
	size_t lacks = request->head.body_length - request->body.length;
	struct span input;

	while (lacks > 0 && (input = stream_input(connection->stream)).length > 0) {
		input = span_slice(input, 0, lacks);
		buffer_add_span(&request->body, input);
		stream_consume(connection->stream, input.length);
		lacks -= input.length;
	}
	return lacks == 0;
}

/* True: a request is whole. */
static bool
take_request(struct http_connection *connection)
{
	bool has_head = connection->request != NULL && connection->request->head.length > 0;

	return (has_head || (take_head(connection) && begin_body(connection))) && take_body(connection);
}

/* Wait for the next request, or let the connection go. */
static void
rest(struct http_connection *connection)
{
	if (connection->is_at_end) {
		http_connection_free(connection);
		return;
	}
	list_remove(&connection->link);
	list_push_back(&connection->http->connections, &connection->link);
	timer_start_ms(&connection->timer, connection->http->settings.idle_ms);
}

static void
advance(void *context)
{
	struct http_connection *connection = context;

	if (connection->request != NULL && connection->request->is_running && !connection->is_lost)
		return;
	if (connection->is_lost || (connection->is_closing && (connection->is_at_end || connection->request == NULL)))
		http_connection_free(connection);
	else if (take_request(connection)) {
		timer_stop(&connection->timer);
		connection->request->is_running = true;
		connection->http->on_request(connection->http, connection->request);
	} else if (connection->request == NULL || connection->is_at_end) {
		rest(connection);	/* half a request is none */
	}
}

static void
on_input(struct stream *stream, void *context)
{
	struct http_connection *connection = context;

	(void)stream;
	deferred_schedule(connection->http->loop, &connection->again);
}

static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct http_connection *connection = context;

	(void)stream;
	connection->is_at_end = true;
	connection->is_lost = reason != STREAM_EOF;
	deferred_schedule(connection->http->loop, &connection->again);
}

/* RFC 9110 section 15.5.9; who has sent nothing is not told anything. */
static void
on_due(void *context)
{
	struct http_connection *connection = context;

	if (connection->request == NULL)
		http_connection_close(connection);
	else
		refuse(connection, 408, "the request did not come in time");
}

static const struct stream_events events = { on_input, NULL, on_end };

struct http_connection *
http_connection_new(struct http *http, struct stream *stream)
{
	struct http_connection *connection = NEW(struct http_connection);

	connection->http = http;
	connection->stream = stream;
	deferred_init(&connection->again, advance, connection);
	timer_init(&connection->timer, http->loop, on_due, connection);
	timer_start_ms(&connection->timer, http->settings.idle_ms);
	list_init(&connection->link);
	stream_set_stall_timeout(stream, STALL_MS);
	stream_set_events(stream, &events, connection);
	return connection;
}
