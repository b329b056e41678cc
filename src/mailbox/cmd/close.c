/*
 * CLOSE: RFC 9051 section 6.4.1.  As EXPUNGE, without telling which, and UNSELECT; without the right to expunge UNSELECT
 * alone (RFC 4314 section 4).
 */
#include "commands.h"
#include "expunge.h"

static void
on_expunged(struct session *session, enum store_status status)
{
	if (status == STORE_DENIED)
		status = STORE_OK;
	if (status == STORE_OK)
		session_unselect(session);
	session_finish_status(session, status);
}

void
cmd_close(struct session *session)
{
	if (session->view->is_read_only || (session->view->rights & IMAP_RIGHT_EXPUNGE) == 0) {
		session_unselect(session);
		session_finish(session, REPLY_DONE);
		return;
	}
	expunge_deleted(session, NULL, on_expunged);
}
