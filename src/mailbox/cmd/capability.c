/*
 * CAPABILITY: RFC 9051 section 6.1.1.
 */
#include "commands.h"

void
cmd_capability(struct session *session)
{
	struct buffer *out = session_out(session);

	buffer_add_string(out, "* ");
	session_write_capability(session, out);
	buffer_add_string(out, "\r\n");
	session_finish(session, REPLY_DONE);
}
