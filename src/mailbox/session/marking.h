/*
 * Messages of another's mailbox that its user has seen by a command, where \Seen is the user's own: shared/overlay.h.
 * Loop thread.
 */
#ifndef MARKING_H
#define MARKING_H

#include "../shared/seen.h"
#include "session.h"

/* Lives in the command's arena; zeroed at first. */
struct marking {
	/* Worker, on the owner's file: whether it may be; or NULL. */
	enum store_status (*check)(struct store *store, struct marking *marking);
	/* Private. */
	struct session *session;
	struct state_waiter waiter;
	struct state *state;
	struct seen_change change;
	uint32_t *uids;
	size_t count;
	void (*done)(struct session *session, struct marking *marking, enum store_status status);
};

/*
 * Mark messages of a mailbox as seen by the session's user.  What is selected does not announce it.
 *
 *	uids	rising; borrowed until done(), and changed
 *	done	always comes, maybe at once
 */
void marking_begin(struct session *session, struct marking *marking, struct account *account, uint64_t mailbox_id,
    uint32_t *uids, size_t count, void (*done)(struct session *session, struct marking *marking,
    enum store_status status));

#endif
