/*
 * What the mailboxes hold before an import, so that a message which is there already does not come in twice.
 * A message is the same when its octets, its date and its mailbox are.  Blocking.
 */
#ifndef IMAPCTL_KNOWN_H
#define IMAPCTL_KNOWN_H

#include "../remote/remote.h"
#include "../source/source.h"

struct known;

/* Borrows the session, whose mailboxes it selects, and whose untagged replies it listens to while it asks. */
struct known *known_new(struct remote *remote);
void known_free(struct known **known);

/* Which messages of a mailbox count; NULL instead: all. */
struct known_filter {
	uint32_t first_uid;		/* those below do not */
	bool (*counts)(uint32_t uid, void *context);
	void *context;
};

/*
 * Ask for a message.  Each one in the mailbox stands for one that is asked for: of three copies in a source
 * and two in the mailbox, one is missing.
 *
 *	mailbox		modified UTF-7
 *	filter		looked at when the mailbox is asked for first
 *	uid_out		0: it is not there
 *
 * False: the connection is lost.
 */
bool known_find(struct known *known, struct span mailbox, const struct known_filter *filter, const struct message *message,
    uint32_t *uid_out);

/* Forget all mailboxes, and which is selected. */
void known_forget(struct known *known);

#endif
