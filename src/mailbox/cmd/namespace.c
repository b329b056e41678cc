/*
 * NAMESPACE: RFC 9051 section 6.3.10.  There is one, the user's own.
 */
#include "commands.h"

void
cmd_namespace(struct session *session)
{
	buffer_add_string(session_out(session), "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	session_finish(session, REPLY_DONE);
}
