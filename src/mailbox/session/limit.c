/*
 * How many messages one command may touch: RFC 9738.  The limits are those of the configuration with which the session
 * began: a client that was told of one reckons with it until it leaves.  A client for which the capability is masked
 * knows of no limit and has none.  Loop thread.
 */
#include "limit.h"

#include "../shared/role.h"
#include "config/config.h"

void
limit_begin(struct session *session)
{
	const struct config *config = session->role->parts.config;

	session->message_limit = (uint32_t)config->message_limit;
	session->save_limit = (uint32_t)config->save_limit;
}

void
limit_mask(struct session *session)
{
	if (session->message_limit == 0)
		imap_capabilities_add(&session->masked, IMAP_CAN_MESSAGELIMIT);
	if (session->save_limit == 0)
		imap_capabilities_add(&session->masked, IMAP_CAN_SAVELIMIT);
}

/* What no client has asked for, NOTIFY's FETCH, and what the operator does is not limited. */
uint32_t
session_message_limit(const struct session *session)
{
	if (session->is_unasked || session->is_operators || !session_can(session, IMAP_CAN_MESSAGELIMIT))
		return 0;
	return session->message_limit;
}

/* MESSAGELIMIT is about COPY and APPEND, too; SAVELIMIT takes its place where only they are limited. */
uint32_t
session_save_limit(const struct session *session)
{
	uint32_t limit = session_message_limit(session);

	if (limit == 0 && !session->is_operators && session_can(session, IMAP_CAN_SAVELIMIT))
		limit = session->save_limit;
	return limit;
}

void
session_stop_at_limit(struct session *session, uint32_t lowest_uid)
{
	session->ending.lowest_uid = lowest_uid;
}

void
limit_write_code(uint32_t limit, uint32_t lowest_uid, struct buffer *out)
{
	buffer_printf(out, "MESSAGELIMIT %u", limit);
	if (lowest_uid != 0)
		buffer_printf(out, " %u", lowest_uid);
}
