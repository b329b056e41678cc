/*
 * NOTIFY: RFC 5465 section 3.1.  What happens is kept from the moment the command is read, so that nothing falls between
 * the STATUS lines of SET STATUS and the first notification.
 */
#include "../session/door.h"
#include "../session/notify.h"
#include "../shared/status_items.h"
#include "commands.h"

struct notify_status {
	struct session_job job;
	struct arena *arena;
	struct door door;
	const struct imap_notify *program;
	uint64_t selected_id;		/* 0: none */
	bool has_condstore;
	struct status_style style;
	struct buffer out;
};

static void
write_status(struct notify_status *request, const struct store_mailbox *mailbox, bool is_subscribed)
{
	unsigned events = notify_events(request->program, span_from_string(mailbox->name), is_subscribed) &
	    IMAP_EVENTS_OF_MESSAGES;

	if (events == 0 || mailbox->id == request->selected_id)
		return;
	request->style.items = notify_status_items(events,
	    request->has_condstore || (events & IMAP_EVENT_FLAG_CHANGE) != 0);
	status_write(&request->out, mailbox, 0, &request->style);
}

/* Both lists are in the order of their octets. */
static enum store_status
work_status(struct store *store, struct session_job *job)
{
	struct notify_status *request = CONTAINER_OF(job, struct notify_status, job);
	struct store_mailbox *mailboxes;
	struct span *subscribed;
	size_t count, subscribed_count = 0, next = 0;
	enum store_status status = door_list(store, &request->door, SPAN(""), request->arena, &mailboxes, NULL, &count);

	if (status == STORE_OK)
		status = store_subscription_list(store, request->arena, &subscribed, &subscribed_count);
	for (size_t i = 0; i < count && status == STORE_OK; i++) {
		struct span name = span_from_string(mailboxes[i].name);

		while (next < subscribed_count && span_compare(subscribed[next], name) < 0)
			next++;
		write_status(request, &mailboxes[i],
		    next < subscribed_count && span_equals(subscribed[next], name));
	}
	return status;
}

static void
finish(struct session *session)
{
	session_then(session, notify_answered);
	session_finish(session, REPLY_DONE);
}

static void
on_status(struct session *session, struct session_job *job, enum store_status status)
{
	struct notify_status *request = CONTAINER_OF(job, struct notify_status, job);

	if (request->out.length > 0)
		session_write_buffer(session, &request->out);
	buffer_free(&request->out);
	if (status == STORE_OK) {
		finish(session);
		return;
	}
	notify_refused(session);
	session->is_line_kept = false;
	session_finish_status(session, status);
}

static void
submit_status(struct session *session)
{
	struct notify_status *request = ARENA_NEW(session->line->arena, struct notify_status);

	request->arena = session->line->arena;
	authorize_own(session, IMAP_RIGHT_LOOKUP | IMAP_RIGHT_READ, &request->door);
	request->program = &session->line->notify;
	request->selected_id = session->view == NULL || session->view->who != NULL ? 0 : session->view->state->mailbox_id;
	request->has_condstore = session->has_condstore;
	request->style.is_utf8 = session_is_utf8(session);
	request->job.work = work_status;
	request->job.done = on_status;
	session_submit(session, &request->job, ACCOUNT_READ);
}

void
cmd_notify(struct session *session)
{
	struct buffer code = { 0 };

	if (session->line->notify.has_unknown_event) {
		buffer_printf(&code, "BADEVENT (%s)", imap_event_names);
		session_finish_with(session, REPLY_BAD_EVENT, buffer_span(&code));
		buffer_free(&code);
		return;
	}
	notify_write_lines(session, session_out(session), SIZE_MAX);	/* what the one before has kept */
	notify_begin(session, session->line);
	session->is_line_kept = true;
	if (session->line->notify.wants_status)
		submit_status(session);
	else
		finish(session);
}
