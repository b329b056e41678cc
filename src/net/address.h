/*
 * Addresses of sockets: from the text of a configuration, and to text for the log.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>

struct address {
	struct sockaddr_storage socket;
	socklen_t length;
};

/* Cut "HOST:PORT" or "[HOST]:PORT" in two.  False: it is neither, or too long. */
bool address_split(const char *text, char *host, size_t host_size, char *port, size_t port_size);

/* Numeric "HOST:PORT" or a path.  False: it is not. */
bool address_parse(const char *text, struct address *address_out);

/* "127.0.0.1:143", "[::1]:143" or the path. */
void address_format(const struct address *address, char *text, size_t size);

/* Say who is at the other end of a stream, as accept(2) told. */
struct stream;
void address_set_peer(struct stream *stream, const struct address *peer);

#endif
