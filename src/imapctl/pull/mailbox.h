/*
 * One mailbox of the source from its opening to the state that is saved.  Blocking.
 */
#ifndef IMAPCTL_MAILBOX_H
#define IMAPCTL_MAILBOX_H

#include "work.h"

/* False: the pull ends; pull->code or pull->is_here_lost says why. */
bool pull_mailbox(struct pull *pull, const struct planned *box);

#endif
