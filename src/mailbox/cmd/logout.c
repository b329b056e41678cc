/*
 * LOGOUT: RFC 9051 section 6.1.3.
 */
#include "commands.h"

void
cmd_logout(struct session *session)
{
	imap_write_condition(session_out(session), SPAN("*"), IMAP_BYE, (struct span){ NULL, 0 },
	    SPAN("logging out"));
	session_unselect(session);
	session_finish(session, REPLY_DONE);
	session_close(session, METRIC_LOGOUT);
}
