/*
 * Where users live who have not moved here yet: imap://[USER@]HOST[:PORT] (RFC 5092 section 5, RFC 8314 section 3.2 for
 * imaps).  Pure.
 */
#include <string.h>

#include "base/buffer.h"
#include "link/relay.h"

static const struct span plain = SPAN("imap://"), secure = SPAN("imaps://");

/* RFC 3986 section 2.1.  A line or a NUL of a name would be a command, or end it. */
static const char *
read_user(struct span text, struct link_home *home)
{
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++) {
		uint32_t octet = text.at[i];

		if (octet == '%') {
			if (!span_to_hex_number(span_slice(text, i + 1, 2), 2, &octet))
				return "behind % two hexadecimal digits stand for an octet";
			i += 2;
		} else if (octet == ';' || octet == ':') {
			return "in front of the host there may be the name of the user alone: no password, no ;AUTH=";
		}
		if (octet < ' ' || octet == 0x7f || length == sizeof home->user - 1)
			return "the name of the user is too long, or holds a control character";
		home->user[length++] = (char)octet;
	}
	home->user[length] = '\0';
	return length > 0 ? NULL : "there is no name in front of the @";
}

static bool
is_host_octet(uint8_t octet, bool is_bracketed)
{
	if (is_bracketed)
		return octet == ':' || octet == '.' || octet == '%' || ascii_is_digit(octet) ||
		    (ascii_lower(octet) >= 'a' && ascii_lower(octet) <= 'z');
	return octet == '.' || octet == '-' || octet == '_' || ascii_is_digit(octet) ||
	    (ascii_lower(octet) >= 'a' && ascii_lower(octet) <= 'z');
}

/* HOST or [IPV6], without port. */
static const char *
read_host(struct span text, bool is_bracketed, struct link_home *home)
{
	if (text.length == 0 || text.length >= sizeof home->host)
		return "there is no host";
	for (size_t i = 0; i < text.length; i++) {
		if (!is_host_octet(text.at[i], is_bracketed))
			return "the host is a name or an address, an IPv6 one in brackets, and behind it there may be a port alone";
		home->host[i] = (char)ascii_lower(text.at[i]);
	}
	home->host[text.length] = '\0';
	return NULL;
}

static const char *
read_port(struct span text, struct link_home *home)
{
	uint64_t port = home->is_tls_first ? 993 : 143;

	if (text.length > 0 && (text.at[0] != ':' || !span_to_number(span_from(text, 1), UINT16_MAX, &port) || port == 0))
		return "a port is a number from 1 to 65535";
	home->port = (uint16_t)port;
	return NULL;
}

const char *
link_home_read(struct span home, struct link_home *home_out)
{
	struct link_home read = { .is_tls_first = span_starts_with_nocase(home, secure) };
	struct span rest = span_from(home, read.is_tls_first ? secure.length : plain.length);
	const char *wrong = NULL;
	size_t at, end;
	bool is_bracketed;

	if (!read.is_tls_first && !span_starts_with_nocase(home, plain))
		return "it begins with imap:// or imaps://";
	if (rest.length > 0 && rest.at[rest.length - 1] == '/')
		rest.length--;
	for (at = rest.length; at > 0 && rest.at[at - 1] != '@'; at--)
		;
	if (at > 0)
		wrong = read_user(span_slice(rest, 0, at - 1), &read);
	rest = span_from(rest, at);
	is_bracketed = rest.length > 0 && rest.at[0] == '[';
	end = span_find(rest, is_bracketed ? ']' : ':');
	if (wrong == NULL && is_bracketed && end == rest.length)
		wrong = "the host is a name or an address, an IPv6 one in brackets, and behind it there may be a port alone";
	if (wrong == NULL)
		wrong = read_host(span_slice(rest, is_bracketed, end - is_bracketed), is_bracketed, &read);
	if (wrong == NULL)
		wrong = read_port(span_from(rest, end + is_bracketed), &read);
	if (wrong == NULL)
		*home_out = read;
	return wrong;
}

void
link_home_write(const struct link_home *home, struct buffer *out)
{
	bool is_bracketed = strchr(home->host, ':') != NULL;

	buffer_printf(out, "%s://%s%s%s:%u", home->is_tls_first ? "imaps" : "imap", is_bracketed ? "[" : "", home->host,
	    is_bracketed ? "]" : "", home->port);
}
