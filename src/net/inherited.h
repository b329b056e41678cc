/*
 * Listening sockets that the service manager has opened for us, as sd_listen_fds(3) describes.
 */
#ifndef NET_INHERITED_H
#define NET_INHERITED_H

#include "address.h"

/*
 * A descriptor of the socket that was handed over for an address, ready to accept; -1: there is none.  The
 * original stays open, so that clients wait while nobody listens, and it can be asked for again.
 */
int inherited_socket(const struct address *address);

#endif
