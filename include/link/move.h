/*
 * Moving a user from one mailbox server to another: src/link/README, "Moving a user".  The host that orders it has a
 * stream to each of the two.  Loop thread.
 */
#ifndef LINK_MOVE_H
#define LINK_MOVE_H

#include "link/link.h"

#define LINK_MOVE_MECHANISM "X-IMAPD-MOVE"

/*
 * Have a stream to a mailbox server on which users are moved.
 *
 *	server	its name in the configuration; empty: the mailbox role of this process
 *	wish	what is to be done there: words, each behind a NUL
 *
 * Calls back as link_connect(); LINK_DENIED and LINK_REFUSED: the server is of a version that cannot.
 */
struct link_attempt *link_connect_to_move(struct link *link, struct span server, struct span wish,
    link_connected *on_connected, void *context);

#endif
