/*
 * Addresses of hosts in their parts.  Pure.
 */
#ifndef CONFIG_ADDRESS_H
#define CONFIG_ADDRESS_H

#include <stdbool.h>

#include "base/span.h"

/* HOST:PORT; brackets around the host are taken off. */
struct address {
	struct span host, port;
	bool is_bracketed;
};

/* Cut a text, whatever its parts are; they are borrowed from it, and the port's at is NULL when there is none. */
struct address address_cut(struct span value);

/* Whether it is an IPv6 address, perhaps with a zone. */
bool address_is_ipv6(struct span host);

/* Letters, digits, hyphens and dots, as the names of hosts are (RFC 1123 section 2.1), or "_" as some are. */
bool address_is_host_name(struct span name);

#endif
