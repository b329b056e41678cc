/*
 * STATUS: RFC 9051 section 6.3.11.  Answered from the state if there is one, else from the mailbox's row,
 * without opening it.
 */
#include "../session/hold.h"
#include "../shared/role.h"
#include "../shared/status_items.h"
#include "../shared/status_rows.h"
#include "commands.h"
#include "config/config.h"

struct status {
	struct session_job job;
	struct hold hold;
	struct arena *arena;
	struct door door;
	const char *name;		/* as the client says it */
	struct status_style style;
	struct buffer out;
	size_t ahead;			/* how many rows to read at most */
	uint64_t changes;		/* for status_rows_add() */
	struct store_mailbox *rows;	/* these, from the one that was asked for on */
	size_t row_count;
	uint64_t mailbox_id;
	bool needs_state;		/* UNSEEN, where \Seen is the user's own */
};

/* The owner of a file needs no right in it. */
static bool
is_own(const struct status *request)
{
	return request->door.who == NULL;
}

static enum store_status
work_status(struct store *store, struct session_job *job)
{
	struct status *request = CONTAINER_OF(job, struct status, job);
	enum store_status status = door_find_from(store, &request->door, request->ahead, request->arena, &request->rows,
	    &request->row_count);
	struct store_mailbox mailbox;

	if (status != STORE_OK)
		return status;
	mailbox = request->rows[0];
	request->mailbox_id = mailbox.id;
	request->needs_state = request->door.viewer != NULL && (request->style.items & IMAP_STATUS_UNSEEN) != 0;
	if (request->needs_state)
		return STORE_OK;
	mailbox.name = request->name;
	return status_write_stored(&request->out, store, &mailbox, &request->style);
}

static uint64_t
now_us(const struct session *session)
{
	return loop_now_us(session->role->parts.loop);
}

static const struct store_mailbox *
known_row(const struct session *session, const struct status *request)
{
	return is_own(request) ? status_rows_find(account_status_rows(request->door.account), now_us(session), request->door.name) :
		NULL;
}

static void
write_from_row(struct session *session, const struct status *request, const struct store_mailbox *row)
{
	struct store_mailbox mailbox = *row;

	mailbox.name = request->name;
	status_write(session_out(session), &mailbox, 0, &request->style);
}

static void
write_from_state(struct session *session, const struct status *request, const struct state *state)
{
	struct store_mailbox mailbox;

	state_row(state, &mailbox);
	mailbox.name = request->name;
	status_write(session_out(session), &mailbox, state_recent_count(state), &request->style);
}

static void
on_held(struct session *session, struct hold *hold, struct state *state, enum store_status status)
{
	const struct status *request = CONTAINER_OF(hold, struct status, hold);

	if (status == STORE_OK) {
		write_from_state(session, request, state);
		state_release(&state);
	}
	session_finish_status(session, status);
}

static void
on_status(struct session *session, struct session_job *job, enum store_status status)
{
	struct status *request = CONTAINER_OF(job, struct status, job);

	if (status == STORE_OK && request->needs_state) {
		request->hold = (struct hold){ .account = request->door.account, .mailbox_id = request->mailbox_id,
			.viewer = request->door.viewer, .done = on_held };
		hold_begin(session, &request->hold);
		return;
	}
	if (status == STORE_OK && is_own(request))
		status_rows_add(account_status_rows(request->door.account), request->changes, now_us(session), request->rows,
		    request->row_count);
	if (status == STORE_OK)
		buffer_add_span(session_out(session), buffer_span(&request->out));
	buffer_free(&request->out);
	session_finish_status(session, status);
}

void
cmd_status(struct session *session)
{
	struct status *request = ARENA_NEW(session->line->arena, struct status);
	const struct store_mailbox *row;
	const struct state *state;
	struct status_rows *rows;

	if ((session->line->status.items & IMAP_STATUS_HIGHESTMODSEQ) != 0)
		session_begin_condstore(session);
	request->arena = session->line->arena;
	request->name = arena_copy_string(request->arena, session->line->status.mailbox);
	authorize(session, request->arena, session->line->status.mailbox, IMAP_RIGHT_READ, &request->door);
	request->style.items = session->line->status.items;
	request->style.is_utf8 = session_is_utf8(session);
	request->style.append_limit = session->role->parts.config->message_size_limit_octets;
	if ((state = door_state(&request->door)) != NULL) {
		write_from_state(session, request, state);
		session_finish(session, REPLY_DONE);
		return;
	}
	row = known_row(session, request);
	if (row != NULL && status_is_in_row(row, &request->style)) {
		write_from_row(session, request, row);
		session_finish(session, REPLY_DONE);
		return;
	}
	rows = account_status_rows(request->door.account);
	request->ahead = row != NULL ? 1 : status_rows_ahead(rows);	/* a known one lacks what is recent, and so would those behind it */
	request->changes = rows->changes;
	request->job.work = work_status;
	request->job.done = on_status;
	session_submit_to(session, &request->job, request->door.account, ACCOUNT_READ);
}
