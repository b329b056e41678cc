/*
 * ENABLE: RFC 9051 section 6.3.1, RFC 5161.
 */
#include "commands.h"

void
cmd_enable(struct session *session)
{
	struct buffer *out = session_out(session);
	bool wants_rev2 = (session->line->enable.names & IMAP_ENABLE_REV2) != 0;

	buffer_add_string(out, "* ENABLED");
	if (wants_rev2) {
		session->is_rev2 = true;
		imap_parser_set_utf8(session->parser, true);
		buffer_add_string(out, " IMAP4rev2");
	}
	buffer_add_string(out, "\r\n");
	session_finish(session, REPLY_DONE);
}
