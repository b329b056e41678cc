/*
 * Opening a mailbox at the source, over a new connection where the old one is lost.  Blocking.
 */
#ifndef IMAPCTL_REOPEN_H
#define IMAPCTL_REOPEN_H

#include "examine.h"

/*
 * Open it and list its messages, unless the source refuses that: examined_out->is_open.  False: given up, pull->code says why.
 */
bool reopen_and_list(struct pull *pull, const struct planned *box, struct examined *examined_out, struct arena *arena,
    struct imap_sequence *uids_out, bool *is_whole_out);

#endif
