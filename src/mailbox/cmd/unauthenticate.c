/*
 * UNAUTHENTICATE: RFC 8437.  The session ends, and with it all that it has kept for its user; the client goes back to
 * the front end, where it may log in again.
 */
#include "../session/notify.h"
#include "commands.h"
#include "net/deflate.h"

void
cmd_unauthenticate(struct session *session)
{
	struct buffer code = { 0 };

	if (session->stream != NULL)
		stream_end_deflated_input(session->stream);
	session_unselect(session);
	notify_end(session);
	session_then(session, session_give_back);
	buffer_printf(&code, "CAPABILITY %s", session->return_capability);
	session_finish_with(session, REPLY_DONE, buffer_span(&code));
	buffer_free(&code);
}
