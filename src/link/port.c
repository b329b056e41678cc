/*
 * Where other hosts come in.  Whoever connects is a stranger until the handshake is over, which only a holder of
 * the key, or of a certificate, gets through; not an octet passes before.  Loop thread.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "internal.h"

#define STRANGERS_MAX 1024	/* handshakes under way; the oldest makes room */
#define HANDSHAKE_MS  10000
#define FLUSH_MS      1000
#define UNTAKEN_S     300	/* a client that reads slowly holds up its link, too, so this is as for clients */

struct port {
	struct list link;
	struct link *owner;
	char *address;
	struct listener *listener;	/* NULL: closed */
	struct tls_context *tls;
	struct workers *compute;
};

struct stranger {
	struct list link;
	struct link *owner;
	struct stream *stream;
	struct timer limit;
};

static const struct stream_events nobody = { NULL, NULL, NULL };

static void
stranger_free(struct stranger *stranger)
{
	list_remove(&stranger->link);
	stranger->owner->stranger_count--;
	timer_stop(&stranger->limit);
	stream_free(&stranger->stream);
	free(stranger);
}

static void
refuse(struct stranger *stranger, const char *reason)
{
	stranger->owner->figures.refused++;
	log_warning("link-refused", log_text("rip", stream_peer_address(stranger->stream)),
	    log_number("rport", stream_peer_port(stranger->stream)), log_text("reason", reason));
	stranger_free(stranger);
}

static void
hand_over(struct link *link, struct stream *stream)
{
	if (link->on_arrived != NULL) {
		link->on_arrived(stream, link->context);
		return;
	}
	stream_write(stream, SPAN("* BYE [UNAVAILABLE] the mailbox role is stopped\r\n"));
	stream_close_after_flush(&stream, FLUSH_MS);
}

static void
welcome(struct stranger *stranger)
{
	struct link *link = stranger->owner;
	struct stream *stream = stranger->stream;
	struct tls_facts tls;

	stream_tls_facts(stream, &tls);
	log_debug("link-accepted", log_text("rip", stream_peer_address(stream)),
	    log_number("rport", stream_peer_port(stream)), log_text("tls", tls.version),
	    log_text("cipher", tls.cipher), log_text("resumed", tls.is_resumed ? "yes" : "no"));
	link->figures.accepted++;
	link->figures.resumed += tls.is_resumed;
	stranger->stream = NULL;
	stranger_free(stranger);
	stream_set_events(stream, &nobody, NULL);
	stream_set_peer_timeout(stream, (unsigned)(link->patience.silence_ms / 1000), UNTAKEN_S);
	hand_over(link, stream);
}

static void
on_input(struct stream *stream, void *context)
{
	if (stream_is_tls_established(stream))
		welcome(context);
}

/* Who only looks whether somebody listens, as load balancers do, has done nothing wrong. */
static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	struct tls_facts tls;

	(void)reason;
	stream_tls_facts(stream, &tls);
	if (tls.is_silent) {
		log_debug("close", log_text("rip", stream_peer_address(stream)),
		    log_number("rport", stream_peer_port(stream)), log_text("reason", "nothing was said"));
		stranger_free(context);
		return;
	}
	if (tls.error != NULL && strstr(tls.error, "Unknown identity") != NULL)
		refuse(context, "it has another link-key");
	else
		refuse(context, tls.error != NULL ? tls.error : "closed");
}

static void
on_limit(void *context)
{
	refuse(context, "handshake took too long");
}

static const struct stream_events events = { on_input, NULL, on_end };

static void
on_accepted(struct stream *stream, void *context)
{
	const struct port *port = context;
	struct link *link = port->owner;
	struct stranger *stranger = NEW(struct stranger);

	if (link->stranger_count == STRANGERS_MAX)
		refuse(LIST_ENTRY(link->strangers.next, struct stranger, link), "too many handshakes");
	stranger->owner = link;
	stranger->stream = stream;
	list_push_back(&link->strangers, &stranger->link);
	link->stranger_count++;
	timer_init(&stranger->limit, link->loop, on_limit, stranger);
	timer_start_ms(&stranger->limit, HANDSHAKE_MS);
	stream_count_as(stream, METRIC_LISTENER_LINK);
	stream_start_tls(stream, port->tls, port->compute);
	stream_set_events(stream, &events, stranger);
}

void
link_add_port(struct link *link, const char *address, struct tls_context *tls, struct workers *compute)
{
	struct port *port = NEW(struct port);

	port->owner = link;
	port->address = memory_copy_string(address);
	port->tls = tls_context_hold(tls);
	port->compute = compute;
	list_push_back(&link->ports, &port->link);
}

bool
link_listen(struct link *link, char **error_out)
{
	LIST_FOREACH(&link->ports, place) {
		struct port *port = LIST_ENTRY(place, struct port, link);

		port->listener = listener_new(link->loop, port->address, 0600, on_accepted, port, error_out);
		if (port->listener == NULL) {
			link_close_ports(link);
			return false;
		}
	}
	return true;
}

void
link_close_ports(struct link *link)
{
	LIST_FOREACH(&link->strangers, place)
		stranger_free(LIST_ENTRY(place, struct stranger, link));
	LIST_FOREACH(&link->ports, place)
		listener_free(&LIST_ENTRY(place, struct port, link)->listener);
}

const char *
link_listener(const struct link *link, size_t index)
{
	LIST_FOREACH((struct list *)&link->ports, place) {
		const struct port *port = LIST_ENTRY(place, struct port, link);

		if (port->listener != NULL && index-- == 0)
			return listener_address(port->listener);
	}
	return NULL;
}

void
ports_free(struct link *link)
{
	link_close_ports(link);
	LIST_FOREACH(&link->ports, place) {
		struct port *port = LIST_ENTRY(place, struct port, link);

		list_remove(&port->link);
		free(port->address);
		tls_context_free(&port->tls);
		free(port);
	}
}
