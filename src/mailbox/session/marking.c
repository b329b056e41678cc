/*
 * The overlay is held, and loaded where it is not, so that there is one order of changes for all sessions of the user.
 */
#include "marking.h"

static void
finish(struct marking *marking, enum store_status status)
{
	struct session *session = marking->session;

	state_release(&marking->state);
	marking->done(session, marking, status);
	session_end_wait(session);
}

static void
on_turn(struct seen_change *change)
{
	seen_change_write(change);
}

static enum store_status
check(struct store *store, struct seen_change *change)
{
	struct marking *marking = CONTAINER_OF(change, struct marking, change);

	return marking->check == NULL ? STORE_OK : marking->check(store, marking);
}

static void
on_changed(struct seen_change *change, enum store_status status)
{
	struct marking *marking = CONTAINER_OF(change, struct marking, change);
	struct view *view = marking->session->view;

	if (status == STORE_OK && view != NULL && view->state == change->state)
		view_seen_changed(view, change);
	else if (status == STORE_OK)
		state_seen_changed(change->state, change->uids, change->count, change->is_seen, change->modseq);
	seen_change_end(change);
	finish(marking, status);
}

static void
on_ready(struct state_waiter *waiter, struct state *state)
{
	struct marking *marking = CONTAINER_OF(waiter, struct marking, waiter);

	marking->state = state;
	if (state->phase != STATE_READY) {
		finish(marking, state->status);
		return;
	}
	marking->change = (struct seen_change){ .on_turn = on_turn, .done = on_changed, .check = check,
		.uids = marking->uids, .count = marking->count, .is_seen = true };
	seen_change_begin(&marking->change, state);
}

void
marking_begin(struct session *session, struct marking *marking, struct account *account, uint64_t mailbox_id,
    uint32_t *uids, size_t count, void (*done)(struct session *session, struct marking *marking, enum store_status status))
{
	marking->session = session;
	marking->uids = uids;
	marking->count = count;
	marking->done = done;
	marking->waiter.on_ready = on_ready;
	session_begin_wait(session);
	state_hold_for(account, mailbox_id, session->account, &marking->waiter);
}
