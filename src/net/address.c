/*
 * Addresses of sockets, from text and to text.  Pure, except address_describe().
 */
#include "address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "internal.h"

bool
address_split(const char *text, char *host, size_t host_size, char *port, size_t port_size)
{
	const char *colon = strrchr(text, ':'), *from = text, *to = colon;

	if (colon == NULL || colon[1] == '\0')
		return false;
	if (*text == '[') {
		if (colon == text || colon[-1] != ']')
			return false;
		from++;
		to--;
	} else if (memchr(text, ':', (size_t)(colon - text)) != NULL) {
		return false;		/* an IPv6 address needs its brackets */
	}
	if ((size_t)(to - from) >= host_size || strlen(colon + 1) >= port_size)
		return false;
	memcpy(host, from, (size_t)(to - from));
	host[to - from] = '\0';
	strcpy(port, colon + 1);
	return true;
}

static bool
parse_path(const char *path, struct address *address_out)
{
	struct sockaddr_un *local = (struct sockaddr_un *)&address_out->socket;

	memset(address_out, 0, sizeof *address_out);
	if (strlen(path) >= sizeof local->sun_path)
		return false;
	local->sun_family = AF_UNIX;
	strcpy(local->sun_path, path);
	address_out->length = sizeof *local;
	return true;
}

bool
address_parse(const char *text, struct address *address_out)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char host[256], port[8];

	if (*text == '/')
		return parse_path(text, address_out);
	if (!address_split(text, host, sizeof host, port, sizeof port))
		return false;
	if (getaddrinfo(strcmp(host, "*") == 0 || *host == '\0' ? NULL : host, port, &hints, &found) != 0)
		return false;
	memcpy(&address_out->socket, found->ai_addr, found->ai_addrlen);
	address_out->length = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

/* Host without port; an IPv4 client of an IPv6 socket is shown as IPv4. */
static void
describe(const struct address *address, char *host, size_t size, uint16_t *port_out)
{
	char service[8];
	const char *mapped = "::ffff:";

	*port_out = 0;
	if (address->socket.ss_family == AF_UNIX) {
		snprintf(host, size, "unix");
		return;
	}
	if (getnameinfo((const struct sockaddr *)&address->socket, address->length, host,
	    (socklen_t)size, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		snprintf(host, size, "unknown");
		return;
	}
	*port_out = (uint16_t)strtoul(service, NULL, 10);
	if (strncmp(host, mapped, strlen(mapped)) == 0 && strchr(host, '.') != NULL)
		memmove(host, host + strlen(mapped), strlen(host + strlen(mapped)) + 1);
}

void
address_format(const struct address *address, char *text, size_t size)
{
	char host[64];
	uint16_t port;

	if (address->socket.ss_family == AF_UNIX) {
		snprintf(text, size, "%s", ((const struct sockaddr_un *)&address->socket)->sun_path);
		return;
	}
	describe(address, host, sizeof host, &port);
	snprintf(text, size, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

void
address_describe(struct stream *stream)
{
	struct address address = { .length = sizeof address.socket };

	if (getsockname(stream->descriptor, (struct sockaddr *)&address.socket, &address.length) == 0)
		describe(&address, stream->local_address, sizeof stream->local_address,
		    &stream->local_port);
	address.length = sizeof address.socket;
	if (getpeername(stream->descriptor, (struct sockaddr *)&address.socket, &address.length) == 0)
		describe(&address, stream->peer_address, sizeof stream->peer_address,
		    &stream->peer_port);
}

void
address_set_peer(struct stream *stream, const struct address *peer)
{
	describe(peer, stream->peer_address, sizeof stream->peer_address, &stream->peer_port);
}

void
stream_set_peer(struct stream *stream, const char *address, uint16_t port)
{
	snprintf(stream->peer_address, sizeof stream->peer_address, "%s", address);
	stream->peer_port = port;
}

const char *
stream_peer_address(const struct stream *stream)
{
	return stream->peer_address;
}

const char *
stream_local_address(const struct stream *stream)
{
	return stream->local_address;
}

uint16_t
stream_peer_port(const struct stream *stream)
{
	return stream->peer_port;
}

uint16_t
stream_local_port(const struct stream *stream)
{
	return stream->local_port;
}
