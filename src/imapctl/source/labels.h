/*
 * The labels of Gmail, which Google Takeout writes into the field X-Gmail-Labels: a list with commas, in the
 * language of the account.
 */
#ifndef IMAPCTL_LABELS_H
#define IMAPCTL_LABELS_H

#include "source.h"

/*
 * Take labels over: those of Gmail's own become flags and mailboxes, those of the user keywords or, with
 * LABELS_MAILBOXES, mailboxes.
 */
void labels_take(struct source *source, struct message *message, struct span value);

#endif
