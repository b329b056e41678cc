/*
 * Where programs that set themselves up ask by HTTP: the doors of autoconfig-listen, and who may come in.  Loop thread.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "guide.h"
#include "net/listener.h"

struct door {
	struct list link;
	struct guide *guide;
	struct listener *listener;
	bool is_tls;
	char *address;			/* as configured */
};

/* Nobody comes in until the window of the guests is over: who does meanwhile waits in the kernel, and costs nothing. */
static void
shut(struct guide *guide)
{
	uint64_t rest_ms = guests_rest_ms(&guide->guests, clock_monotonic_us());

	LIST_FOREACH(&guide->doors, link)
		listener_pause(LIST_ENTRY(link, struct door, link)->listener);
	timer_start_ms(&guide->rest, rest_ms + 1);
}

static void
on_rested(void *context)
{
	struct guide *guide = context;

	LIST_FOREACH(&guide->doors, link)
		listener_resume(LIST_ENTRY(link, struct door, link)->listener);
}

/* Whether somebody may come in, or ask. */
static bool
is_welcome(struct guide *guide, const char *address)
{
	enum guests_verdict verdict = guests_count(&guide->guests, address, clock_monotonic_us());

	if (verdict == GUESTS_WELCOME)
		return true;
	metric_count(METRIC_LIMIT_HITS, METRIC_AUTOCONFIG, 0);
	log_info("limit", log_text("rip", address), log_text("limit", "autoconfig"));
	if (verdict == GUESTS_TOO_MANY)
		shut(guide);
	return false;
}

static bool
may_ask(struct http_request *request, void *context)
{
	return is_welcome(context, http_request_peer(request));
}

/* Before TLS, which would cost more than the answer. */
static void
refuse(struct stream *stream, bool is_tls)
{
	if (!is_tls)
		stream_write(stream, SPAN("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nRetry-After: 5\r\n"
		    "Connection: close\r\n\r\n"));
	stream_close_after_flush(&stream, FLUSH_MS);
}

static void
on_accepted(struct stream *stream, void *context)
{
	struct door *door = context;
	const struct cas_parts *parts = &door->guide->cas->parts;

	if (door->is_tls && parts->http_tls == NULL) {	/* a reload has taken the certificate away */
		stream_free(&stream);
		return;
	}
	if (!is_welcome(door->guide, stream_peer_address(stream))) {
		refuse(stream, door->is_tls);
		return;
	}
	if (door->is_tls)
		stream_begin_with_tls(stream, parts->http_tls, parts->guests);
	http_serve(door->guide->http, stream);
}

static void
close_doors(struct guide *guide)
{
	LIST_FOREACH(&guide->doors, link) {
		struct door *door = LIST_ENTRY(link, struct door, link);

		list_remove(&door->link);
		listener_free(&door->listener);
		free(door->address);
		free(door);
	}
}

static bool
open_door(struct guide *guide, const struct config_listener *wanted, char **error_out)
{
	struct door *door = NEW(struct door);

	door->guide = guide;
	door->is_tls = wanted->is_tls;
	door->address = config_listener_string(wanted);
	list_push_back(&guide->doors, &door->link);
	door->listener = listener_new(guide->cas->parts.loop, door->address, 0666, on_accepted, door, error_out);
	if (door->listener != NULL)
		log_info("listen", log_text("port", door->is_tls ? "https" : "http"),
		    log_text("address", listener_address(door->listener)));
	return door->listener != NULL;
}

static bool
open_doors(struct guide *guide, char **error_out)
{
	const struct config_listeners *wanted = &guide->cas->parts.config->autoconfig_listen;

	for (size_t i = 0; i < wanted->count; i++) {
		if (!open_door(guide, &wanted->at[i], error_out)) {
			close_doors(guide);
			return false;
		}
	}
	return true;
}

bool
guide_open(struct cas *cas, char **error_out)
{
	if (cas->parts.config->autoconfig_listen.count == 0)
		return true;
	cas->guide = NEW(struct guide);
	cas->guide->cas = cas;
	list_init(&cas->guide->doors);
	cas->guide->http = guidance_new(cas->guide);
	http_set_gate(cas->guide->http, may_ask, cas->guide);
	timer_init(&cas->guide->rest, cas->parts.loop, on_rested, cas->guide);
	if (open_doors(cas->guide, error_out))
		return true;
	guide_close(cas);
	return false;
}

void
guide_close(struct cas *cas)
{
	struct guide *guide = cas->guide;

	cas->guide = NULL;
	if (guide == NULL)
		return;
	close_doors(guide);
	http_free(&guide->http);
	timer_stop(&guide->rest);
	guests_fini(&guide->guests);
	free(guide);
}

/* Whether it listens as the configuration says. */
static bool
is_as_wanted(const struct guide *guide, const struct config_listeners *wanted)
{
	size_t index = 0;
	bool is_same = true;

	LIST_FOREACH((struct list *)&guide->doors, link) {
		const struct door *door = LIST_ENTRY(link, struct door, link);
		char *address = index < wanted->count ? config_listener_string(&wanted->at[index]) : NULL;

		is_same = is_same && address != NULL && strcmp(address, door->address) == 0 &&
		    door->is_tls == wanted->at[index].is_tls;
		free(address);
		index++;
	}
	return is_same && index == wanted->count;
}

void
guide_reload(struct cas *cas, struct buffer *problems_out)
{
	char *error = NULL;

	if (cas->guide != NULL && is_as_wanted(cas->guide, &cas->parts.config->autoconfig_listen))
		return;
	guide_close(cas);
	if (guide_open(cas, &error))
		return;
	buffer_printf(problems_out, "autoconfig-listen: %s; restart to open it\n", error);
	free(error);
}
