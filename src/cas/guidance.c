/*
 * What programs that set themselves up are told, and Outlook by a POST: from the configuration alone.  No user is looked up,
 * so that the answers say nothing of who exists.  Loop thread.
 */
#include "autoconfig/autoconfig.h"
#include "base/memory.h"
#include "guide.h"

#define CONNECTIONS_MAX 200
#define BODY_MAX	8192	/* of Autodiscover's requests, which have some 500 octets */
#define IDLE_MS		10000
#define XML		"text/xml; charset=utf-8"
#define PROFILE		"application/x-apple-aspen-config; charset=utf-8"

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

/* Where Outlook is to POST: without a port, for it looks at none but 443. */
static void
add_url(const struct guide *guide, struct buffer *out)
{
	buffer_printf(out, "https://%s/autodiscover/autodiscover.xml", guide->cas->parts.config->hostname);
}

/*
 * GET autodiscover.json?Email=...&Protocol=AutodiscoverV1, or with the address in the path, as programs since Outlook 2016
 * ask first: where the other one is; we have no other protocol.
 */
static void
on_json(struct http_request *request, void *context)
{
	struct buffer text = { 0 };
	struct span protocol;

	if (!http_request_parameter(request, "Protocol", &protocol) ||
	    !span_equals_nocase(protocol, SPAN("AutodiscoverV1"))) {
		static const struct span refusal = SPAN("{\"ErrorCode\":\"InvalidProtocol\",\"ErrorMessage\":\"The protocols are "
		    "AutodiscoverV1.\"}\n");

		http_answer(request, 400, "application/json", refusal);
		return;
	}
	buffer_add_string(&text, "{\"Protocol\":\"AutodiscoverV1\",\"Url\":\"");
	add_url(context, &text);
	buffer_add_string(&text, "\"}\n");
	answer(request, "application/json", &text);
}

/* GET at port 80: who has found nothing by HTTPS lets itself be sent there, and POSTs (MS-OXDISCO section 3.1.5.4). */
static void
on_redirect(struct http_request *request, void *context)
{
	struct buffer text = { 0 };

	if (http_request_is_tls(request)) {
		autoconfig_write_outlook_error(600, "Invalid Request", &text);
		answer(request, XML, &text);
		return;
	}
	add_url(context, &text);
	http_answer_field(request, "Location", buffer_string(&text));
	http_answer(request, 302, NULL, SPAN(""));
	buffer_free(&text);
}

struct http *
guidance_new(struct guide *guide)
{
	static const struct {
		const char *method, *path;
		http_handler *handler;
	} pages[] = {
		{ "GET", "/mail/config-v1.1.xml", on_xml },
		{ "GET", "/.well-known/autoconfig/mail/config-v1.1.xml", on_xml },
		{ "GET", "/email.mobileconfig", on_profile },
		{ "POST", "/autodiscover/autodiscover.xml", on_outlook },
		{ "GET", "/autodiscover/autodiscover.xml", on_redirect },
		{ "GET", "/autodiscover/autodiscover.json", on_json },
		{ "GET", "/autodiscover/autodiscover.json/v1.0/*", on_json },
	};
	const struct http_settings settings = { .is_caseless = true, .connections_max = CONNECTIONS_MAX, .body_max = BODY_MAX,
		.idle_ms = IDLE_MS };
	struct http *http = http_new(guide->cas->parts.loop, &settings);

	for (size_t i = 0; i < COUNT_OF(pages); i++)
		http_register(http, pages[i].method, pages[i].path, pages[i].handler, guide);
	return http;
}
