/*
 * URLs of servers.  RFC 5092 section 11 ("iurl"), RFC 3986.  Pure.
 */
#include "url.h"

#include <stdlib.h>

#include "base/memory.h"

#define PORT_PLAIN 143
#define PORT_TLS   993

static bool
take_scheme(struct span *text, bool *is_tls_first_out)
{
	static const struct span plain = SPAN("imap://"), tls = SPAN("imaps://");
	bool is_tls = span_starts_with_nocase(*text, tls);

	if (!is_tls && !span_starts_with_nocase(*text, plain))
		return false;
	*text = span_from(*text, is_tls ? tls.length : plain.length);
	*is_tls_first_out = is_tls;
	return true;
}

bool
url_is_server(const char *word)
{
	struct span text = span_from_string(word);
	bool is_tls_first;

	return take_scheme(&text, &is_tls_first);
}

/* Append what "%40" and the rest stand for; false on a percent sign that begins nothing, and on NUL and line ends. */
static bool
decode(struct span text, struct buffer *out)
{
	for (size_t i = 0; i < text.length; i++) {
		uint32_t octet = text.at[i];

		if (octet == '%') {
			if (!span_to_hex_number(span_slice(text, i + 1, 2), 2, &octet))
				return false;
			i += 2;
		}
		if (octet < ' ' || octet == 127)
			return false;
		buffer_add_octet(out, (uint8_t)octet);
	}
	return true;
}

/* The last of such an octet, or text.length. */
static size_t
find_last(struct span text, uint8_t octet)
{
	for (size_t i = text.length; i-- > 0;)
		if (text.at[i] == octet)
			return i;
	return text.length;
}

/* ";AUTH=PLAIN" at the end of the user's part; returns what stands before it. */
static struct span
cut_mechanism(struct span text, struct span *mechanism_out)
{
	static const struct span key = SPAN(";AUTH=");

	*mechanism_out = (struct span){ NULL, 0 };
	for (size_t i = 0; i < text.length; i++) {
		if (!span_starts_with_nocase(span_from(text, i), key))
			continue;
		*mechanism_out = span_from(text, i + key.length);
		return span_slice(text, 0, i);
	}
	return text;
}

static const char *
read_user(struct span text, struct url *url)
{
	struct span mechanism, user = cut_mechanism(text, &mechanism);

	if (span_find(user, ':') < user.length)
		return "a password has no place in a URL, where others see it: give it on standard input or by --password-file";
	if (!decode(user, &url->user) || !decode(mechanism, &url->mechanism))
		return "the user's name has a percent sign that begins no %XX, or a control character";
	return NULL;
}

/* "example.org", "192.0.2.1", "[2001:db8::1]"; leaves the port. */
static const char *
take_host(struct span *text, struct url *url)
{
	bool is_bracketed = text->length > 0 && text->at[0] == '[';
	struct span host = is_bracketed ? span_slice(*text, 1, span_find(*text, ']') - 1) :
	    span_slice(*text, 0, span_find(*text, ':'));
	struct buffer name = { 0 };
	bool is_good;

	if (is_bracketed && host.length + 2 > text->length)
		return "the bracket before an IPv6 address does not end";
	*text = span_from(*text, host.length + (is_bracketed ? 2 : 0));
	if (!is_bracketed && find_last(*text, ':') != 0 && text->length > 0)
		return "an IPv6 address stands in brackets: imap://[2001:db8::1]/";
	if (host.length == 0)
		return "the host is missing: imap://USER@HOST";
	is_good = decode(host, &name);
	if (is_good)
		url->host = memory_copy_span(buffer_span(&name));
	buffer_free(&name);
	return is_good ? NULL : "this is no name of a host";
}

static const char *
read_port(struct span text, struct url *url)
{
	uint64_t port = url->is_tls_first ? PORT_TLS : PORT_PLAIN;

	if (text.length > 1 && (!span_to_number(span_from(text, 1), UINT16_MAX, &port) || port == 0))
		return "a port is a number from 1 to 65535";
	if (text.length > 0 && text.at[0] != ':')
		return "behind the bracket stands a port, or nothing: imap://[2001:db8::1]:143/";
	url->port = (uint16_t)port;
	return NULL;
}

static const char *
read_authority(struct span text, struct url *url)
{
	size_t at = find_last(text, '@');
	const char *wrong = at < text.length ? read_user(span_slice(text, 0, at), url) : NULL;

	text = at < text.length ? span_from(text, at + 1) : text;
	if (wrong == NULL)
		wrong = take_host(&text, url);
	return wrong != NULL ? wrong : read_port(text, url);
}

static const char *
read_path(struct span text, struct url *url)
{
	if (span_find(text, '?') < text.length || span_find(text, ';') < text.length)
		return "this URL names messages, and not a server or a mailbox";
	return decode(text, &url->mailbox) ? NULL :
		"the mailbox has a percent sign that begins no %XX, or a control character";
}

const char *
url_parse(const char *word, struct url *url_out)
{
	struct span text = span_from_string(word);
	const char *wrong = "a server is imap://USER@HOST or imaps://USER@HOST";
	size_t slash;

	*url_out = (struct url){ .port = 0 };
	if (take_scheme(&text, &url_out->is_tls_first)) {
		slash = span_find(text, '/');
		wrong = read_authority(span_slice(text, 0, slash), url_out);
		if (wrong == NULL)
			wrong = read_path(span_from(text, slash + 1), url_out);
	}
	if (wrong != NULL)
		url_free(url_out);
	return wrong;
}

void
url_write_host(const struct url *url, struct buffer *out)
{
	bool is_ipv6 = strchr(url->host, ':') != NULL;

	buffer_printf(out, "%s://%s%s%s", url->is_tls_first ? "imaps" : "imap", is_ipv6 ? "[" : "", url->host, is_ipv6 ? "]" : "");
	if (url->port != (url->is_tls_first ? PORT_TLS : PORT_PLAIN))
		buffer_printf(out, ":%u", url->port);
}

void
url_free(struct url *url)
{
	buffer_free(&url->user);
	buffer_free(&url->mechanism);
	free(url->host);
	buffer_free(&url->mailbox);
	*url = (struct url){ .port = 0 };
}
