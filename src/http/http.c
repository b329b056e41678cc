/*
 * The server: listeners, the table of handlers, how it ends.  Loop thread.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "internal.h"
#include "net/listener.h"

struct port {
	struct list link;
	struct listener *listener;
	char *address;			/* that was asked for; owned */
};

static void
on_drained(void *context)
{
	struct http *http = context;

	if (http->on_drained != NULL)
		http->on_drained(http->drained_context);
}

static void
on_gone(struct http_connection *connection)
{
	struct http *http = connection->http;

	list_remove(&connection->link);
	http->connection_count--;
	if (http->is_draining && http->connection_count == 0)
		deferred_schedule(http->loop, &http->drained);
}

static bool
is_same(const struct http *http, struct span a, struct span b)
{
	return http->settings.is_caseless ? span_equals_nocase(a, b) : span_equals(a, b);
}

/* A row for all that lies in a folder fits what has one more segment, and no empty one. */
static bool
has_path(const struct http *http, const struct route *route, struct span path)
{
	struct span own = span_from_string(route->path), rest;

	if (own.at[own.length - 1] != '*')
		return is_same(http, own, path);
	own.length--;
	rest = span_from(path, own.length);
	return is_same(http, own, span_slice(path, 0, own.length)) && rest.length > 0 && span_find(rest, '/') == rest.length;
}

/* The row that fits; NULL: *allowed_out has the methods that this path knows, if any. */
static const struct route *
find(struct http *http, const struct head *head, struct buffer *allowed_out)
{
	struct span method = span_equals(head->method, SPAN("HEAD")) ? SPAN("GET") : head->method;

	LIST_FOREACH(&http->routes, link) {
		const struct route *route = LIST_ENTRY(link, struct route, link);

		if (!has_path(http, route, head->path))
			continue;
		if (span_equals(span_from_string(route->method), method))
			return route;
		buffer_printf(allowed_out, "%s%s", allowed_out->length > 0 ? ", " : "", route->method);
		if (strcmp(route->method, "GET") == 0)
			buffer_add_string(allowed_out, ", HEAD");
	}
	return NULL;
}

static bool
is_known_method(struct span method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH" };

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (span_equals(method, span_from_string(known[i])))
			return true;
	}
	return false;	/* CONNECT and TRACE are for proxies */
}

/* RFC 9110 sections 15.5.6 and 15.6.2. */
static void
refuse(struct http_request *request, struct buffer *allowed)
{
	if (!is_known_method(request->head.method)) {
		http_answer_text(request, 501, "this server knows no such method");
	} else if (allowed->length > 0) {
		http_answer_field(request, "Allow", buffer_string(allowed));
		http_answer_text(request, 405, "not with this method");
	} else {
		http_answer_text(request, 404, "there is nothing of this name");
	}
}

static void
on_request(struct http *http, struct http_request *request)
{
	struct buffer allowed = { 0 };
	const struct route *route;

	if (http->may_ask != NULL && !http->may_ask(request, http->gate_context)) {
		http_answer_field(request, "Retry-After", "5");
		http_answer_text(request, 429, "you ask too often; come again later");
		return;
	}
	if (http->settings.is_local && !head_is_host_local(request->head.host)) {
		http_answer_text(request, 421, "ask for this page by 127.0.0.1, [::1] or localhost");
		return;
	}
	route = find(http, &request->head, &allowed);
	if (route != NULL)
		route->handler(request, route->context);
	else
		refuse(request, &allowed);
	buffer_free(&allowed);
}

static void
set_default(uint64_t *value, uint64_t otherwise)
{
	if (*value == 0)
		*value = otherwise;
}

struct http *
http_new(struct loop *loop, const struct http_settings *settings)
{
	struct http *http = NEW(struct http);

	http->loop = loop;
	http->settings = *settings;
	if (http->settings.connections_max == 0)
		http->settings.connections_max = 64;
	if (http->settings.body_max == 0)
		http->settings.body_max = 16384;
	set_default(&http->settings.head_ms, 10000);
	set_default(&http->settings.body_ms, 30000);
	set_default(&http->settings.idle_ms, 60000);
	http->on_request = on_request;
	http->on_gone = on_gone;
	list_init(&http->routes);
	list_init(&http->listeners);
	list_init(&http->connections);
	deferred_init(&http->drained, on_drained, http);
	return http;
}

static void
on_accepted(struct stream *stream, void *context)
{
	http_serve(context, stream);
}

static void
port_close(struct port *port)
{
	list_remove(&port->link);
	listener_free(&port->listener);
	free(port->address);
	free(port);
}

static void
close_ports(struct list *ports)
{
	LIST_FOREACH(ports, link)
		port_close(LIST_ENTRY(link, struct port, link));
}

static bool
port_open(struct http *http, struct list *ports, const char *address, mode_t mode, char **error_out)
{
	struct listener *listener = listener_new(http->loop, address, mode, on_accepted, http, error_out);
	struct port *port;

	if (listener == NULL)
		return false;
	port = NEW(struct port);
	port->listener = listener;
	port->address = memory_copy_string(address);
	list_push_back(ports, &port->link);
	return true;
}

bool
http_listen(struct http *http, const char *address, mode_t mode, char **error_out)
{
	return port_open(http, &http->listeners, address, mode, error_out);
}

static struct port *
find_port(struct list *ports, const char *address)
{
	LIST_FOREACH(ports, link) {
		if (strcmp(LIST_ENTRY(link, struct port, link)->address, address) == 0)
			return LIST_ENTRY(link, struct port, link);
	}
	return NULL;
}

bool
http_listen_at(struct http *http, const char *const *addresses, size_t count, char **error_out)
{
	struct list ports;

	list_init(&ports);
	for (size_t i = 0; i < count; i++) {
		if (find_port(&http->listeners, addresses[i]) == NULL && !port_open(http, &ports, addresses[i], 0, error_out)) {
			close_ports(&ports);
			return false;
		}
	}
	list_move_all(&ports, &http->listeners);
	for (size_t i = 0; i < count; i++) {
		struct port *port = find_port(&ports, addresses[i]);

		list_remove(&port->link);
		list_push_back(&http->listeners, &port->link);
	}
	close_ports(&ports);
	return true;
}

const char *
http_listener(const struct http *http, size_t index)
{
	LIST_FOREACH(&http->listeners, link) {
		if (index-- == 0)
			return listener_address(LIST_ENTRY(link, struct port, link)->listener);
	}
	return NULL;
}

/* The one goes that has asked for nothing for longest, so that nobody shuts others out by doing nothing. */
static bool
make_room(struct http *http)
{
	if (http->connection_count < http->settings.connections_max)
		return true;
	LIST_FOREACH(&http->connections, link) {
		struct http_connection *connection = LIST_ENTRY(link, struct http_connection, link);

		if (http_connection_is_spare(connection)) {
			http_connection_free(connection);
			return true;
		}
	}
	return false;
}

void
http_serve(struct http *http, struct stream *stream)
{
	struct http_connection *connection;

	if (http->is_draining || !make_room(http)) {
		stream_write(stream, SPAN("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\n"
		    "Connection: close\r\n\r\n"));
		stream_close_after_flush(&stream, 1000);
		return;
	}
	connection = http_connection_new(http, stream);
	list_push_back(&http->connections, &connection->link);
	http->connection_count++;
}

void
http_drain(struct http *http, void (*on_drained_call)(void *context), void *context)
{
	http->is_draining = true;
	http->on_drained = on_drained_call;
	http->drained_context = context;
	close_ports(&http->listeners);
	LIST_FOREACH(&http->connections, link)
		http_connection_close(LIST_ENTRY(link, struct http_connection, link));
	if (http->connection_count == 0)
		deferred_schedule(http->loop, &http->drained);
}

void
http_free(struct http **http_pointer)
{
	struct http *http = *http_pointer;
	struct list *link;

	*http_pointer = NULL;
	if (http == NULL)
		return;
	close_ports(&http->listeners);
	LIST_FOREACH(&http->connections, open)
		http_connection_free(LIST_ENTRY(open, struct http_connection, link));
	deferred_cancel(&http->drained);
	while ((link = list_pop_front(&http->routes)) != NULL)
		free(LIST_ENTRY(link, struct route, link));
	free(http);
}

void
http_register(struct http *http, const char *method, const char *path, http_handler *handler, void *context)
{
	struct route *route = NEW(struct route);

	*route = (struct route){ .method = method, .path = path, .handler = handler, .context = context };
	list_push_back(&http->routes, &route->link);
}

void
http_set_gate(struct http *http, bool (*may_ask)(struct http_request *request, void *context), void *context)
{
	http->may_ask = may_ask;
	http->gate_context = context;
}
