/*
 * Delivery by LMTP.  Loop thread.
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include "../shared/role.h"

/* Serve LMTP on a stream, taken. */
void delivery_accept(struct mailbox_role *role, struct stream *stream);
void delivery_stop_all(struct mailbox_role *role);
void delivery_configure(struct mailbox_role *role);

#endif
