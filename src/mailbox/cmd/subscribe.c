/*
 * SUBSCRIBE and UNSUBSCRIBE: RFC 9051 sections 6.3.7 and 6.3.8.  Any name may be subscribed to.
 */
#include "../shared/bulletin.h"
#include "commands.h"

struct subscribe {
	struct session_job job;
	struct span name;
	bool is_wanted;
};

static enum store_status
work_subscribe(struct store *store, struct session_job *job)
{
	const struct subscribe *subscribe = CONTAINER_OF(job, struct subscribe, job);

	return subscribe->is_wanted ? store_subscribe(store, subscribe->name)
				    : store_unsubscribe(store, subscribe->name);
}

static void
on_subscribed(struct session *session, struct session_job *job, enum store_status status)
{
	if (status == STORE_OK)
		bulletin_note_subscription(session->account, CONTAINER_OF(job, struct subscribe, job)->name);
	session_finish_status(session, status);
}

void
cmd_subscribe(struct session *session)
{
	struct subscribe *subscribe = ARENA_NEW(session->line->arena, struct subscribe);

	subscribe->name = session->line->mailbox.mailbox;
	subscribe->is_wanted = session->line->verb == IMAP_SUBSCRIBE;
	subscribe->job.work = work_subscribe;
	subscribe->job.done = on_subscribed;
	session_submit(session, &subscribe->job, ACCOUNT_DURABLE);
}
