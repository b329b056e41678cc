/*
 * LIST responses that no LIST has asked for.  Loop thread.
 */
#include "oldname.h"

#include "imap/writer.h"

void
oldname_write_list(struct session *session, const char *attributes, struct span name)
{
	struct buffer *out = session_out(session);

	buffer_printf(out, "* LIST (%s) \"/\" ", attributes);
	imap_write_mailbox(out, name, session_is_utf8(session));
	if (session->line->has_other_name) {
		buffer_add_string(out, " (\"OLDNAME\" (");
		imap_write_astring(out, session->line->sent_name, session_is_utf8(session));
		buffer_add_string(out, "))");
	}
	buffer_add_string(out, "\r\n");
}

void
oldname_tell(struct session *session, const char *attributes, struct span name)
{
	if (session->is_rev2 && session->line->has_other_name)
		oldname_write_list(session, attributes, name);
}
