/*
 * STATUS: RFC 9051 section 6.3.11.  Answered from the state if there is one, else from the mailbox's row,
 * without opening it.
 */
#include "../session/door.h"
#include "../shared/status_items.h"
#include "../shared/role.h"
#include "../shared/state.h"
#include "commands.h"
#include "config/config.h"

struct status {
	struct session_job job;
	struct arena *arena;
	struct door door;
	struct status_style style;
	struct buffer out;
};

static enum store_status
work_status(struct store *store, struct session_job *job)
{
	struct status *request = CONTAINER_OF(job, struct status, job);
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, &request->door, request->arena, &mailbox);

	return status != STORE_OK ? status : status_write_stored(&request->out, store, &mailbox,
						   &request->style);
}

static void
on_status(struct session *session, struct session_job *job, enum store_status status)
{
	struct status *request = CONTAINER_OF(job, struct status, job);

	if (status == STORE_OK)
		buffer_add_span(session_out(session), buffer_span(&request->out));
	buffer_free(&request->out);
	session_finish_status(session, status);
}

static void
answer_from_state(struct session *session, const struct state *state, const struct status_style *style)
{
	struct store_mailbox mailbox;

	state_row(state, &mailbox);
	status_write(session_out(session), &mailbox, state_recent_count(state), style);
	session_finish(session, REPLY_DONE);
}

void
cmd_status(struct session *session)
{
	struct status *request = ARENA_NEW(session->line->arena, struct status);
	const struct state *state;

	if ((session->line->status.items & IMAP_STATUS_HIGHESTMODSEQ) != 0)
		session_begin_condstore(session);
	request->arena = session->line->arena;
	authorize(session, request->arena, session->line->status.mailbox, IMAP_RIGHT_READ, &request->door);
	request->style.items = session->line->status.items;
	request->style.is_utf8 = session_is_utf8(session);
	request->style.append_limit = session->role->parts.config->message_size_limit_octets;
	if ((state = door_state(&request->door)) != NULL) {
		answer_from_state(session, state, &request->style);
		return;
	}
	request->job.work = work_status;
	request->job.done = on_status;
	session_submit_to(session, &request->job, request->door.account, ACCOUNT_READ);
}
