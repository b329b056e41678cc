/*
 * RENAME: RFC 9051 section 6.3.6.  Renaming INBOX moves its messages; sessions on it see them go.
 */
#include "../session/door.h"
#include "../session/oldname.h"
#include "../shared/bulletin.h"
#include "commands.h"

struct rename {
	struct session_job job;
	struct arena *arena;
	struct door from, to;
	bool is_inbox;
	uint64_t inbox_id;
	struct store_snapshot before;	/* of INBOX */
	uint64_t modseq;
};

static enum store_status
look_at_inbox(struct store *store, struct rename *rename)
{
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, &rename->from, rename->arena, &mailbox);

	if (status != STORE_OK)
		return status;
	rename->inbox_id = mailbox.id;
	return store_snapshot_init(store, mailbox.id, &rename->before);
}

static enum store_status
look_at_modseq(struct store *store, struct rename *rename)
{
	struct store_mailbox after;
	enum store_status status = door_find(store, &rename->from, rename->arena, &after);

	if (status == STORE_OK)
		rename->modseq = after.highest_modseq;
	return status;
}

static enum store_status
work_rename(struct store *store, struct session_job *job)
{
	struct rename *rename = CONTAINER_OF(job, struct rename, job);
	enum store_status status = rename->is_inbox ? look_at_inbox(store, rename) : STORE_OK;

	if (status == STORE_OK)
		status = door_rename(store, &rename->from, &rename->to, rename->arena);
	if (status == STORE_OK && rename->is_inbox)
		status = look_at_modseq(store, rename);
	return status;
}

/* Tell who wants to know: RFC 5465 section 5.4, RFC 9051 section 6.3.9.7.  A new INBOX takes the old one's place. */
static void
note(struct session *session, const struct rename *rename)
{
	bulletin_note_renamed(rename->from.account, rename->from.name, rename->to.name);
	if (!rename->is_inbox)
		oldname_tell(session, "", session->line->rename.to);
}

static void
on_renamed(struct session *session, struct session_job *job, enum store_status status)
{
	struct rename *rename = CONTAINER_OF(job, struct rename, job);
	size_t count = rename->before.count;
	uint32_t *uids;

	if (status == STORE_OK) {
		state_forget_names(rename->from.account);
		note(session, rename);
	}
	if (status == STORE_OK && count > 0) {
		uids = arena_alloc_array(rename->arena, count, sizeof uids[0]);
		for (size_t i = 0; i < count; i++)
			uids[i] = rename->before.messages[i].uid;
		state_expunged(rename->from.account, rename->inbox_id, uids, count, rename->modseq);
	}
	store_snapshot_fini(&rename->before);
	session_finish_status(session, status);
}

void
cmd_rename(struct session *session)
{
	struct rename *rename = ARENA_NEW(session->line->arena, struct rename);

	rename->arena = session->line->arena;
	authorize(session, rename->arena, session->line->rename.from, IMAP_RIGHT_DELETE, &rename->from);
	authorize(session, rename->arena, session->line->rename.to, IMAP_RIGHT_CREATE, &rename->to);
	if (rename->from.account != rename->to.account) {
		session_finish(session, REPLY_BETWEEN_USERS);
		return;
	}
	rename->is_inbox = rename->from.who == NULL && span_equals(rename->from.name, SPAN("INBOX"));
	rename->job.work = work_rename;
	rename->job.done = on_renamed;
	session_submit_to(session, &rename->job, rename->from.account, ACCOUNT_DURABLE);
}
