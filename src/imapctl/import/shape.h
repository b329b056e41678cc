/*
 * What an export says of the mailboxes themselves, beside the messages: special uses and subscriptions.  Blocking.
 */
#ifndef IMAPCTL_SHAPE_H
#define IMAPCTL_SHAPE_H

#include "../remote/dialog.h"
#include "../source/source.h"

struct shape {
	struct buffer afterwards;	/* commands, for when all messages are in */
	bool is_answered;
};

/*
 * Take note of a mailbox before it is made.
 *
 *	mailbox		whole name, in modified UTF-7
 *	takes_use	it is to have the use that it had
 *
 * False: there is to be no mailbox of this name.
 */
bool shape_take(struct shape *shape, struct dialog *dialog, struct span mailbox, const struct message *message, bool takes_use);

/* Unsubscribe what was not subscribed; listens to replies that begin with `s`.  False: the connection is lost. */
bool shape_finish(struct shape *shape, struct dialog *dialog);

void shape_free(struct shape *shape);

#endif
