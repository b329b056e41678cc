/*
 * The services of the server, as its operator starts and stops them.
 */
#ifndef IMAPCTL_SERVICES_H
#define IMAPCTL_SERVICES_H

#include "base/span.h"

struct ctl;

/* cas, mailbox, or all. */
bool service_is_known(struct span word);

/* A table that is drawn again each second, with keys, until q.  Returns the exit code. */
int console_run(struct ctl *ctl);

#endif
