/*
 * EXPUNGE and UID EXPUNGE: RFC 9051 sections 6.4.3 and 6.4.9, RFC 9738.  Whether a message has \Deleted is looked up
 * in the job: flags may change while it waits.
 */
#include "../session/door.h"
#include "commands.h"
#include "expunge.h"

struct expunge {
	struct session_job job;
	struct door door;
	struct store_parting parting;
	uint64_t mailbox_id;
	uint32_t *uids;			/* candidates; afterwards those that went */
	size_t count;
	struct store_flag_result *flags;
	uint64_t modseq;
	uint32_t lowest_uid;		/* where the message limit has cut them off; 0: nowhere */
	void (*done)(struct session *session, enum store_status status);
};

/* Ask for the flags by a change that changes nothing. */
static enum store_status
keep_deleted(struct store *store, struct expunge *expunge)
{
	static const struct store_flag_change nothing = { .operation = STORE_FLAGS_ADD,
		.unchanged_since = UINT64_MAX };
	size_t kept = 0;
	enum store_status status = store_change_flags(store, expunge->mailbox_id, expunge->uids, expunge->count,
	    &nothing, expunge->flags, NULL);

	for (size_t i = 0; i < expunge->count && status == STORE_OK; i++)
		if ((expunge->flags[i].flags & STORE_FLAG_DELETED) != 0)
			expunge->uids[kept++] = expunge->uids[i];
	expunge->count = status == STORE_OK ? kept : 0;
	return status;
}

static enum store_status
work_expunge(struct store *store, struct session_job *job)
{
	struct expunge *expunge = CONTAINER_OF(job, struct expunge, job);
	enum store_status status = door_check(store, &expunge->door, expunge->mailbox_id);

	if (status == STORE_OK)
		status = keep_deleted(store, expunge);

	if (status != STORE_OK || expunge->count == 0)
		return status;
	return store_expunge(store, expunge->mailbox_id, expunge->uids, expunge->count, &expunge->parting, expunge->uids,
	    &expunge->count, &expunge->modseq);
}

static void
on_expunged(struct session *session, struct session_job *job, enum store_status status)
{
	struct expunge *expunge = CONTAINER_OF(job, struct expunge, job);

	if (status == STORE_OK)
		state_expunged(job->job.account, expunge->mailbox_id, expunge->uids, expunge->count,
		    expunge->modseq);
	if (status == STORE_OK)
		session_stop_at_limit(session, expunge->lowest_uid);
	expunge->done(session, status);
}

/* Keep the last ones of too many: RFC 9738 section 3.1. */
static void
limit_candidates(struct expunge *expunge, uint32_t limit)
{
	if (limit == 0 || expunge->count <= limit)
		return;
	expunge->uids += expunge->count - limit;
	expunge->count = limit;
	expunge->lowest_uid = expunge->uids[0];
}

/* The state has every change of flags that was answered: it gives the candidates. */
static void
collect(struct expunge *expunge, const struct view *view, const struct view_set *only)
{
	const struct state *state = view->state;

	for (size_t i = 0; i < state->count && state->messages[i].uid < view->limit_uid; i++) {
		const struct store_message *message = &state->messages[i];

		if ((message->flags & STORE_FLAG_DELETED) == 0 ||
		    (only != NULL && !view_set_contains(only, 0, message->uid)))
			continue;
		expunge->uids[expunge->count++] = message->uid;
	}
}

void
expunge_deleted(struct session *session, const struct view_set *only,
    void (*done)(struct session *session, enum store_status status))
{
	struct arena *arena = session->line->arena;
	struct expunge *expunge = ARENA_NEW(arena, struct expunge);
	size_t most = session->view->state->count + 1;

	authorize_selected(session, IMAP_RIGHT_EXPUNGE, &expunge->door);
	expunge->parting = door_parting(session, arena, STORE_LEFT_EXPUNGED);
	expunge->mailbox_id = session->view->state->mailbox_id;
	expunge->uids = arena_alloc_array(arena, most, sizeof expunge->uids[0]);
	collect(expunge, session->view, only);
	if (only != NULL)		/* neither EXPUNGE nor CLOSE may be limited */
		limit_candidates(expunge, session_message_limit(session));
	expunge->flags = arena_alloc_array(arena, expunge->count + 1, sizeof expunge->flags[0]);
	expunge->done = done;
	expunge->job.work = work_expunge;
	expunge->job.done = on_expunged;
	session_submit_to(session, &expunge->job, session->view->state->account, ACCOUNT_DURABLE);
}

void
cmd_expunge(struct session *session)
{
	struct view_set set;

	if (session->view->is_read_only) {
		session_finish(session, REPLY_READ_ONLY);
	} else if ((session->view->rights & IMAP_RIGHT_EXPUNGE) == 0) {
		session_finish(session, REPLY_DENIED);
	} else if (!session->line->is_uid) {
		expunge_deleted(session, NULL, session_finish_status);
	} else if (session_set_init(session, &set, &session->line->expunge.set)) {
		expunge_deleted(session, &set, session_finish_status);
	}
}
