/*
 * Looking on sessions at a mailbox server from the cas: src/link/README, "Looking on".  Loop thread.
 */
#ifndef LINK_TRACE_H
#define LINK_TRACE_H

#include "link/link.h"

#define LINK_TRACE_MECHANISM "X-IMAPD-TRACE"

/*
 * Have a stream on which a mailbox server tells what is said in sessions, in the lines of control/trace.h.
 *
 *	server	its name in the configuration
 *	word	whose: a user, a session id, an address or a network
 *
 * Calls back as link_connect(); LINK_DENIED and LINK_REFUSED: the server is of a version that cannot.
 */
struct link_attempt *link_connect_to_trace(struct link *link, struct span server, struct span word,
    link_connected *on_connected, void *context);

#endif
