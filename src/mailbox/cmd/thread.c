/*
 * THREAD and UID THREAD: RFC 5256 section 3, draft-ietf-morg-inthread.  What the search has found is gathered, then put
 * in threads by workers, then told a piece at a time.  Loop thread.
 */
#include "../sort/thread.h"
#include "base/clock.h"
#include "commands.h"

#define JOB_US	    15000		/* a job ends after about this long */
#define LIST_OCTETS (64 * 1024)

struct threading {
	struct sort_gather gather;
	struct session_job job;
	enum imap_thread_algorithm algorithm;
	struct thread thread;
	bool is_begun, is_done;		/* the thread */
	size_t octets;			/* that it holds, as the last job left it */
	const uint32_t *list;		/* of the thread, or remembered */
	size_t count, told;		/* of its tokens */
	bool needs_space;		/* a number came last */
};

static void submit(struct session *session);

static void
finish(struct session *session, enum reply reply)
{
	struct threading *threading = session->running;

	thread_fini(&threading->thread);
	sort_gather_finish(session, reply);
}

/* Write what comes next, until all is told or out is long enough. */
static bool
write_tokens(struct session *session, struct buffer *out)
{
	struct threading *threading = session->running;
	size_t limit = out->length + LIST_OCTETS;

	for (; threading->told < threading->count && out->length < limit; threading->told++) {
		uint32_t token = threading->list[threading->told];

		if (token == THREAD_CLOSE) {
			buffer_add_octet(out, ')');
			threading->needs_space = false;
			continue;
		}
		if (threading->needs_space)
			buffer_add_octet(out, ' ');
		threading->needs_space = token != THREAD_OPEN;
		if (token == THREAD_OPEN)
			buffer_add_octet(out, '(');
		else
			buffer_add_number(out, sort_gather_name(session, token));
	}
	return threading->told == threading->count;
}

/* The list may be long: a piece at a time. */
static void
write_list(struct session *session)
{
	struct buffer *out = session_out(session);

	if (session_is_closing(session)) {
		finish(session, REPLY_DONE);
	} else if (write_tokens(session, out)) {
		buffer_add_span(out, SPAN("\r\n"));
		finish(session, REPLY_DONE);
	} else {
		session_flush(session);
		session_when_room(session, write_list);
	}
}

static void
answer(struct session *session, struct span list)
{
	struct threading *threading = session->running;

	threading->list = (const void *)list.at;
	threading->count = list.length / sizeof *threading->list;
	buffer_add_string(session_out(session), list.length > 0 ? "* THREAD " : "* THREAD");
	write_list(session);
}

static void
begin(struct threading *threading)
{
	struct sort_gather *gather = &threading->gather;

	thread_init(&threading->thread, threading->algorithm, gather->keys, gather->messages, gather->count);
	threading->is_begun = true;
}

static enum store_status
work(struct store *store, struct session_job *job)
{
	struct threading *threading = CONTAINER_OF(job, struct threading, job);
	uint64_t until_us = clock_monotonic_us() + JOB_US;

	(void)store;
	if (!threading->is_begun)
		begin(threading);
	do
		threading->is_done = thread_advance(&threading->thread);
	while (!threading->is_done && clock_monotonic_us() < until_us);
	threading->octets = thread_octets(&threading->thread);
	return STORE_OK;
}

static void
on_worked(struct session *session, struct session_job *job, enum store_status status)
{
	struct threading *threading = CONTAINER_OF(job, struct threading, job);

	if (status != STORE_OK) {
		finish(session, reply_for(status));
	} else if (session_reason_to_stop(session) != REPLY_DONE) {
		finish(session, session_reason_to_stop(session));
	} else if (threading->thread.is_too_much || !sort_gather_note(session, threading->octets)) {
		finish(session, REPLY_LIMIT);
	} else if (threading->is_done) {
		if (threading->thread.list.length > 0)
			sort_gather_remember(session, buffer_span(&threading->thread.list));
		answer(session, buffer_span(&threading->thread.list));
	} else {
		submit(session);
	}
}

static void
submit(struct session *session)
{
	struct threading *threading = session->running;
	uint64_t total = 0, done = thread_steps(&threading->thread, &total);

	sort_gather_tell_order(session, done, total);
	threading->job.work = work;
	threading->job.done = on_worked;
	session_submit_to(session, &threading->job, session->view->state->account, ACCOUNT_READ);
}

static void
on_gathered(struct session *session, enum reply reply)
{
	struct threading *threading = session->running;

	if (reply != REPLY_DONE)
		finish(session, reply);
	else if (threading->gather.answer.length > 0)
		answer(session, buffer_span(&threading->gather.answer));
	else
		submit(session);
}

void
cmd_thread(struct session *session)
{
	struct threading *threading = ARENA_NEW(session->line->arena, struct threading);

	threading->algorithm = session->line->thread;
	threading->gather.needs_keys = true;
	threading->gather.fields = thread_fields(session->line->thread);
	buffer_add_octet(&threading->gather.question, IMAP_THREAD);
	buffer_add_octet(&threading->gather.question, (uint8_t)session->line->thread);
	threading->gather.on_gathered = on_gathered;
	sort_gather_begin(session, &threading->gather);
}
