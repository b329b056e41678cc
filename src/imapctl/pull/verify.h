/*
 * --verify: both sides read message by message, and compared.  Blocking.
 */
#ifndef IMAPCTL_PULL_VERIFY_H
#define IMAPCTL_PULL_VERIFY_H

#include "transfer.h"

/*
 * Compare a mailbox with what was pulled from it; the mailbox is open at the source, and transfer->uids are all of its
 * messages, wanted.  Differences are reported.  False: the pull ends, as with pull_mailbox().
 */
bool verify_mailbox(struct transfer *transfer);

#endif
