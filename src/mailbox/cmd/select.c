/*
 * SELECT and EXAMINE: RFC 9051 sections 6.3.2 and 6.3.3, RFC 3501 section 6.3.1, RFC 7162 sections 3.1.2.1, 3.1.8,
 * 3.2.5 and 3.2.11.
 */
#include "../session/door.h"
#include "../session/earlier.h"
#include "../session/oldname.h"
#include "../session/rights.h"
#include "../shared/objectid.h"
#include "commands.h"

#define SLICE_OCTETS (64 * 1024)	/* of changes, written in one turn */

struct select {
	struct session_job job;
	struct state_waiter waiter;
	struct session *session;
	struct arena *arena;
	struct door door;
	bool is_read_only;
	uint64_t mailbox_id;

	/* QRESYNC: what has vanished and what has changed since the client was here. */
	struct state *state;		/* held, until a view has it */
	struct earlier earlier;
	struct imap_sequence known_uids;
	struct view_set known;
	struct view_changes changes;
};

static enum store_status
work_find(struct store *store, struct session_job *job)
{
	struct select *select = CONTAINER_OF(job, struct select, job);
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, &select->door, select->arena, &mailbox);

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
write_mailbox(struct session *session)
{
	struct view *view = session->view;
	struct buffer *out = session_out(session);

	view_write_flag_lines(view, out);
	imap_write_number_line(out, view_count(view), "EXISTS");
	if (session_has_recent(session)) {
		view_write_recent(view, out);
		if (!session->is_uid_only)
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
		oldname_write_list(session, "", session->line->select.mailbox);
}

static void
finish(struct session *session)
{
	session_finish_with(session, REPLY_DONE, session->view->is_read_only ? SPAN("READ-ONLY") : SPAN("READ-WRITE"));
}

/* One slice of what has changed; nothing is announced meanwhile, so numbers stay. */
static void
write_changes(struct session *session)
{
	struct select *select = session->running;
	const struct state *state = session->view->state;
	struct buffer *out = session_out(session);
	enum view_step step = VIEW_PAUSE;
	struct view_message message;

	while (out->length < SLICE_OCTETS && !session_is_closing(session) &&
	    (step = view_changes_next(&select->changes, &message)) == VIEW_MESSAGE)
		imap_write_fetch_flags(out, session->is_uid_only ? 0 : message.number, message.message.uid, message.message.flags,
		    &state->keywords->all, session_has_recent(session) && message.is_recent,
		    message.message.modseq);
	if (step == VIEW_END || session_is_closing(session))
		finish(session);
	else
		session_when_room(session, write_changes);
}

static void
on_written(struct session *session, struct earlier *earlier)
{
	struct select *select = CONTAINER_OF(earlier, struct select, earlier);

	session->running = select;
	select->known = (struct view_set){ .view = session->view, .sequence = &select->known_uids, .is_uid = true };
	select->changes = (struct view_changes){ .set = &select->known, .since = earlier->since };
	write_changes(session);
}

/*
 * The last UID of which the client knows the right message number, or 0.  With a pair that fits, all before it fit:
 * the mailbox has as many messages up to there as the client, and none that the client has not.  RFC 7162 section
 * 3.2.5.2.
 */
static uint32_t
matched_uid(const struct view *view, const struct imap_select *request)
{
	uint64_t low = 0, high = imap_sequence_size(&request->match_numbers);

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		uint32_t number = imap_sequence_at(&request->match_numbers, middle);

		if (view_number(view, imap_sequence_at(&request->match_uids, middle)) == number)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? 0 : imap_sequence_at(&request->match_uids, low - 1);
}

/* The remaining parameters count only for the same UIDs: RFC 7162 section 3.2.5. */
static bool
may_resync(const struct session *session, const struct state *state)
{
	const struct imap_select *request = &session->line->select;

	return request->has_qresync && request->qresync_uid_validity == state->uidvalidity;
}

/* Without known UIDs all are: RFC 7162 section 3.2.5.1. */
static void
resync(struct session *session, struct select *select)
{
	static struct imap_range all = { 1, UINT32_MAX };
	const struct imap_select *request = &session->line->select;

	select->known_uids = request->has_known_uids ? request->known_uids
						      : (struct imap_sequence){ .ranges = &all, .count = 1 };
	select->earlier.on_written = on_written;
	earlier_choose(session, &select->earlier, &select->known_uids, matched_uid(session->view, request));
	earlier_write(session, &select->earlier);
}

static void
look(struct session *session, struct select *select)
{
	struct span name = session->line->select.mailbox;

	session->view = view_new_with(select->state, select->is_read_only, select->door.who, select->door.granted,
	    session_on_change, session);
	select->state = NULL;
	if (session->has_condstore)
		view_keep_known(session->view);
	session->selected_name = span_of(memory_copy_span(name), name.length);
	write_mailbox(session);
	rights_look(session);		/* they may have changed since they were found */
	if (may_resync(session, session->view->state))
		resync(session, select);
	else
		finish(session);
}

static void
on_read(struct session *session, struct earlier *earlier, enum store_status status)
{
	struct select *select = CONTAINER_OF(earlier, struct select, earlier);

	if (status == STORE_OK && select->state->phase != STATE_READY)
		status = select->state->status;
	if (status == STORE_OK) {
		look(session, select);
		return;
	}
	state_release(&select->state);
	session_finish_status(session, status);
}

static void
on_ready(struct state_waiter *waiter, struct state *state)
{
	struct select *select = CONTAINER_OF(waiter, struct select, waiter);
	struct session *session = select->session;

	select->state = state;
	select->earlier.on_read = on_read;
	select->earlier.since = session->line->select.qresync_modseq;
	if (state->phase == STATE_READY && may_resync(session, state))
		earlier_read(session, &select->earlier, state);
	else
		on_read(session, &select->earlier, STORE_OK);
	session_end_wait(session);
}

static void
open_state(struct session *session, struct select *select)
{
	select->waiter.on_ready = on_ready;
	session_begin_wait(session);
	state_hold_for(select->door.account, select->mailbox_id, select->door.viewer, &select->waiter);
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
	authorize(session, select->arena, session->line->select.mailbox, IMAP_RIGHT_READ, &select->door);
	select->is_read_only = session->line->verb == IMAP_EXAMINE;
	if ((state = door_state(&select->door)) != NULL) {
		select->mailbox_id = state->mailbox_id;
		open_state(session, select);
		return;
	}
	select->job.work = work_find;
	select->job.done = on_found;
	session_submit_to(session, &select->job, select->door.account, ACCOUNT_READ);
}
