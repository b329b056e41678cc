/*
 * The messages of a mailbox at the source, and how far each has come.  Pure.
 */
#ifndef IMAPCTL_UIDS_H
#define IMAPCTL_UIDS_H

#include "base/buffer.h"
#include "imap/sequence.h"

enum uid_state {
	UID_HELD,		/* it is here, or was: nothing to do */
	UID_WANTED,
	UID_ASKED,		/* by a command that is under way */
	UID_AGAIN,		/* did not come, and is asked for alone */
	UID_OCTETS,		/* may hold NUL, and is asked for alone with BINARY */
	UID_ASKED_OCTETS,	/* by such a command */
	UID_DONE,
	UID_FAILED,		/* was told */
	UID_MISSING,		/* does not come, and nobody said why */
};

struct uids {
	uint32_t *at;		/* rising */
	uint8_t *states;	/* enum uid_state */
	size_t count;
};

/* Give all of them one state; false: there are too many. */
bool uids_fill(struct uids *uids, const struct imap_sequence *sequence, enum uid_state state);

void uids_free(struct uids *uids);

/* Index, or SIZE_MAX. */
size_t uids_find(const struct uids *uids, uint32_t uid);

/* How many there are in a state; change all of a state into another. */
size_t uids_count(const struct uids *uids, enum uid_state state);
void uids_change(struct uids *uids, enum uid_state from, enum uid_state to);

/*
 * Append the set of those in a state from an index on, at most so many messages and about so many octets, and give them
 * another state.  A range may stand for what does not exist between two.  Gives the index behind them; their count is in
 * *count_out.
 */
size_t uids_ask(struct uids *uids, size_t first, enum uid_state from, enum uid_state to, size_t messages_max,
    size_t octets_max, struct buffer *out, size_t *count_out);

#endif
