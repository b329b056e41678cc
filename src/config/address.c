/*
 * Addresses to listen at and to connect to, and what was probably meant by one that is none.  Pure.
 */
#include "address.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

static bool
is_all(struct span text, const char *octets)
{
	for (size_t i = 0; i < text.length; i++)
		if (strchr(octets, text.at[i]) == NULL || text.at[i] == '\0')
			return false;
	return text.length > 0;
}

#define DIGITS "0123456789"

bool
address_is_ipv6(struct span host)
{
	uint8_t octets[16];

	host = span_slice(host, 0, span_find(host, '%'));	/* the zone of RFC 4007 section 11 */
	return span_find(host, ':') < host.length && network_parse_address(host, octets);
}

static bool
is_ipv4(struct span host)
{
	uint8_t octets[16];

	return span_find(host, ':') == host.length && network_parse_address(host, octets);
}

bool
address_is_host_name(struct span name)
{
	if (name.length > 253 || name.length == 0 || name.at[0] == '.' || name.at[0] == '-')
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz" DIGITS "-_.", ascii_lower(name.at[i])) == NULL)
			return false;
	return true;
}

struct address
address_cut(struct span value)
{
	struct address parts = { value, { NULL, 0 }, false };
	size_t colon = value.length;

	while (colon > 0 && value.at[colon - 1] != ':')
		colon--;
	if (colon > 0) {
		parts.host = span_slice(value, 0, colon - 1);
		parts.port = span_from(value, colon);
	}
	if (parts.host.length >= 2 && parts.host.at[0] == '[' && parts.host.at[parts.host.length - 1] == ']') {
		parts.host = span_slice(parts.host, 1, parts.host.length - 2);
		parts.is_bracketed = true;
	}
	return parts;
}

static unsigned
usual_port(const struct setting *setting)
{
	switch (setting->option->kind) {
	case LISTEN:
		return span_equals(setting->values[0], SPAN("imap")) ? 143 : 993;
	case LOCAL_LISTEN:
		return setting->option->offset == offsetof(struct config, metrics_listen) ? 9143 : 9993;
	case WEB_LISTEN:
		return span_equals(setting->values[0], SPAN("http")) ? 80 : 443;
	case OUTGOING:
		return 465;
	case LMTP_LISTEN:
		return 24;	/* as Postfix' lmtp(8) has it */
	default:
		return strcmp(setting->option->name, "login-referral") == 0 ? 143 : 1993;
	}
}

/* LMTP asks for no password, so it is for this host, as is the operator's page. */
static const char *
usual_address(const struct setting *setting)
{
	return setting->option->kind == LMTP_LISTEN || setting->option->kind == LOCAL_LISTEN ? "127.0.0.1" : "[::]";
}

/* A port by the name that services(5) has for it; 0: no such name. */
static unsigned
named_port(struct span name)
{
	static const struct {
		const char *name;
		unsigned port;
	} ports[] = { { "imap", 143 }, { "imap2", 143 }, { "imaps", 993 }, { "lmtp", 24 }, { "http", 80 },
		{ "https", 443 }, { "submission", 587 }, { "submissions", 465 } };

	for (size_t i = 0; i < COUNT_OF(ports); i++)
		if (span_equals_nocase(name, span_from_string(ports[i].name)))
			return ports[i].port;
	return 0;
}

static bool
refuse(struct setting *setting, size_t word, const char *reason, const char *meant)
{
	setting_blame(setting, word + 1);
	config_quote(setting->reason, setting->values[word]);
	buffer_printf(setting->reason, " %s", reason);
	if (meant != NULL)
		buffer_printf(setting->reason, "; did you mean \"%s\"?", meant);
	return false;
}

static bool
refuse_port(struct setting *setting, size_t word, const struct address *parts)
{
	unsigned named = named_port(parts->port);
	char meant[300];

	snprintf(meant, sizeof meant, parts->is_bracketed ? "[%.*s]:%u" : "%.*s:%u", SPAN_ARGS(parts->host),
	    named);
	if (parts->port.length == 0)
		return refuse(setting, word, "has no port behind the colon", NULL);
	if (is_all(parts->port, DIGITS))
		return refuse(setting, word, "has no port from 1 to 65535", NULL);
	return refuse(setting, word, "has no port that is a number", named > 0 ? meant : NULL);
}

/* "imap://127.0.0.1:143" and "[::]143". */
static bool
guess(struct span value, char *meant_out, size_t size)
{
	size_t bracket = span_find(value, ']'), slashes = span_find(value, '/');
	struct span port = span_from(value, bracket + 1), rest = span_from(value, slashes + 2);

	if (value.at[0] == '[' && is_all(port, DIGITS) && address_is_ipv6(span_slice(value, 1, bracket - 1)))
		snprintf(meant_out, size, "%.*s:%.*s", SPAN_ARGS(span_slice(value, 0, bracket + 1)), SPAN_ARGS(port));
	else if (slashes > 0 && slashes + 2 < value.length && value.at[slashes - 1] == ':' && span_find(rest, '/') == rest.length)
		snprintf(meant_out, size, "%.*s", SPAN_ARGS(rest));
	else
		return false;
	return true;
}

/* An IPv6 address without brackets, where the port may be what looks like its last part. */
static bool
refuse_bare_ipv6(struct setting *setting, size_t word, const struct address *parts)
{
	struct span value = setting->values[word];
	char meant[300];

	if (address_is_ipv6(parts->host) && is_all(parts->port, DIGITS))
		snprintf(meant, sizeof meant, "[%.*s]:%.*s", SPAN_ARGS(parts->host), SPAN_ARGS(parts->port));
	else if (address_is_ipv6(value))
		snprintf(meant, sizeof meant, "[%.*s]:%u", SPAN_ARGS(value), usual_port(setting));
	else
		return refuse(setting, word, "is not ADDRESS:PORT or [IPV6]:PORT", guess(value, meant, sizeof meant) ? meant : NULL);
	return refuse(setting, word, "has an IPv6 address without brackets", meant);
}

static bool
refuse_without_port(struct setting *setting, size_t word, bool may_be_name)
{
	struct span value = setting->values[word], bare = value;
	char meant[300];

	if (is_all(value, DIGITS)) {
		snprintf(meant, sizeof meant, "%s:%.*s", usual_address(setting), SPAN_ARGS(value));
		return refuse(setting, word, "is not ADDRESS:PORT", meant);
	}
	if (bare.length > 2 && bare.at[0] == '[' && bare.at[bare.length - 1] == ']')
		bare = span_slice(bare, 1, bare.length - 2);
	snprintf(meant, sizeof meant, address_is_ipv6(bare) ? "[%.*s]:%u" : "%.*s:%u", SPAN_ARGS(bare), usual_port(setting));
	return refuse(setting, word, "has no port",
	    is_ipv4(bare) || address_is_ipv6(bare) || (may_be_name && address_is_host_name(bare)) ? meant : NULL);
}

static bool
refuse_brackets(struct setting *setting, size_t word, const struct address *parts)
{
	char meant[300];

	if (!is_ipv4(parts->host) && !address_is_host_name(parts->host))
		return refuse(setting, word, "has no IPv6 address in its brackets", NULL);
	snprintf(meant, sizeof meant, "%.*s:%.*s", SPAN_ARGS(parts->host), SPAN_ARGS(parts->port));
	return refuse(setting, word, "has brackets, which are for IPv6", meant);
}

/*
 * ADDRESS:PORT, [ADDRESS]:PORT for IPv6; what is only to be connected to may have a name.  False: the reason is
 * told.
 */
static bool
read_address(struct setting *setting, size_t word, bool may_be_name, struct config_listener *listener)
{
	struct span value = setting->values[word];
	struct address parts = address_cut(value);
	uint64_t port;

	if (span_find(value, ':') == value.length || (value.length > 0 && value.at[value.length - 1] == ']'))
		return refuse_without_port(setting, word, may_be_name);
	if (parts.host.length == 0 && !parts.is_bracketed) {
		char meant[32];

		snprintf(meant, sizeof meant, "%s:%.*s", usual_address(setting), SPAN_ARGS(span_slice(parts.port, 0, 8)));
		return refuse(setting, word, "has no address before the colon", may_be_name ? NULL : meant);
	}
	if (!parts.is_bracketed && span_find(parts.host, ':') < parts.host.length)
		return refuse_bare_ipv6(setting, word, &parts);
	if (!span_to_number(parts.port, UINT16_MAX, &port))
		return refuse_port(setting, word, &parts);
	if (parts.is_bracketed && !address_is_ipv6(parts.host))
		return refuse_brackets(setting, word, &parts);
	if (!parts.is_bracketed && is_all(parts.host, DIGITS ".") && !is_ipv4(parts.host))
		return refuse(setting, word, "has no IPv4 address, which is four numbers from 0 to 255", NULL);
	listener->host = memory_copy_span(parts.host);
	listener->port = (uint16_t)port;
	return true;
}

/* What is listened at has no name: a name may get other addresses, and then nobody knows which is meant. */
static bool
read_own_address(struct setting *setting, size_t word, struct config_listener *listener)
{
	char meant[300];
	struct span host;

	if (!read_address(setting, word, false, listener))
		return false;
	host = span_from_string(listener->host);
	if (span_equals(host, SPAN("*")) || is_ipv4(host) || address_is_ipv6(host))
		return true;
	snprintf(meant, sizeof meant, "127.0.0.1:%u", listener->port);
	if (address_is_host_name(host))
		refuse(setting, word, "has a name, where an address of this host has to be",
		    span_equals_nocase(host, SPAN("localhost")) ? meant : NULL);
	else
		refuse(setting, word, "is not ADDRESS:PORT or [IPV6]:PORT", NULL);
	free(listener->host);
	listener->host = NULL;
	return false;
}

static void
add_listener(struct setting *setting, struct config_listener listener)
{
	struct config_listeners *listeners = option_place(setting->option, setting->config);

	listener.place = setting->place;
	listeners->at = memory_resize(listeners->at, listeners->count + 1, sizeof *listeners->at);
	listeners->at[listeners->count++] = listener;
}

/* "listen [::]:993 imaps" */
static bool
is_turned_round(const struct setting *setting)
{
	return span_starts_with(setting->values[1], SPAN("imap"));
}

static bool
refuse_protocol(struct setting *setting)
{
	struct suggestion suggestion = { 0 };

	option_refuse(setting, 1, "\"imap\" or \"imaps\"");
	suggestion_consider(&suggestion, setting->values[0], "imap");
	suggestion_consider(&suggestion, setting->values[0], "imaps");
	if (suggestion.cost < SUGGESTION_TWO_SLIPS)	/* "smtp" is another one */
		suggestion_print(&suggestion, setting->reason);
	if (suggestion.best == NULL && is_turned_round(setting))
		buffer_add_string(setting->reason, ", which comes before the address");
	return false;
}

bool
set_listen(struct setting *setting)
{
	const struct span *values = setting->values;
	struct config_listener listener = { .is_tls = span_equals(values[0], SPAN("imaps")),
		.is_proxy = setting->count == 3 };
	bool is_good = true;

	if (!listener.is_tls && !span_equals(values[0], SPAN("imap")))
		is_good = refuse_protocol(setting);
	if (!is_good && is_turned_round(setting))
		return false;
	is_good = read_own_address(setting, 1, &listener) && is_good;
	if (listener.is_proxy && !span_equals(values[2], SPAN("proxy")))
		is_good = option_refuse(setting, 3, "\"proxy\"");
	if (is_good)
		add_listener(setting, listener);
	else
		free(listener.host);
	return is_good;
}

/* As Postfix names what it delivers to: unix:PATH, inet:ADDRESS:PORT, lmtp:...  True: it was told. */
static bool
refuse_prefix(struct setting *setting)
{
	static const struct span prefixes[] = { SPAN("unix:"), SPAN("inet:"), SPAN("lmtp:") };
	struct span rest = setting->values[0];

	for (size_t i = 0; i < COUNT_OF(prefixes); i++)
		for (size_t j = 0; j < COUNT_OF(prefixes); j++)
			if (span_starts_with(rest, prefixes[j]))
				rest = span_from(rest, prefixes[j].length);
	if (rest.length == setting->values[0].length || rest.length == 0)
		return false;
	option_refuse(setting, 1, "an absolute path, ADDRESS:PORT or \"none\"");
	if (rest.at[0] == '/' || span_find(rest, '/') == rest.length)
		buffer_printf(setting->reason, "; did you mean \"%.*s\"?", SPAN_ARGS(rest));
	else
		hint_path(rest, setting->reason);
	return true;
}

static bool
refuse_path(struct setting *setting)
{
	option_refuse(setting, 1, "an absolute path, ADDRESS:PORT or \"none\"");
	hint_path(setting->values[0], setting->reason);
	return false;
}

bool
set_lmtp_listen(struct setting *setting)
{
	struct span value = setting->values[0];
	struct config_listener listener = { 0 };

	if (span_equals(value, SPAN("none")))
		return true;
	if (value.length > 0 && value.at[0] == '/')
		listener.path = memory_copy_span(value);
	else if (refuse_prefix(setting))
		return false;
	else if (span_find(value, '/') < value.length)
		return refuse_path(setting);
	else if (!read_own_address(setting, 0, &listener))
		return false;
	add_listener(setting, listener);
	return true;
}

/* TCP alone: what comes there speaks TLS from the first octet. */
bool
set_link_listen(struct setting *setting)
{
	struct config_listener listener = { .is_tls = true };

	if (span_equals(setting->values[0], SPAN("none")))
		return true;
	if (span_find(setting->values[0], '/') < setting->values[0].length)
		return option_refuse(setting, 1, "ADDRESS:PORT or \"none\"");
	if (!read_own_address(setting, 0, &listener))
		return false;
	add_listener(setting, listener);
	return true;
}

/* ::1, and 127.0.0.0/8: RFC 4291 section 2.5.3, RFC 1122 section 3.2.1.3. */
static bool
is_loopback(const char *host)
{
	static const uint8_t six[16] = { [15] = 1 }, four[13] = { [10] = 0xff, 0xff, 127 };
	uint8_t octets[16];

	return network_parse_address(span_from_string(host), octets) &&
	    (memcmp(octets, six, sizeof six) == 0 || memcmp(octets, four, sizeof four) == 0);
}

/* Of this host alone: what is served there goes over no network. */
bool
set_local_listen(struct setting *setting)
{
	struct config_listener listener = { 0 };
	char meant[32];

	if (span_equals(setting->values[0], SPAN("none")))
		return true;
	if (span_find(setting->values[0], '/') < setting->values[0].length)
		return option_refuse(setting, 1, "127.0.0.1:PORT, [::1]:PORT or \"none\"");
	if (!read_own_address(setting, 0, &listener))
		return false;
	if (is_loopback(listener.host)) {
		add_listener(setting, listener);
		return true;
	}
	snprintf(meant, sizeof meant, "127.0.0.1:%u", listener.port);
	free(listener.host);
	return refuse(setting, 0, "is not of the loopback, and other hosts could reach it", meant);
}

/* An address alone. */
static bool
refuse_without_protocol(struct setting *setting)
{
	struct span value = setting->values[0];
	struct address parts = address_cut(value);

	option_refuse(setting, 1, "\"https\" or \"http\", with an address behind it, or \"none\"");
	if (setting->count == 1 && parts.port.length > 0 && is_all(parts.port, DIGITS))
		buffer_printf(setting->reason, "; did you mean \"%s %.*s\"?", span_equals(parts.port, SPAN("80")) ? "http" : "https",
		    SPAN_ARGS(value));
	return false;
}

/* "none", or what is spoken and where. */
bool
set_web_listen(struct setting *setting)
{
	struct config_listener listener = { .is_tls = span_equals(setting->values[0], SPAN("https")) };

	if (setting->count == 1 && span_equals(setting->values[0], SPAN("none")))
		return true;
	if (!listener.is_tls && !span_equals(setting->values[0], SPAN("http")))
		return refuse_without_protocol(setting);
	if (setting->count == 1)
		return option_refuse(setting, 1, listener.is_tls ? "whole: did you mean \"https [::]:443\"?" :
			"whole: did you mean \"http [::]:80\"?");
	if (!read_own_address(setting, 1, &listener))
		return false;
	add_listener(setting, listener);
	return true;
}

static bool
read_server_address(struct setting *setting, size_t word)
{
	struct config_listener address = { 0 };
	bool is_good;

	if (!read_address(setting, word, true, &address))
		return false;
	is_good = address.port != 0 && (span_find(span_from_string(address.host), ':') < strlen(address.host) ||
	    address_is_host_name(span_from_string(address.host)));
	free(address.host);
	return is_good || option_refuse(setting, word + 1, "HOST:PORT or [IPV6]:PORT");
}

/* A server by its name, perhaps with a port: programs check its certificate. */
bool
set_outgoing(struct setting *setting)
{
	char **text = option_place(setting->option, setting->config);

	if (span_find(setting->values[0], ':') == setting->values[0].length ? !address_is_host_name(setting->values[0]) :
	    !read_server_address(setting, 0))
		return setting->reason->length > 0 ? false : option_refuse(setting, 1, "HOST or HOST:PORT");
	free(*text);
	*text = memory_copy_span(setting->values[0]);
	return true;
}

/* A name that homes of users can have, and where that server listens. */
bool
set_server(struct setting *setting)
{
	struct config_servers *servers = option_place(setting->option, setting->config);
	const struct span *values = setting->values;
	bool is_good, has_name = true;

	if (values[0].length == 0)
		has_name = option_refuse(setting, 1, "a name");
	for (size_t i = 0; i < servers->count; i++)
		if (span_equals(values[0], span_from_string(servers->at[i].name)))
			has_name = option_refuse(setting, 1, "a name of its own: there is one before");
	is_good = read_server_address(setting, 1);
	if (!has_name)
		return false;
	/* The name counts, too, when the address is wrong: others may refer to it. */
	servers->at = memory_resize(servers->at, servers->count + 1, sizeof *servers->at);
	servers->at[servers->count++] = (struct config_server){ memory_copy_span(values[0]),
		is_good ? memory_copy_span(values[1]) : NULL, setting->place };
	return is_good;
}
