/*
 * One mailbox from the session of its user into a target: what the target lacks is fetched and added, and with is_mirror
 * changes of flags and expunges follow.  Blocking.
 */
#ifndef IMAPCTL_TRANSFER_H
#define IMAPCTL_TRANSFER_H

#include "../remote/remote.h"
#include "../target/target.h"

struct transfer_counts {
	uint64_t exported;
	uint64_t already;	/* were there */
	uint64_t changed;	/* got other flags or keywords */
	uint64_t removed;
	uint64_t differing;	/* have other flags than in the mailbox, or are gone from it: without is_mirror */
};

enum transfer_end {
	TRANSFER_DONE,
	TRANSFER_REFUSED,	/* this mailbox stays out, or part of it; trouble says why */
	TRANSFER_FAILED,	/* the target takes nothing more: its trouble and error say why */
	TRANSFER_LOST,		/* the connection; dialog_trouble() */
	TRANSFER_INTERRUPTED,	/* a signal came; what is there is whole */
};

/*
 * Do it.
 *
 *	mailbox	UIDVALIDITY and UIDNEXT are set here
 *	keys	NULL: all messages; or those that a SEARCH with these keys finds (RFC 9051 section 6.4.4), of which a mailbox
 *		without any is not begun
 *	on_progress	called now and then
 */
enum transfer_end transfer_mailbox(struct remote *remote, struct target *target, struct target_mailbox *mailbox,
    const char *keys, struct transfer_counts *counts, struct buffer *trouble_out, void (*on_progress)(void *context),
    void *context);

#endif
