/*
 * SELECT and EXAMINE: RFC 9051 sections 6.3.2 and 6.3.3, RFC 3501 section 6.3.1, RFC 7162 sections 3.1.2.1, 3.1.8
 * and 3.2.11.
 */
#include "../session/oldname.h"
#include "../shared/objectid.h"
#include "commands.h"

struct select {
	struct session_job job;
	struct state_waiter waiter;
	struct session *session;
	struct arena *arena;
	struct span name;
	bool is_read_only;
	uint64_t mailbox_id;
};

static enum store_status
work_find(struct store *store, struct session_job *job)
{
	struct select *select = CONTAINER_OF(job, struct select, job);
	struct store_mailbox mailbox;
	enum store_status status = store_mailbox_find(store, select->name, select->arena, &mailbox);

	if (status == STORE_OK)
		select->mailbox_id = mailbox.id;
	return status;
}

/* RFC 3501 section 7.1: the number of the first message without \Seen. */
static void
write_unseen(const struct view *view, struct buffer *out)
{
	const struct state *state = view->state;

	if (state->unseen == 0)
		return;
	for (size_t i = 0; i < state->count; i++) {
		if ((state->messages[i].flags & STORE_FLAG_SEEN) != 0)
			continue;
		buffer_printf(out, "* OK [UNSEEN %u] the first that is not seen\r\n",
		    view_number(view, state->messages[i].uid));
		return;
	}
}

static void
write_mailbox(struct session *session, const struct select *select)
{
	struct view *view = session->view;
	struct buffer *out = session_out(session);

	view_write_flag_lines(view, out);
	imap_write_number_line(out, view_count(view), "EXISTS");
	if (session_has_recent(session)) {
		imap_write_number_line(out, view_recent_count(view), "RECENT");
		write_unseen(view, out);
	}
	buffer_printf(out, "* OK [UIDVALIDITY %u] of the UIDs\r\n", view->state->uidvalidity);
	buffer_printf(out, "* OK [UIDNEXT %u] the next one\r\n", view->state->uidnext);
	if (session_can(session, IMAP_CAN_CONDSTORE))
		buffer_printf(out, "* OK [HIGHESTMODSEQ %llu] of all changes\r\n",
		    (unsigned long long)view->state->highest_modseq);
	if (session_can(session, IMAP_CAN_OBJECTID)) {
		buffer_add_string(out, "* OK [MAILBOXID ");		/* RFC 8474 section 4.2 */
		objectid_write_mailbox(out, view->state->mailbox_id);
		buffer_add_string(out, "] of the mailbox\r\n");
	}
	if (session->is_rev2)
		oldname_write_list(session, "", select->name);
}

static void
on_ready(struct state_waiter *waiter, struct state *state)
{
	struct select *select = CONTAINER_OF(waiter, struct select, waiter);
	struct session *session = select->session;

	if (state->phase != STATE_READY) {
		enum store_status status = state->status;

		state_release(&state);
		session_finish_status(session, status);
	} else {
		session->view = view_new(state, select->is_read_only, session_on_change, session);
		session->selected_name = span_of(memory_copy_span(select->name), select->name.length);
		write_mailbox(session, select);
		session_finish_with(session, REPLY_DONE,
		    select->is_read_only ? SPAN("READ-ONLY") : SPAN("READ-WRITE"));
	}
	session_end_wait(session);
}

static void
open_state(struct session *session, struct select *select)
{
	select->waiter.on_ready = on_ready;
	session_begin_wait(session);
	state_hold(session->account, select->mailbox_id, &select->waiter);
}

static void
on_found(struct session *session, struct session_job *job, enum store_status status)
{
	struct select *select = CONTAINER_OF(job, struct select, job);

	if (status != STORE_OK)
		session_finish_status(session, status);
	else
		open_state(session, select);
}

void
cmd_select(struct session *session)
{
	struct select *select = ARENA_NEW(session->line->arena, struct select);
	struct state *state;

	if (session->line->select.has_qresync && !session->has_qresync) {
		session_finish(session, REPLY_BAD_QRESYNC);	/* RFC 7162 section 3.2.5 */
		return;
	}
	if (session->view != NULL) {
		session_unselect(session);
		buffer_add_string(session_out(session), "* OK [CLOSED] the one selected before\r\n");
	}
	session->has_condstore = session->has_condstore || session->line->select.has_condstore;
	select->session = session;
	select->arena = session->line->arena;
	select->name = session->line->select.mailbox;
	select->is_read_only = session->line->verb == IMAP_EXAMINE;
	if ((state = state_find_named(session->account, select->name)) != NULL) {
		select->mailbox_id = state->mailbox_id;
		open_state(session, select);
		return;
	}
	select->job.work = work_find;
	select->job.done = on_found;
	session_submit(session, &select->job, ACCOUNT_READ);
}
