/*
 * NAMESPACE: RFC 9051 section 6.3.10.  The user's own, that of other users where somebody has shared something, and that of
 * shared accounts, likewise.
 */
#include "../session/door.h"
#include "commands.h"
#include "imap/writer.h"

static void
write_namespace(struct buffer *out, struct span prefix)
{
	struct buffer name = { 0 };

	if (prefix.length == 0) {
		buffer_add_string(out, " NIL");
		return;
	}
	buffer_add_span(&name, prefix);
	buffer_add_octet(&name, '/');
	buffer_add_string(out, " ((");
	imap_write_string(out, buffer_span(&name), false);
	buffer_add_string(out, " \"/\"))");
	buffer_free(&name);
}

void
cmd_namespace(struct session *session)
{
	struct buffer *out = session_out(session);

	buffer_add_string(out, "* NAMESPACE ((\"\" \"/\"))");
	write_namespace(out, door_prefix(session, false));
	write_namespace(out, door_prefix(session, true));
	buffer_add_string(out, "\r\n");
	session_finish(session, REPLY_DONE);
}
