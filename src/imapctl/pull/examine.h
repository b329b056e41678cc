/*
 * A mailbox at the source, opened for reading, and which messages it has.  Blocking.
 */
#ifndef IMAPCTL_EXAMINE_H
#define IMAPCTL_EXAMINE_H

#include "base/arena.h"
#include "work.h"

struct examined {
	uint64_t messages, uidvalidity;
	uint64_t modseq;		/* HIGHESTMODSEQ; 0: the server does not say */
	bool is_open;			/* false: refused */
	struct buffer reason;		/* why */
};

/* EXAMINE.  False: the connection is lost. */
bool examine(struct pull *pull, const struct planned *box, struct examined *examined_out);

/*
 * Ask for the UIDs of all messages.
 *
 *	*is_whole_out	they are as many as the mailbox has
 *
 * False: the connection is lost.
 */
bool examine_uids(struct pull *pull, const struct examined *examined, struct arena *arena, struct imap_sequence *uids_out,
    bool *is_whole_out);

#endif
