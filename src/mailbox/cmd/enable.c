/*
 * ENABLE: RFC 9051 section 6.3.1, RFC 5161; UTF8=ACCEPT of RFC 6855 section 3; CONDSTORE and QRESYNC of RFC 7162
 * sections 3.1 and 3.2.3; UIDONLY of RFC 9586 section 3.1.
 */
#include "commands.h"

void
cmd_enable(struct session *session)
{
	struct buffer *out = session_out(session);
	unsigned names = session->line->enable.names;

	buffer_add_string(out, "* ENABLED");
	if ((names & IMAP_ENABLE_REV2) != 0) {
		session->is_rev2 = true;
		buffer_add_string(out, " IMAP4rev2");
	}
	if ((names & IMAP_ENABLE_UTF8) != 0) {
		session->has_utf8 = true;
		buffer_add_string(out, " UTF8=ACCEPT");
	}
	imap_parser_set_utf8(session->parser, session_is_utf8(session));
	imap_parser_set_rev2(session->parser, session->is_rev2);
	if ((names & IMAP_ENABLE_CONDSTORE) != 0)
		buffer_add_string(out, " CONDSTORE");
	if ((names & IMAP_ENABLE_QRESYNC) != 0) {
		session->has_qresync = true;
		buffer_add_string(out, " QRESYNC");
	}
	if ((names & IMAP_ENABLE_UIDONLY) != 0) {
		session->is_uid_only = true;
		buffer_add_string(out, " UIDONLY");
	}
	buffer_add_string(out, "\r\n");
	if ((names & (IMAP_ENABLE_CONDSTORE | IMAP_ENABLE_QRESYNC)) != 0)
		session_begin_condstore(session);
	session_finish(session, REPLY_DONE);
}
