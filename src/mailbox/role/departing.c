/*
 * How it ends for a user who leaves: all goes on here as before, or nothing of it is here any more.  Loop thread; the work_
 * functions on workers.
 */
#include <stdlib.h>

#include "../session/carry.h"
#include "../session/ground.h"
#include "../session/session.h"
#include "leaving.h"
#include "net/stream.h"

#define DOUBT_MS 10000	/* so long clients wait when whoever ordered the move is not heard any more behind that */

static void
wake_sessions(struct mailbox_role *role, const struct account *account)
{
	LIST_FOREACH(&role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (session_knows(session, account))
			session_schedule(session);
	}
}

void
leaving_thaw(struct leaving *leaving)
{
	timer_stop(&leaving->timer);
	if (leaving->state == LEAVING_COPYING)
		return;
	leaving->state = LEAVING_COPYING;
	account_open(leaving->account);
	wake_sessions(leaving->mover.role, leaving->account);
}

static void
leaving_free(struct leaving *leaving)
{
	timer_stop(&leaving->timer);
	if (leaving->account != NULL) {
		account_end_copy(leaving->account);
		account_release(&leaving->account);
	}
	buffer_free(&leaving->records);
	buffer_free(&leaving->lookup.groups);
	arena_free(&leaving->arena);
	mover_fini(&leaving->mover);
	free(leaving);
}

static enum store_status
work_let_fold(struct store *store, struct account_job *job)
{
	(void)job;
	store_pages_end(store);
	return STORE_OK;
}

static void
on_ended(struct account_job *job)
{
	leaving_free(CONTAINER_OF(job, struct leaving, job));
}

void
leaving_submit(struct leaving *leaving, enum store_status (*work)(struct store *store, struct account_job *job),
    void (*done)(struct account_job *job))
{
	leaving->job.kind = ACCOUNT_IMAGE;
	leaving->job.work = work;
	leaving->job.done = done;
	account_submit_inside(leaving->account, &leaving->job);
}

static enum store_status
work_nothing(struct store *store, struct account_job *job)
{
	(void)store;
	(void)job;
	return STORE_OK;
}

/* The user is known to be at another server: sessions go on there, if they can, in the mailbox that has come by this move. */
static void
hand_over(struct session *session, struct span account)
{
	struct buffer text = { 0 };

	if (session_carry(session, account, &text))
		session_hand_over(session, buffer_span(&text));
	buffer_free(&text);
}

static void
send_away(const struct leaving *leaving, bool is_known)
{
	const struct account *account = leaving->account;

	LIST_FOREACH(&leaving->mover.role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (session->account == account && is_known)
			hand_over(session, span_from_string(leaving->mover.move_id));
		if (session->account == account)
			session_bye(session, METRIC_KICKED, "UNAVAILABLE", "your mail has moved to another server, please log in again");
		else if (session->view != NULL && session->view->state->account == account)
			session_bye(session, METRIC_KICKED, "UNAVAILABLE", "the selected mailbox has moved to another server");
	}
}

void
leaving_depart(struct leaving *leaving, bool is_known)
{
	struct account *account = leaving->account;

	timer_stop(&leaving->timer);
	accounts_note_gone(leaving->mover.role->accounts, account_id(account), true);
	send_away(leaving, is_known);
	leaving->state = LEAVING_COPYING;
	leaving->is_working = true;
	leaving->job.kind = ACCOUNT_REMOVE;
	leaving->job.work = work_nothing;
	leaving->job.done = on_ended;
	account_submit_inside(account, &leaving->job);
	account_open(account);
}

/* Who said "yield" has gone: the directory remembers it. */
static void
await_verdict(struct leaving *leaving)
{
	if (leaving->mover.role->is_stopping)
		leaving_depart(leaving, false);
	else
		timer_start_ms(&leaving->timer, DOUBT_MS);
}

void
leaving_give_up(struct leaving *leaving)
{
	if (leaving->is_working || leaving->is_asking)
		return;
	if (leaving->state == LEAVING_YIELDED) {
		await_verdict(leaving);
		return;
	}
	if (leaving->account == NULL) {
		leaving_free(leaving);
		return;
	}
	leaving_thaw(leaving);
	leaving->is_working = true;
	leaving_submit(leaving, work_let_fold, on_ended);
}

bool
leaving_note_home(struct leaving *leaving, enum store_status status)
{
	leaving->is_working = false;
	if (leaving->mover.stream == NULL) {
		leaving_give_up(leaving);
		return false;
	}
	if (status != STORE_OK) {
		mover_refuse(&leaving->mover, status == STORE_NOT_FOUND ? "the file was opened anew meanwhile" :
		    status == STORE_UNAVAILABLE ? "another program reads the user's file, or the disk failed" :
		    store_status_text(status));
		return false;
	}
	return true;
}

bool
leaving_note_asked(struct leaving *leaving)
{
	leaving->is_asking = false;
	if (leaving->mover.stream == NULL) {
		leaving_give_up(leaving);
		return false;
	}
	if (leaving->ask.status != DIRECTORY_OK) {
		mover_refuse(&leaving->mover, directory_status_text(leaving->ask.status));
		return false;
	}
	return true;
}
