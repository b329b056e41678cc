/*
 * COMPRESS: RFC 4978.  All that passes behind the tagged reply is compressed, from here through the front end to
 * the client: who relays looks at nothing.
 */
#include "../shared/role.h"
#include "commands.h"
#include "net/deflate.h"

static void
on_answered(struct session *session)
{
	stream_start_deflate(session->stream, session->role->parts.compute);
}

void
cmd_compress(struct session *session)
{
	if (session->stream == NULL) {
		session_finish(session, REPLY_DONE);
	} else if (stream_is_deflated(session->stream)) {
		session_finish(session, REPLY_COMPRESSED);
	} else {
		session_then(session, on_answered);
		session_finish(session, REPLY_DONE);
	}
}
