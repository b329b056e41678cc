/*
 * Both ends of a pull.  Blocking.
 */
#ifndef IMAPCTL_CONNECT_H
#define IMAPCTL_CONNECT_H

#include "work.h"

/* Log in at the source and open a session here.  Gives an exit code; what is wrong was said. */
int connect_both(struct pull *pull);

void disconnect_both(struct pull *pull);

#endif
