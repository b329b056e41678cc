/*
 * DELETE: RFC 9051 section 6.3.5.  Sessions that have the mailbox selected get BYE.
 */
#include "../session/door.h"
#include "../session/oldname.h"
#include "../shared/bulletin.h"
#include "../shared/role.h"
#include "../shared/share_grants.h"
#include "commands.h"

struct delete {
	struct session_job job;
	struct arena *arena;
	struct door door;
	struct store_parting parting;
	uint64_t mailbox_id;
};

static enum store_status
work_delete(struct store *store, struct session_job *job)
{
	struct delete *delete = CONTAINER_OF(job, struct delete, job);

	return door_delete(store, &delete->door, &delete->parting, delete->arena, &delete->mailbox_id);
}

static void
on_deleted(struct session *session, struct session_job *job, enum store_status status)
{
	const struct delete *delete = CONTAINER_OF(job, struct delete, job);

	if (status == STORE_OK) {
		/* Who deletes what it has selected itself has it selected no more. */
		if (session_has_selected(session, delete->door.account, delete->mailbox_id))
			session_unselect(session);
		state_deleted(delete->door.account, delete->mailbox_id);
		oldname_tell(session, "\\NonExistent", session->line->mailbox.mailbox);
		bulletin_note_name(delete->door.account, delete->door.name);
		shares_tidy(session->role, delete->door.account, true);
	}
	if (status == STORE_FORBIDDEN)
		session_finish(session, REPLY_INBOX_STAYS);
	else
		session_finish_status(session, status);
}

void
cmd_delete(struct session *session)
{
	struct delete *delete = ARENA_NEW(session->line->arena, struct delete);

	delete->arena = session->line->arena;
	delete->parting = door_parting(session, delete->arena, STORE_LEFT_DELETED);
	authorize(session, delete->arena, session->line->mailbox.mailbox, IMAP_RIGHT_DELETE, &delete->door);
	delete->job.work = work_delete;
	delete->job.done = on_deleted;
	session_submit_to(session, &delete->job, delete->door.account, ACCOUNT_DURABLE);
}
