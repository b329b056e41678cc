/*
 * CREATE: RFC 9051 section 6.3.4, with the special uses of RFC 6154 section 3 and the MAILBOXID of RFC 8474 section
 * 4.1.
 */
#include "../session/door.h"
#include "../session/oldname.h"
#include "../shared/bulletin.h"
#include "../shared/objectid.h"
#include "commands.h"

struct create {
	struct session_job job;
	struct arena *arena;
	struct door door;
	const char *use;
	uint64_t id;
};

static enum store_status
work_create(struct store *store, struct session_job *job)
{
	struct create *create = CONTAINER_OF(job, struct create, job);

	return door_create(store, &create->door, create->arena, create->use, &create->id);
}

static void
on_created(struct session *session, struct session_job *job, enum store_status status)
{
	const struct create *create = CONTAINER_OF(job, struct create, job);
	struct buffer code = { 0 };

	if (status == STORE_OK) {
		oldname_tell(session, "", session->line->mailbox.mailbox);
		bulletin_note_name(create->door.account, create->door.name);
		bulletin_note_messages(create->door.account, create->id, IMAP_EVENTS_OF_MESSAGES);
	}
	if (status != STORE_OK || !session_can(session, IMAP_CAN_OBJECTID)) {
		session_finish_status(session, status);
		return;
	}
	buffer_add_string(&code, "MAILBOXID ");
	objectid_write_mailbox(&code, create->id);
	session_finish_with(session, REPLY_DONE, buffer_span(&code));
	buffer_free(&code);
}

/* "\\Drafts \\Sent", as LIST tells it; NULL: none. */
static const char *
names_of(struct arena *arena, unsigned uses)
{
	struct buffer text = { 0 };
	const char *names;

	for (unsigned use = 1; use <= uses; use <<= 1)
		if ((uses & use) != 0)
			buffer_printf(&text, "%s%s", text.length == 0 ? "" : " ", imap_use_name(use));
	names = uses == 0 ? NULL : arena_copy_string(arena, buffer_span(&text));
	buffer_free(&text);
	return names;
}

void
cmd_create(struct session *session)
{
	const struct imap_mailbox *mailbox = &session->line->mailbox;
	struct create *create = ARENA_NEW(session->line->arena, struct create);

	/* Those that stand for all messages or the flagged ones would be views. */
	if ((mailbox->uses & (IMAP_USE_ALL | IMAP_USE_FLAGGED)) != 0) {
		session_finish(session, REPLY_USE_UNKNOWN);
		return;
	}
	create->arena = session->line->arena;
	authorize(session, create->arena, mailbox->mailbox, IMAP_RIGHT_CREATE, &create->door);
	create->use = names_of(session->line->arena, mailbox->uses);
	create->job.work = work_create;
	create->job.done = on_created;
	session_submit_to(session, &create->job, create->door.account, ACCOUNT_DURABLE);
}
