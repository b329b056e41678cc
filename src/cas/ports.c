/*
 * Where clients come in: the ports, those that a reload adds or takes away, and whether there is room for one more.
 * Loop thread.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "client.h"
#include "net/listener.h"

struct port {
	struct list link;
	struct cas *cas;
	struct listener *listener;
	bool is_tls, is_proxy;
	bool is_wanted;			/* during a reload: the configuration still has it */
	char *address;			/* as configured */
	char *name;			/* "imaps [::]:993" */
};

/* Room for one more is made by the stranger who has been there for longest. */
static bool
make_room(struct cas *cas)
{
	struct cas_client *oldest;

	if (cas->status.connections + cas->visitor_count < cas->parts.config->max_connections)
		return true;
	if (list_is_empty(&cas->strangers))
		return false;
	oldest = LIST_ENTRY(cas->strangers.next, struct cas_client, link);
	log_info("limit", log_text("sid", oldest->sid), log_text("rip", oldest->address),
	    log_text("limit", "max-connections"));
	metric_count(METRIC_LIMIT_HITS, METRIC_MAX_CONNECTIONS, 0);
	client_bye(oldest, METRIC_LIMIT, NULL, "Too many connections");
	return true;
}

/* Before TLS there is no way to say why, so nothing is said there. */
static void
refuse(struct stream *stream, bool is_tls, enum metric_limit hit, const char *limit)
{
	metric_count(METRIC_LIMIT_HITS, hit, 0);
	log_info("limit", log_text("rip", stream_peer_address(stream)), log_text("limit", limit));
	if (!is_tls)
		stream_write(stream, SPAN("* BYE [LIMIT] Too many connections\r\n"));
	stream_close_after_flush(&stream, FLUSH_MS);
}

static void
admit(struct cas *cas, struct stream *stream, bool is_tls)
{
	uint8_t octets[16];
	struct span address = throttle_place(stream_peer_address(stream), octets);
	enum metric_listener listener = is_tls ? METRIC_LISTENER_IMAPS : METRIC_LISTENER_IMAP;
	struct cas_client *client;

	if (count_up(cas->by_address, address) > cas->parts.config->max_connections_per_address) {
		count_down(cas->by_address, address);
		refuse(stream, is_tls, METRIC_MAX_CONNECTIONS_PER_ADDRESS, "max-connections-per-address");
		return;
	}
	if (!make_room(cas)) {
		count_down(cas->by_address, address);
		refuse(stream, is_tls, METRIC_MAX_CONNECTIONS, "max-connections");
		return;
	}
	cas->status.connections++;
	metric_count(METRIC_CONNECTIONS, METRIC_CAS, listener);
	stream_count_as(stream, listener);
	client = commands_begin(cas, stream, is_tls);
	log_debug("connect", log_text("sid", client->sid), log_text("rip", client->address));
}

/* Who is not known to be a balancer could pretend to be anybody. */
static void
receive_balancer(struct cas *cas, struct stream *stream, bool is_tls)
{
	const char *address = stream_peer_address(stream);

	if (!config_networks_have(&cas->parts.config->proxy_trusted, address)) {
		log_warning("proxy-refused", log_text("rip", address), log_text("reason", "not in proxy-trusted"));
		stream_free(&stream);
	} else if (!make_room(cas)) {
		refuse(stream, true, METRIC_MAX_CONNECTIONS, "max-connections");
	} else {
		visitor_new(cas, stream, is_tls, admit);
	}
}

static void
on_accepted(struct stream *stream, void *context)
{
	struct port *port = context;

	if (port->is_proxy)
		receive_balancer(port->cas, stream, port->is_tls);
	else
		admit(port->cas, stream, port->is_tls);
}

static void
port_free(struct port *port)
{
	list_remove(&port->link);
	listener_free(&port->listener);
	free(port->address);
	free(port->name);
	free(port);
}

/* What the port speaks; whoever is there already goes on as before. */
static void
configure(struct port *port, const struct config_listener *wanted)
{
	struct buffer name = { 0 };

	port->is_tls = wanted->is_tls;
	port->is_proxy = wanted->is_proxy;
	buffer_printf(&name, "%s %s%s", wanted->is_tls ? "imaps" : "imap", listener_address(port->listener),
	    wanted->is_proxy ? " proxy" : "");
	free(port->name);
	port->name = memory_copy_string(buffer_string(&name));
	buffer_free(&name);
}

static bool
open_port(struct cas *cas, const struct config_listener *wanted, char **error_out)
{
	struct port *port = NEW(struct port);

	port->cas = cas;
	port->address = config_listener_string(wanted);
	list_push_back(&cas->ports, &port->link);
	port->listener = listener_new(cas->parts.loop, port->address, 0666, on_accepted, port, error_out);
	if (port->listener == NULL) {
		port_free(port);
		return false;
	}
	configure(port, wanted);
	return true;
}

bool
cas_listen(struct cas *cas, char **error_out)
{
	const struct config_listeners *wanted = &cas->parts.config->listen;

	for (size_t i = 0; i < wanted->count; i++) {
		if (!open_port(cas, &wanted->at[i], error_out)) {
			ports_close(cas);
			return false;
		}
	}
	if (guide_open(cas, error_out))
		return true;
	ports_close(cas);
	return false;
}

void
ports_close(struct cas *cas)
{
	guide_close(cas);
	LIST_FOREACH(&cas->ports, link)
		port_free(LIST_ENTRY(link, struct port, link));
	LIST_FOREACH(&cas->visitors, link)
		visitor_free(LIST_ENTRY(link, struct visitor, link));
}

static struct port *
find(struct cas *cas, const struct config_listener *wanted, bool is_wanted)
{
	char *address = config_listener_string(wanted);
	struct port *found = NULL;

	LIST_FOREACH(&cas->ports, link) {
		struct port *port = LIST_ENTRY(link, struct port, link);

		if (found == NULL && port->is_wanted == is_wanted && strcmp(port->address, address) == 0)
			found = port;
	}
	free(address);
	return found;
}

/* Keep the ports that are configured as well now, and close the others. */
static void
close_unwanted(struct cas *cas)
{
	const struct config_listeners *wanted = &cas->parts.config->listen;

	for (size_t i = 0; i < wanted->count; i++) {
		struct port *port = find(cas, &wanted->at[i], false);

		if (port == NULL)
			continue;
		port->is_wanted = true;
		configure(port, &wanted->at[i]);
	}
	LIST_FOREACH(&cas->ports, link) {
		struct port *port = LIST_ENTRY(link, struct port, link);

		if (!port->is_wanted) {
			log_info("unlisten", log_text("port", port->name));
			port_free(port);
		}
	}
}

/* The root we were may have been needed. */
static void
complain(char *error, struct buffer *problems_out)
{
	buffer_printf(problems_out, "listen: %s; restart to open it\n", error);
	free(error);
}

void
ports_reload(struct cas *cas, struct buffer *problems_out)
{
	const struct config_listeners *wanted = &cas->parts.config->listen;

	if (list_is_empty(&cas->ports))
		return;		/* not listening at all */
	close_unwanted(cas);	/* first: [::]:143 may become 127.0.0.1:143 */
	for (size_t i = 0; i < wanted->count; i++) {
		struct port *port = find(cas, &wanted->at[i], true);
		char *error = NULL;

		if (port != NULL)
			port->is_wanted = false;
		else if (open_port(cas, &wanted->at[i], &error))
			log_info("listen", log_text("port", LIST_ENTRY(cas->ports.previous, struct port, link)->name));
		else
			complain(error, problems_out);
	}
	guide_reload(cas, problems_out);
}

const char *
cas_listener(const struct cas *cas, size_t index)
{
	LIST_FOREACH((struct list *)&cas->ports, link) {
		if (index-- == 0)
			return LIST_ENTRY(link, struct port, link)->name;
	}
	return NULL;
}
