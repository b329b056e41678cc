/*
 * A session of a user on the server of this host, by the control socket.  Blocking.
 */
#ifndef IMAPCTL_LOCAL_H
#define IMAPCTL_LOCAL_H

#include "../ctl/order.h"
#include "dialog.h"

/*
 * Open a session.  Another's may still be there, if that was killed: it ends when what it has sent is done, and so
 * it is waited for, ten seconds at most.
 *
 * Gives an exit code: 0, and *dialog_out is given; else what is wrong was said.
 */
int local_open(const struct order *order, const char *user, struct dialog **dialog_out);

#endif
