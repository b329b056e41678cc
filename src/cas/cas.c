/*
 * The client access role as a whole: its ports, its limits, its beginning and end.  Loop thread.
 */
#include "cas/cas.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/random.h"
#include "client.h"
#include "net/listener.h"

#define CACHE_USERS 10000
#define THROTTLE_ENTRIES 10000

struct port {
	struct list link;
	struct cas *cas;
	struct listener *listener;
	bool is_tls;
	char *name;			/* "imaps [::]:993" */
};

static void
on_grace_over(void *context)
{
	struct cas *cas = context;

	LIST_FOREACH(&cas->users, link)
		client_close(LIST_ENTRY(link, struct cas_client, link), "server stops");
}

static void
on_gone(void *context)
{
	struct cas *cas = context;

	timer_stop(&cas->grace);
	timer_stop(&cas->drain);
	cas->on_stopped(cas->stopped_context);
}

/* Its users' commands would never be answered. */
static void
on_lost(struct span server, void *context)
{
	struct cas *cas = context;

	LIST_FOREACH(&cas->users, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (span_equals(link_server_of(cas->parts.link, buffer_span(&client->home)), server))
			pipe_lost(client);
	}
}

struct cas *
cas_new(const struct cas_parts *parts)
{
	struct cas *cas = NEW(struct cas);

	cas->parts = *parts;
	if (parts->tls != NULL)
		cas->parts.tls = tls_context_hold(parts->tls);
	list_init(&cas->listeners);
	list_init(&cas->strangers);
	list_init(&cas->users);
	cas->by_address = map_new();
	cas->by_user = map_new();
	cas->cache = auth_cache_new((uint32_t)parts->config->auth_cache_time_s, CACHE_USERS);
	cas->throttle = throttle_new(THROTTLE_ENTRIES);
	random_fill(cas->secret, sizeof cas->secret);
	timer_init(&cas->grace, parts->loop, on_grace_over, cas);
	timer_init(&cas->drain, parts->loop, cas_drain_on_due, cas);
	deferred_init(&cas->gone, on_gone, cas);
	link_on_lost(parts->link, on_lost, cas);
	return cas;
}

/* Room for one more is made by the stranger who has been silent for longest. */
static bool
make_room(struct cas *cas)
{
	struct cas_client *oldest;

	if (cas->status.connections < cas->parts.config->max_connections)
		return true;
	if (list_is_empty(&cas->strangers))
		return false;
	oldest = LIST_ENTRY(cas->strangers.next, struct cas_client, link);
	log_info("limit", log_text("sid", oldest->sid), log_text("rip", oldest->address),
	    log_text("limit", "max-connections"));
	client_bye(oldest, NULL, "Too many connections");
	return true;
}

/* Before TLS there is no way to say why, so nothing is said there. */
static void
refuse(struct stream *stream, bool is_tls, const char *limit)
{
	log_info("limit", log_text("rip", stream_peer_address(stream)), log_text("limit", limit));
	if (!is_tls)
		stream_write(stream, SPAN("* BYE [LIMIT] Too many connections\r\n"));
	stream_close_after_flush(&stream, FLUSH_MS);
}

static void
on_accepted(struct stream *stream, void *context)
{
	struct port *port = context;
	struct cas *cas = port->cas;
	struct span address = span_from_string(stream_peer_address(stream));
	struct cas_client *client;

	if (count_up(cas->by_address, address) > cas->parts.config->max_connections_per_address) {
		count_down(cas->by_address, address);
		refuse(stream, port->is_tls, "max-connections-per-address");
		return;
	}
	if (!make_room(cas)) {
		count_down(cas->by_address, address);
		refuse(stream, port->is_tls, "max-connections");
		return;
	}
	cas->status.connections++;
	client = client_new(cas, stream, port->is_tls);
	log_debug("connect", log_text("sid", client->sid), log_text("rip", client->address),
	    log_text("port", port->name));
}

static void
port_free(struct port *port)
{
	list_remove(&port->link);
	listener_free(&port->listener);
	free(port->name);
	free(port);
}

static void
close_ports(struct cas *cas)
{
	LIST_FOREACH(&cas->listeners, link)
		port_free(LIST_ENTRY(link, struct port, link));
}

static void
write_address(const struct config_listener *wanted, struct buffer *out)
{
	if (wanted->path != NULL)
		buffer_add_string(out, wanted->path);
	else if (span_find(span_from_string(wanted->host), ':') < strlen(wanted->host))
		buffer_printf(out, "[%s]:%u", wanted->host, wanted->port);
	else
		buffer_printf(out, "%s:%u", wanted->host, wanted->port);
}

static bool
open_port(struct cas *cas, const struct config_listener *wanted, char **error_out)
{
	struct port *port = NEW(struct port);
	struct buffer address = { 0 }, name = { 0 };

	port->cas = cas;
	port->is_tls = wanted->is_tls;
	list_push_back(&cas->listeners, &port->link);
	write_address(wanted, &address);
	port->listener = listener_new(cas->parts.loop, buffer_string(&address), 0666, on_accepted, port,
	    error_out);
	if (port->listener != NULL) {
		buffer_printf(&name, "%s %s", wanted->is_tls ? "imaps" : "imap",
		    listener_address(port->listener));
		port->name = memory_copy_string(buffer_string(&name));
	}
	buffer_free(&address);
	buffer_free(&name);
	return port->listener != NULL;
}

bool
cas_listen(struct cas *cas, char **error_out)
{
	const struct config_listeners *wanted = &cas->parts.config->listen;

	for (size_t i = 0; i < wanted->count; i++) {
		if (!open_port(cas, &wanted->at[i], error_out)) {
			close_ports(cas);
			return false;
		}
	}
	return true;
}

void
cas_reload(struct cas *cas, const struct config *config, struct tls_context *tls)
{
	cas->parts.config = config;
	tls_context_free(&cas->parts.tls);
	if (tls != NULL)
		cas->parts.tls = tls_context_hold(tls);
}

void
cas_close(struct cas *cas)
{
	cas->is_stopping = true;
	close_ports(cas);
	LIST_FOREACH(&cas->strangers, link)
		client_bye(LIST_ENTRY(link, struct cas_client, link), NULL, "Server stops");
	if (cas->clients == 0)
		deferred_schedule(cas->parts.loop, &cas->gone);
}

void
cas_stop(struct cas *cas, cas_stopped *on_stopped, void *context)
{
	cas->on_stopped = on_stopped;
	cas->stopped_context = context;
	timer_start_ms(&cas->grace, STOP_GRACE_MS);
	cas_close(cas);
}

void
cas_free(struct cas **cas)
{
	if (*cas == NULL)
		return;
	assert((*cas)->clients == 0);
	link_on_lost((*cas)->parts.link, NULL, NULL);
	timer_stop(&(*cas)->grace);
	timer_stop(&(*cas)->drain);
	deferred_cancel(&(*cas)->gone);
	close_ports(*cas);
	map_free(&(*cas)->by_address);
	map_free(&(*cas)->by_user);
	auth_cache_free(&(*cas)->cache);
	throttle_free(&(*cas)->throttle);
	tls_context_free(&(*cas)->parts.tls);
	memory_wipe((*cas)->secret, sizeof (*cas)->secret);
	free(*cas);
	*cas = NULL;
}

void
cas_status(const struct cas *cas, struct cas_status *status_out)
{
	*status_out = cas->status;
}

const char *
cas_listener(const struct cas *cas, size_t index)
{
	LIST_FOREACH((struct list *)&cas->listeners, link) {
		if (index-- == 0)
			return LIST_ENTRY(link, struct port, link)->name;
	}
	return NULL;
}
