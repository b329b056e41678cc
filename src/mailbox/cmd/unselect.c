/*
 * UNSELECT: RFC 9051 section 6.4.2.
 */
#include "commands.h"

void
cmd_unselect(struct session *session)
{
	session_unselect(session);
	session_finish(session, REPLY_DONE);
}
