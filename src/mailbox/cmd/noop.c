/*
 * NOOP and CHECK: RFC 9051 section 6.1.2, RFC 3501 section 6.4.1.  What is new is told by session_finish().
 */
#include "commands.h"

void
cmd_noop(struct session *session)
{
	session_finish(session, REPLY_DONE);
}
