/*
 * A connection of a load balancer whose PROXY header has not come whole: nobody knows yet whom it is for.  What
 * comes behind the header belongs to the client.  Loop thread.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "client.h"
#include "net/proxy.h"

void
visitor_free(struct visitor *visitor)
{
	list_remove(&visitor->link);
	visitor->cas->visitor_count--;
	timer_stop(&visitor->limit);
	stream_free(&visitor->stream);
	free(visitor);
}

static void
refuse(struct visitor *visitor, const char *reason)
{
	log_warning("proxy-refused", log_text("rip", stream_peer_address(visitor->stream)),
	    log_text("reason", reason));
	visitor_free(visitor);
}

/* The client takes the visitor's place. */
static void
introduce(struct visitor *visitor, const struct proxy_header *header)
{
	struct cas *cas = visitor->cas;
	struct stream *stream = visitor->stream;
	bool is_tls = visitor->is_tls;
	void (*on_introduced)(struct cas *, struct stream *, bool) = visitor->on_introduced;

	if (header->address[0] != '\0') {
		log_debug("proxy", log_text("proxy", stream_peer_address(stream)),
		    log_text("rip", header->address));
		stream_set_peer(stream, header->address, header->port);
	}
	stream_consume(stream, header->length);
	visitor->stream = NULL;
	visitor_free(visitor);
	on_introduced(cas, stream, is_tls);
}

static void
on_input(struct stream *stream, void *context)
{
	struct visitor *visitor = context;
	struct proxy_header header;

	switch (proxy_parse(stream_input_whole(stream), &header)) {
	case PROXY_NEED_MORE:
		break;
	case PROXY_DONE:
		introduce(visitor, &header);
		break;
	case PROXY_MALFORMED:
		refuse(visitor, "not a PROXY header");
		break;
	}
}

/* A balancer that only looks whether somebody listens sends no header. */
static void
on_end(struct stream *stream, enum stream_end reason, void *context)
{
	(void)reason;
	if (stream_octets_in(stream) == 0) {
		log_debug("close", log_text("rip", stream_peer_address(stream)), log_text("reason", "nothing was said"));
		visitor_free(context);
		return;
	}
	refuse(context, "closed before the end of the PROXY header");
}

static void
on_limit(void *context)
{
	refuse(context, "no PROXY header within handshake-timeout");
}

static const struct stream_events events = { on_input, NULL, on_end };

void
visitor_new(struct cas *cas, struct stream *stream, bool is_tls,
    void (*on_introduced)(struct cas *cas, struct stream *stream, bool is_tls))
{
	struct visitor *visitor = NEW(struct visitor);

	visitor->cas = cas;
	visitor->stream = stream;
	visitor->is_tls = is_tls;
	visitor->on_introduced = on_introduced;
	list_push_back(&cas->visitors, &visitor->link);
	cas->visitor_count++;
	timer_init(&visitor->limit, cas->parts.loop, on_limit, visitor);
	timer_start_ms(&visitor->limit, cas->parts.config->handshake_timeout_s * 1000);
	stream_set_events(stream, &events, visitor);
}
