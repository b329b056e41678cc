/*
 * --mirror: what was pulled becomes again what it is at the source.  Mail that was not pulled stays untouched.  Blocking.
 */
#ifndef IMAPCTL_MIRROR_H
#define IMAPCTL_MIRROR_H

#include "examine.h"
#include "transfer.h"

/* Forget what was deleted here, so that it is pulled again.  False: the connection here is lost. */
bool mirror_forget_deleted(struct transfer *transfer);

/*
 * Expunge what is not at the source any more, and set flags and keywords that differ.
 *
 *	uids	all that the source has; NULL: that is not known, and nothing is expunged
 *
 * False: one of the connections is lost.
 */
bool mirror_follow(struct transfer *transfer, const struct examined *examined, const struct imap_sequence *uids);

/*
 * The mailbox that mail of a place came from is gone at the source: expunge that mail, and delete the mailbox here if
 * nothing is left in it.  False: the connection here is lost.
 */
bool mirror_remove(struct pull *pull, struct place *place);

/* Note in the states, where it is so, that flags are here as they were there when the mailbox was opened.  False: as above. */
bool mirror_settle(struct transfer *transfer, const struct examined *examined);

#endif
