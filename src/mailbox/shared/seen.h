/*
 * Changing \Seen of an overlay: the user's own file is written first, then the owner's mailbox gives the modseq; then the
 * client may be told.  So changes become visible in the order of their modseqs, and what a crash cuts off is told
 * once more (store/seen.h).  Loop thread, except where said.
 */
#ifndef SEEN_H
#define SEEN_H

#include "overlay.h"

/*
 * Lives inside its owner, from seen_change_begin() to seen_change_end().  One is made at a time for an overlay.
 */
struct seen_change {
	struct list link;		/* in overlay->changes */
	struct state *state;		/* held */
	/* Its turn has come, maybe at once: what the overlay has now stays until the end.  Calls write or end. */
	void (*on_turn)(struct seen_change *change);
	/* After seen_change_write(), maybe at once: when STORE_OK, state_seen_changed() is to be called.  Calls end. */
	void (*done)(struct seen_change *change, enum store_status status);
	/* Worker, on the owner's file, in the transaction that takes the modseq: whether it may be; or NULL. */
	enum store_status (*check)(struct store *store, struct seen_change *change);

	uint32_t *uids;			/* rising; borrowed until done(), when those that change are left */
	size_t count;
	bool is_seen;			/* what they have afterwards */
	uint64_t modseq;		/* in done() */

	/* Private. */
	struct store_seen_mailbox mailbox;
	struct store_uid_range *ranges;
	size_t range_count;
	struct account_job viewers, owners;
};

void seen_change_begin(struct seen_change *change, struct state *state);
void seen_change_write(struct seen_change *change);
void seen_change_end(struct seen_change *change);

#endif
