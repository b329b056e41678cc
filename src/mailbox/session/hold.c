/*
 * First the state, then the question: a message that came after the right was taken is in no state of which the question
 * was answered before.  Loop thread; work_check() on a worker.
 */
#include "hold.h"

static enum store_status
work_check(struct store *store, struct session_job *job)
{
	struct hold *hold = CONTAINER_OF(job, struct hold, job);

	return door_check(store, &hold->door, hold->mailbox_id);
}

static void
finish(struct hold *hold, enum store_status status)
{
	struct state *state = hold->state;

	hold->state = NULL;
	if (status == STORE_OK && state->phase != STATE_READY)
		status = state->status;
	if (status != STORE_OK)
		state_release(&state);
	hold->done(hold->session, hold, state, status);
}

static void
on_checked(struct session *session, struct session_job *job, enum store_status status)
{
	(void)session;
	finish(CONTAINER_OF(job, struct hold, job), status);
}

static void
on_ready(struct state_waiter *waiter, struct state *state)
{
	struct hold *hold = CONTAINER_OF(waiter, struct hold, waiter);
	struct session *session = hold->session;

	hold->state = state;
	if (hold->door.who == NULL || state->phase != STATE_READY)
		finish(hold, STORE_OK);
	else
		session_submit_to(session, &hold->job, hold->account, ACCOUNT_READ);
	session_end_wait(session);
}

void
hold_begin(struct session *session, struct hold *hold)
{
	hold->session = session;
	hold->door = (struct door){ .account = hold->account, .rights = IMAP_RIGHT_READ,
		.who = hold->account == session->account ? NULL : &session->identity };
	hold->waiter.on_ready = on_ready;
	hold->job.work = work_check;
	hold->job.done = on_checked;
	session_begin_wait(session);
	state_hold_for(hold->account, hold->mailbox_id, hold->viewer, &hold->waiter);
}
