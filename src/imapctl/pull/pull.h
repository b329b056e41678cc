/*
 * Pulling a user's mail from another IMAP server: imapctl import NAME imap://...
 */
#ifndef IMAPCTL_PULL_H
#define IMAPCTL_PULL_H

#include "../ctl/order.h"

/* Pull.  The words are the user and a URL.  Gives an exit code; what came in and what did not was said. */
int run_pull(const struct order *order);

#endif
