/*
 * The PROXY protocol, versions 1 and 2: what a load balancer says about its client before the client's own octets.
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, sections 2.1 and 2.2.  Pure; any thread.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include "base/span.h"

/* Longer headers are malformed.  Version 1 has at most 107 octets; version 2 is long by what it adds. */
#define PROXY_HEADER_MAX 4096

enum proxy_status {
	PROXY_NEED_MORE,	/* so far it may become a header */
	PROXY_DONE,
	PROXY_MALFORMED,	/* it is none, or names what is no TCP connection */
};

struct proxy_header {
	size_t length;		/* what the header takes of the input */
	char address[46];	/* of the client, numeric, IPv4 where IPv6 only wraps it; empty: the balancer's own
				 * connection (LOCAL of version 2, UNKNOWN) */
	uint16_t port;
};

/*
 * Read the header at the front of the input; what is behind it is not looked at.  The same octets have the same
 * outcome however they arrive in pieces.  *header_out is complete at PROXY_DONE only.
 */
enum proxy_status proxy_parse(struct span input, struct proxy_header *header_out);

#endif
