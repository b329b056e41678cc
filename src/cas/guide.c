/*
 * What programs that set themselves up ask by HTTP, and Outlook by a POST: answered from the configuration alone.  No user is
 * looked up, so that the answers say nothing of who exists.  Loop thread.
 */
#include <stdlib.h>

#include "autoconfig/autoconfig.h"
#include "base/memory.h"
#include "client.h"
#include "http/http.h"
#include "net/listener.h"

#define CONNECTIONS_MAX 200
#define BODY_MAX	8192	/* of Autodiscover's requests, which have some 500 octets */
#define IDLE_MS		10000
#define XML		"text/xml; charset=utf-8"
#define PROFILE		"application/x-apple-aspen-config; charset=utf-8"

struct guide {
	struct cas *cas;
	struct http *http;
	struct list doors;
};

struct door {
	struct list link;
	struct guide *guide;
	struct listener *listener;
	bool is_tls;
	char *address;			/* as configured */
};

static void
init(const struct guide *guide, struct autoconfig *autoconfig)
{
	const struct config *config = guide->cas->parts.config;

	autoconfig_init(autoconfig, config,
	    span_from_string(config->autoconfig_smtp != NULL ? config->autoconfig_smtp : config->hostname));
}

static void
answer(struct http_request *request, const char *type, struct buffer *text)
{
	log_debug("autoconfig", log_text("rip", http_request_peer(request)),
	    log_span("path", http_request_path(request)));
	http_answer(request, 200, type, buffer_span(text));
	buffer_free(text);
}

/* The domain that a program means by the name it has asked at: "autoconfig.example.org:80". */
static bool
find_domain(struct http_request *request, struct span *domain_out)
{
	static const struct span prefixes[] = { SPAN("autoconfig."), SPAN("autodiscover.") };
	struct span host = http_request_field(request, "Host");

	host = span_slice(host, 0, span_find(host, ':'));
	for (size_t i = 0; i < COUNT_OF(prefixes); i++)
		if (span_starts_with_nocase(host, prefixes[i]))
			host = span_from(host, prefixes[i].length);
	*domain_out = host;
	return autoconfig_is_domain(host);
}

/* GET config-v1.1.xml?emailaddress=me@example.org */
static void
on_xml(struct http_request *request, void *context)
{
	struct autoconfig_address address;
	struct autoconfig autoconfig;
	struct buffer text = { 0 };
	struct span given, domain;

	init(context, &autoconfig);
	if (http_request_parameter(request, "emailaddress", &given) && autoconfig_read_address(given, &address)) {
		domain = address.domain;
	} else if (!find_domain(request, &domain)) {
		http_answer_text(request, 404, "Ask for a domain: ?emailaddress=NAME@DOMAIN");
		return;
	}
	autoconfig_write_xml(&autoconfig, domain, &text);
	answer(request, XML, &text);
}

/* GET email.mobileconfig?email=me@example.org */
static void
on_profile(struct http_request *request, void *context)
{
	struct autoconfig_address address;
	struct autoconfig autoconfig;
	struct buffer text = { 0 };
	struct span given, domain;
	bool has_address;

	init(context, &autoconfig);
	has_address = (http_request_parameter(request, "email", &given) ||
	    http_request_parameter(request, "emailaddress", &given)) && autoconfig_read_address(given, &address);
	if (has_address) {
		domain = address.domain;
	} else if (!find_domain(request, &domain)) {
		http_answer_text(request, 404, "Ask for an address: ?email=NAME@DOMAIN");
		return;
	}
	autoconfig_write_profile(&autoconfig, domain, has_address ? &address : NULL, &text);
	http_answer_field(request, "Content-Disposition", "attachment; filename=\"email.mobileconfig\"");
	answer(request, PROFILE, &text);
}

static void
on_outlook(struct http_request *request, void *context)
{
	struct buffer text = { 0 }, given = { 0 };
	struct autoconfig_address address;
	struct autoconfig autoconfig;
	bool is_mobile = false;

	init(context, &autoconfig);
	if (!autoconfig_read_outlook(http_request_body(request), &given, &is_mobile) ||
	    !autoconfig_read_address(buffer_span(&given), &address))
		autoconfig_write_outlook_error(600, "Invalid Request", &text);
	else if (is_mobile)
		autoconfig_write_outlook_error(601, "Provider is not available", &text);
	else
		autoconfig_write_outlook(&autoconfig, autoconfig_login(&autoconfig, &address), &text);
	buffer_free(&given);
	answer(request, XML, &text);
}

/* GET autodiscover.json?Email=...&Protocol=AutodiscoverV1: where the other one is; we have no other protocol. */
static void
on_json(struct http_request *request, void *context)
{
	const struct guide *guide = context;
	struct buffer text = { 0 };
	struct span protocol;

	if (!http_request_parameter(request, "Protocol", &protocol) ||
	    !span_equals_nocase(protocol, SPAN("AutodiscoverV1"))) {
		static const struct span refusal = SPAN("{\"ErrorCode\":\"InvalidProtocol\",\"ErrorMessage\":\"The protocols are "
		    "AutodiscoverV1.\"}\n");

		http_answer(request, 400, "application/json", refusal);
		return;
	}
	buffer_printf(&text, "{\"Protocol\":\"AutodiscoverV1\",\"Url\":\"https://%s/autodiscover/autodiscover.xml\"}\n",
	    guide->cas->parts.config->hostname);
	answer(request, "application/json", &text);
}

static struct http *
make_http(struct guide *guide)
{
	static const struct {
		const char *method, *path;
		http_handler *handler;
	} pages[] = {
		{ "GET", "/mail/config-v1.1.xml", on_xml },
		{ "GET", "/.well-known/autoconfig/mail/config-v1.1.xml", on_xml },
		{ "GET", "/email.mobileconfig", on_profile },
		{ "POST", "/autodiscover/autodiscover.xml", on_outlook },	/* in the cases that Outlook has */
		{ "POST", "/Autodiscover/Autodiscover.xml", on_outlook },
		{ "POST", "/AutoDiscover/AutoDiscover.xml", on_outlook },
		{ "POST", "/autodiscover/Autodiscover.xml", on_outlook },
		{ "POST", "/Autodiscover/autodiscover.xml", on_outlook },
		{ "POST", "/AUTODISCOVER/AUTODISCOVER.XML", on_outlook },
		{ "GET", "/autodiscover/autodiscover.json", on_json },
		{ "GET", "/Autodiscover/Autodiscover.json", on_json },
	};
	const struct http_settings settings = { .connections_max = CONNECTIONS_MAX, .body_max = BODY_MAX, .idle_ms = IDLE_MS };
	struct http *http = http_new(guide->cas->parts.loop, &settings);

	for (size_t i = 0; i < COUNT_OF(pages); i++)
		http_register(http, pages[i].method, pages[i].path, pages[i].handler, guide);
	return http;
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
	if (door->is_tls)
		stream_begin_with_tls(stream, parts->http_tls, parts->compute);
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
	cas->guide->http = make_http(cas->guide);
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
