/*
 * Reach a listener elsewhere.  Loop thread.
 */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include <stdint.h>

struct connector;
struct loop;
struct stream;
struct workers;

/*
 * Called once, never before net_connect() returns.
 *
 *	stream	given; NULL: it failed
 *	error	why, for the log; NULL on success; borrowed until return
 */
typedef void net_connected(struct stream *stream, const char *error, void *context);

/*
 * Connect to "ADDRESS:PORT", "[ADDRESS]:PORT", "NAME:PORT" or the path of a Unix socket.
 *
 *	workers		where a NAME is looked up; NULL: only numeric addresses
 *	timeout_ms	for everything together
 */
struct connector *net_connect(struct loop *loop, struct workers *workers, const char *address,
    uint64_t timeout_ms, net_connected *on_connected, void *context);

/* No callback will come.  Accepts NULL, leaves NULL behind; the connector is gone once called back. */
void net_connect_cancel(struct connector **connector);

#endif
