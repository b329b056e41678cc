/*
 * How the role ends: nobody comes in any more, everybody leaves, then the stores are closed.  Loop thread.
 */
#include <errno.h>
#include <string.h>

#include "../incoming/delivery.h"
#include "../session/ground.h"
#include "../session/session.h"
#include "../shared/shares.h"
#include "base/log.h"
#include "life.h"
#include "link/link.h"

static void
work_end(struct job *job)
{
	struct mailbox_role *role = CONTAINER_OF(job, struct mailbox_role, ending);

	if (!store_era_end(role->lock.descriptor))
		log_warning("mark-failed", log_text("path", role->data_directory), log_text("reason", strerror(errno)));
}

static void
on_ended(struct job *job)
{
	struct mailbox_role *role = CONTAINER_OF(job, struct mailbox_role, ending);

	timer_stop(&role->drain);
	role->on_stopped(role->stopped_context);
}

/* With the stores the marks are closed, and on the disk. */
static void
on_accounts_stopped(void *context)
{
	struct mailbox_role *role = context;

	role->ending.work = work_end;
	role->ending.done = on_ended;
	workers_submit(role->parts.storage, &role->ending);
}

void
role_check_stopped(struct mailbox_role *role)
{
	if (!role->is_stopping || role->is_closing_accounts || role->sessions_count > 0 ||
	    role->deliveries_count > 0 || role->jobs > 0)
		return;
	role->is_closing_accounts = true;
	timer_stop(&role->trials);
	accounts_stop(role->accounts, on_accounts_stopped, role);
}

void
role_close(struct mailbox_role *role)
{
	role->is_stopping = true;
	if (role->parts.link != NULL) {
		link_serve(role->parts.link, NULL, NULL);
		link_close_ports(role->parts.link);
	}
	role_close_doors(role);
	delivery_stop_all(role);
	role_stop_images(role);
	role_stop_restores(role);
	role_end_retention(role);
	role_end_movers(role);
	role_end_renames(role);
	role_check_stopped(role);
}

void
role_bye_all(struct mailbox_role *role)
{
	LIST_FOREACH(&role->sessions, link)
		session_bye(LIST_ENTRY(link, struct session, link), METRIC_SERVER_STOPS, "UNAVAILABLE", "the server is stopping");
}

void
mailbox_role_stop(struct mailbox_role *role, mailbox_stopped *on_stopped, void *context)
{
	role->on_stopped = on_stopped;
	role->stopped_context = context;
	role_bye_all(role);
	role_close(role);
}

void
mailbox_role_forget_user(struct mailbox_role *role, struct span user)
{
	shares_forget_user(role, user);
	LIST_FOREACH(&role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (session_has_lost_view(session))
			session_on_change(session);
	}
}
