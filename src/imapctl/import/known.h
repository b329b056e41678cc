/*
 * What the mailboxes hold before an import, so that a message which is there already does not come in twice.
 * A message is the same when its octets, its date and its mailbox are.  Blocking.
 */
#ifndef IMAPCTL_KNOWN_H
#define IMAPCTL_KNOWN_H

#include "../remote/dialog.h"
#include "../source/source.h"

struct known;

/* Borrows the dialog, and listens to replies that begin with `k` and `*`. */
struct known *known_new(struct dialog *dialog);
void known_free(struct known **known);

/*
 * Ask for a message.  Each one in the mailbox stands for one that is asked for: of three copies in a source
 * and two in the mailbox, one is missing.
 *
 * False: the connection is lost.
 */
bool known_has(struct known *known, struct span mailbox, const struct message *message, bool *has_out);

#endif
