/*
 * Finding rights out anew.  What changes something asks for its right itself, in its own transaction: this is for what is
 * read and told.  Loop thread; work_look() on a worker.
 */
#include "rights.h"

#include <stdlib.h>

#include "../shared/role.h"
#include "door.h"

struct look {
	struct session_job job;
	struct door door;
	uint64_t mailbox_id;
};

static enum store_status
work_look(struct store *store, struct session_job *job)
{
	struct look *look = CONTAINER_OF(job, struct look, job);

	return door_check(store, &look->door, look->mailbox_id);
}

static void
on_looked(struct session *session, struct session_job *job, enum store_status status)
{
	struct look *look = CONTAINER_OF(job, struct look, job);
	bool is_known = status == STORE_OK || status == STORE_DENIED || status == STORE_NOT_FOUND;

	if (is_known && session_has_selected(session, look->door.account, look->mailbox_id) &&
	    view_set_rights(session->view, look->door.granted))
		session_on_change(session);
	free(look);
}

void
rights_look(struct session *session)
{
	struct look *look;

	if (session->view->who == NULL)
		return;
	look = NEW(struct look);
	authorize_selected(session, IMAP_RIGHT_READ, &look->door);
	look->mailbox_id = session->view->state->mailbox_id;
	look->job.work = work_look;
	look->job.done = on_looked;
	session_submit_to(session, &look->job, look->door.account, ACCOUNT_READ);
}

bool
rights_changed(struct mailbox_role *role, const struct account *account, uint64_t mailbox_id)
{
	bool is_any = false;

	LIST_FOREACH(&role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (!session_has_selected(session, account, mailbox_id) || session->view->who == NULL)
			continue;
		rights_look(session);
		is_any = true;
	}
	return is_any;
}
