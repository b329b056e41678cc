/*
 * GETQUOTA, GETQUOTAROOT, SETQUOTA: RFC 9208 section 4.1.  One root holds all that a user has; its limits are set where
 * users are, not by clients: QUOTASET is not offered.  Mailboxes of others have no root: what their owners have is theirs to
 * know.
 */
#include "../session/door.h"
#include "commands.h"
#include "imap/writer.h"
#include "store/quota.h"

#define ROOT "user"

struct quota {
	struct session_job job;
	struct arena *arena;
	struct door door;
	struct store_amounts usage, limits;
};

static const struct {
	const char *name;
	enum imap_capability capability;
	uint64_t unit;			/* section 5.1: storage is told in units of 1,024 octets */
} resources[STORE_RESOURCE_COUNT] = {
	[STORE_RESOURCE_STORAGE] = { "STORAGE", IMAP_CAN_QUOTA_STORAGE, 1024 },
	[STORE_RESOURCE_MESSAGE] = { "MESSAGE", IMAP_CAN_QUOTA_MESSAGE, 1 },
	[STORE_RESOURCE_MAILBOX] = { "MAILBOX", IMAP_CAN_QUOTA_MAILBOX, 1 },
};

/* RFC 9208 section 4.1.2 wants the mailbox to be readable; the user's own need not be there. */
static bool
is_abroad(const struct quota *quota)
{
	return quota->door.who != NULL || quota->door.is_reserved;
}

static enum store_status
work_usage(struct store *store, struct session_job *job)
{
	struct quota *quota = CONTAINER_OF(job, struct quota, job);
	struct store_mailbox mailbox;

	if (is_abroad(quota))
		return door_find(store, &quota->door, quota->arena, &mailbox);
	return store_usage(store, &quota->usage, &quota->limits);
}

/* What has no limit is not told: section 4.2.1. */
static void
write_quota(struct session *session, const struct quota *quota)
{
	struct buffer *out = session_out(session);
	const char *separator = "";

	buffer_add_string(out, "* QUOTA " ROOT " (");
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++) {
		uint64_t unit = resources[i].unit;

		if (quota->limits.of[i] == STORE_NO_QUOTA || !session_can(session, resources[i].capability))
			continue;
		buffer_printf(out, "%s%s %llu %llu", separator, resources[i].name,
		    (unsigned long long)((quota->usage.of[i] + unit - 1) / unit),
		    (unsigned long long)(quota->limits.of[i] / unit));
		separator = " ";
	}
	buffer_add_string(out, ")\r\n");
}

/* The mailbox need not be there: section 4.1.2. */
static void
write_root(struct session *session, bool has_root)
{
	struct buffer *out = session_out(session);

	buffer_add_string(out, "* QUOTAROOT ");
	imap_write_mailbox(out, session->line->mailbox.mailbox, session_is_utf8(session));
	buffer_add_string(out, has_root ? " " ROOT "\r\n" : "\r\n");
}

static void
on_usage(struct session *session, struct session_job *job, enum store_status status)
{
	const struct quota *quota = CONTAINER_OF(job, struct quota, job);

	if (status == STORE_OK) {
		if (session->line->verb == IMAP_GETQUOTAROOT)
			write_root(session, !is_abroad(quota));
		if (!is_abroad(quota))
			write_quota(session, quota);
	}
	session_finish_status(session, status);
}

void
cmd_quota(struct session *session)
{
	struct quota *quota = ARENA_NEW(session->line->arena, struct quota);
	enum imap_verb verb = session->line->verb;

	if (verb != IMAP_GETQUOTAROOT && !span_equals(session->line->quota.root, SPAN(ROOT))) {
		session_finish(session, REPLY_NO_ROOT);
		return;
	}
	if (verb == IMAP_SETQUOTA) {
		session_finish(session, REPLY_NOT_YOURS);
		return;
	}
	quota->arena = session->line->arena;
	authorize_own(session, IMAP_RIGHT_READ, &quota->door);
	if (verb == IMAP_GETQUOTAROOT)
		authorize(session, quota->arena, session->line->mailbox.mailbox, IMAP_RIGHT_READ, &quota->door);
	quota->job.work = work_usage;
	quota->job.done = on_usage;
	session_submit_to(session, &quota->job, quota->door.account, ACCOUNT_READ);
}
