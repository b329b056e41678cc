/*
 * Sessions whose user, or another one whose mailboxes they have to do with, is about to move elsewhere.  Loop thread.
 */
#include "base/map.h"
#include "ground.h"
#include "session.h"

static bool
has_account(const struct session *session, bool (*is_so)(const struct account *account))
{
	size_t position = 0;
	struct span id;
	void *value;

	if (session->account != NULL && is_so(session->account))
		return true;
	while (session->visited != NULL && map_next(session->visited, &position, &id, &value))
		if (is_so(value))
			return true;
	return false;
}

bool
session_is_halted(const struct session *session)
{
	return has_account(session, account_is_halted) &&
	    (!session_is_within_command(session) || has_account(session, account_is_shut));
}

bool
session_is_within_command(const struct session *session)
{
	return session->phase == SESSION_APPENDING ||
	    (session->phase == SESSION_READY && !imap_parser_is_idle(session->parser));
}

bool
session_knows(const struct session *session, const struct account *account)
{
	return session->account == account ||
	    (session->visited != NULL && map_get(session->visited, span_from_string(account_id(account))) == account);
}

/* Octets of a message may be coming in: what has come of it is nowhere yet. */
bool
session_is_at_rest(const struct session *session)
{
	return session->jobs == 0 && session->on_room == NULL && session->phase != SESSION_RUNNING;
}
