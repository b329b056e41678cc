/*
 * What the commands of a session stand on: its phase, output to its client, jobs on its store, and the mailbox
 * it has selected.  Loop thread.
 */
#include <assert.h>
#include <stdlib.h>

#include "../shared/role.h"
#include "base/clock.h"
#include "base/log.h"
#include "budget.h"
#include "counting.h"
#include "ground.h"
#include "link/link.h"
#include "net/deflate.h"
#include "net/stream.h"
#include "protocol.h"
#include "onlook.h"

#define CLOSE_MS 10000

#define BIT(phase) (1u << (phase))

static const struct {
	const char *name;
	unsigned next;
} phases[SESSION_PHASE_COUNT] = {
	[SESSION_READY]	    = { "ready", BIT(SESSION_RUNNING) | BIT(SESSION_CLOSING) },
	[SESSION_RUNNING]   = { "running", BIT(SESSION_READY) | BIT(SESSION_APPENDING) |
				    BIT(SESSION_LISTENING) | BIT(SESSION_CLOSING) },
	[SESSION_APPENDING] = { "appending", BIT(SESSION_RUNNING) | BIT(SESSION_READY) | BIT(SESSION_CLOSING) },
	[SESSION_LISTENING] = { "listening", BIT(SESSION_RUNNING) | BIT(SESSION_CLOSING) },
	[SESSION_CLOSING]   = { "closing", 0 },
};

void
session_enter(struct session *session, enum session_phase next)
{
	assert(phases[session->phase].next & BIT(next));
	log_debug("session-phase", log_text("sid", session->sid), log_text("from", phases[session->phase].name),
	    log_text("to", phases[next].name));
	session->phase = next;
}

void
session_begin_line(struct session *session, struct imap_command_line *line)
{
	enum imap_numbers numbers = imap_commands[line->verb].numbers;

	assert(session->line == NULL);
	session->line = line;
	session->verb = line->verb;
	session->progress_us = loop_now_us(session->role->parts.loop);
	session->command_us = clock_monotonic_us();
	session->may_expunge = numbers == IMAP_NUMBERS_MAY_MOVE ||
	    (numbers == IMAP_NUMBERS_MUST_STAY && line->is_uid);
}

bool
session_is_closing(const struct session *session)
{
	return session->phase == SESSION_CLOSING;
}

void
session_schedule(struct session *session)
{
	deferred_schedule(session->role->parts.loop, &session->deferred);
}

/* Output. */

struct buffer *
session_out(struct session *session)
{
	return &session->out;
}

void
session_flush(struct session *session)
{
	if (session->onlooker != NULL && session->stream != NULL)
		session_show_output(session, buffer_span(&session->out));
	if (session->stream == NULL)
		buffer_clear(&session->out);
	else if (session->out.length > 4096)
		stream_write_buffer(session->stream, &session->out);
	else if (session->out.length > 0)
		stream_write(session->stream, buffer_span(&session->out));
	buffer_clear(&session->out);
}

void
session_write_buffer(struct session *session, struct buffer *batch)
{
	session_flush(session);
	if (session->onlooker != NULL)
		session_show_output(session, buffer_span(batch));
	if (session->stream == NULL)
		buffer_free(batch);
	else
		stream_write_buffer(session->stream, batch);
}

void
session_write_shared(struct session *session, struct span octets, stream_release *release, void *context)
{
	session_flush(session);
	if (session->onlooker != NULL)
		session_show_output(session, octets);
	if (session->stream == NULL)
		release(octets.at, octets.length, context);
	else
		stream_write_shared(session->stream, octets, release, context);
}

bool
session_has_room(const struct session *session)
{
	return session->stream == NULL || stream_output_length(session->stream) <= SESSION_OUTPUT_LOW;
}

bool
session_has_room_ahead(const struct session *session)
{
	return session->stream == NULL ||
	    stream_output_length(session->stream) <= SESSION_OUTPUT_MAX - SESSION_BATCH_OCTETS;
}

void
session_when_room(struct session *session, void (*on_room)(struct session *session))
{
	session->on_room = on_room;
	session_flush(session);
	if (session_has_room(session))
		session_schedule(session);
}

void
session_on_drained(struct stream *stream, void *context)
{
	struct session *session = context;

	(void)stream;
	if (session->is_idling || session->notify != NULL)
		session_on_change(session);
	session_schedule(session);
}

/* Closing. */

static void
log_logout(const struct session *session)
{
	if (session->user != NULL)
		log_info("logout", log_text("sid", session->sid), log_text("user", session->user),
		    log_number("in", (int64_t)stream_octets_in(session->stream)),
		    log_number("out", (int64_t)stream_octets_out(session->stream)));
}

void
session_begin_closing(struct session *session, enum metric_reason why)
{
	session->end_reason = why;
	timer_stop(&session->timer);
	session_enter(session, SESSION_CLOSING);
	session_schedule(session);
}

void
session_close(struct session *session, enum metric_reason why)
{
	if (session_is_closing(session))
		return;
	log_logout(session);
	session_flush(session);
	session_end_onlook(session);
	session_log_end(session);
	stream_close_after_flush(&session->stream, CLOSE_MS);
	session_begin_closing(session, why);
}

void
session_give_back(struct session *session)
{
	log_logout(session);
	session_flush(session);
	session_end_onlook(session);
	session_log_end(session);
	stream_end_deflated_output(session->stream);
	link_give_back(session->role->parts.link, &session->stream, span_from_string(session->return_word));
	session_begin_closing(session, METRIC_LOGOUT);
}

struct stream *
session_take_stream(struct session *session)
{
	struct stream *stream = session->stream;

	session_flush(session);
	session->stream = NULL;
	session_begin_closing(session, METRIC_LOGOUT);
	return stream;
}

void
session_bye(struct session *session, enum metric_reason why, const char *code, const char *text)
{
	if (session_is_closing(session))
		return;
	imap_write_condition(&session->out, SPAN("*"), IMAP_BYE,
	    code == NULL ? (struct span){ NULL, 0 } : span_from_string(code), span_from_string(text));
	session_close(session, why);
}

void
session_join(struct session *session)
{
	list_remove(&session->link);
	session->place = ++session->role->joined;
	list_push_back(&session->role->sessions, &session->link);
}

void
session_leave(struct session *session, enum metric_reason why, const char *code, const char *text)
{
	session->end_reason = why;
	session->is_leaving = true;
	session->farewell_code = code;
	session->farewell = text;
	session_schedule(session);
}

/* Jobs. */

void
session_begin_wait(struct session *session)
{
	session->jobs++;
}

void
session_end_wait(struct session *session)
{
	assert(session->jobs > 0);
	session->jobs--;
	if (session_is_closing(session))
		session_schedule(session);
}

static enum store_status
work_session_job(struct store *store, struct account_job *job)
{
	struct session_job *session_job = CONTAINER_OF(job, struct session_job, job);
	uint64_t since_us = session_job->is_measured ? clock_thread_us() : 0;
	enum store_status status = session_job->work(store, session_job);

	if (session_job->is_measured)
		session_job->cpu_us = clock_thread_us() - since_us;
	return status;
}

static void
on_session_job(struct account_job *job)
{
	struct session_job *session_job = CONTAINER_OF(job, struct session_job, job);
	struct session *session = session_job->session;
	struct account *account = job->account;		/* done() may free the job */
	bool is_measured = session_job->is_measured;
	uint64_t since_us = is_measured ? clock_thread_us() : 0;

	budget_note_job(session, session_job->cpu_us);
	account_set_actor(account, session);
	session_job->done(session, session_job, job->status);
	account_set_actor(account, NULL);
	if (is_measured)
		budget_note_turn(session, since_us);
	session_end_wait(session);
}

void
session_submit_to(struct session *session, struct session_job *job, struct account *account, enum account_kind kind)
{
	session_begin_wait(session);
	job->session = session;
	job->cpu_us = 0;
	job->is_measured = budget_is_step(session);
	job->job.kind = kind;
	job->job.work = work_session_job;
	job->job.done = on_session_job;
	account_submit(account, &job->job);
}

void
session_submit(struct session *session, struct session_job *job, enum account_kind kind)
{
	session_submit_to(session, job, session->account, kind);
}

/* The selected mailbox. */

void
session_unselect(struct session *session)
{
	view_free(&session->view);
	free((void *)session->selected_name.at);
	session->selected_name = (struct span){ NULL, 0 };
	session_save_search(session, NULL, 0);
	session->selections++;
	count_state(session);
}

bool
session_has_lost_view(const struct session *session)
{
	return session->view != NULL && (view_is_revoked(session->view) || session->view->state->phase == STATE_GONE);
}

/* The state has changed: tell it behind all that changes in this turn. */
void
session_on_change(void *context)
{
	struct session *session = context;

	if (session->is_idling || session->notify != NULL || session_has_lost_view(session))
		deferred_schedule(session->role->parts.loop, &session->news);
}

void
session_begin_idle(struct session *session)
{
	session->is_idling = true;
	count_state(session);
	if (session->stream != NULL)
		stream_rest_deflate(session->stream, true);
	session_on_change(session);
}

void
session_end_idle(struct session *session)
{
	session->is_idling = false;
	count_state(session);
	if (session->stream != NULL)
		stream_rest_deflate(session->stream, false);
}

void
session_save_search(struct session *session, const struct imap_range *uids, size_t count)
{
	struct imap_range *ranges = NULL;

	if (count > 0) {
		ranges = memory_new_array(count, sizeof ranges[0]);
		memcpy(ranges, uids, count * sizeof ranges[0]);
	}
	free(session->saved.ranges);
	session->saved = (struct imap_sequence){ .ranges = ranges, .count = count };
}
