/*
 * The state of a mailbox that was found some time ago: whether it may be read is asked once more when the state is there.
 * For commands that find mailboxes first and look into them one after the other.  Loop thread.
 */
#ifndef HOLD_H
#define HOLD_H

#include "../shared/state.h"
#include "door.h"

/* Lives as long as the command; used again after done(). */
struct hold {
	struct account *account;	/* to be filled in, with done */
	uint64_t mailbox_id;
	struct account *viewer;		/* as a door has it */

	/*
	 * The state is the command's to release, or to make a view of at once: what it has is what was there before the right
	 * could be taken.  NULL where status is not STORE_OK: STORE_NOT_FOUND or STORE_DENIED (door_find()) where it is gone, or
	 * may not be read any more.
	 */
	void (*done)(struct session *session, struct hold *hold, struct state *state, enum store_status status);

	/* Private. */
	struct session *session;
	struct state_waiter waiter;
	struct session_job job;
	struct door door;
	struct state *state;
};

void hold_begin(struct session *session, struct hold *hold);

#endif
