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
	struct thread thread;
	bool is_done;
};

static void submit(struct session *session);

static bool
take(struct sort_gather *gather, const struct sort_message *message, const struct store_ordering *ordering)
{
	return thread_add(&CONTAINER_OF(gather, struct threading, gather)->thread, message, ordering);
}

static void
finish(struct session *session, enum reply reply)
{
	struct threading *threading = session->running;

	thread_fini(&threading->thread);
	sort_gather_finish(session, reply);
}

static uint32_t
number_itself(uint32_t number, const void *context)
{
	(void)context;
	return number;
}

static uint32_t
uid_of(uint32_t number, const void *context)
{
	return view_uid(context, number);
}

/* The list may be long: a piece at a time. */
static void
write_list(struct session *session)
{
	struct threading *threading = session->running;
	struct buffer *out = session_out(session);

	if (session_is_closing(session)) {
		finish(session, REPLY_DONE);
	} else if (thread_write(&threading->thread, session->line->is_uid ? uid_of : number_itself, session->view,
	    out->length + LIST_OCTETS, out)) {
		buffer_add_span(out, SPAN("\r\n"));
		finish(session, REPLY_DONE);
	} else {
		session_flush(session);
		session_when_room(session, write_list);
	}
}

static enum store_status
work(struct store *store, struct session_job *job)
{
	struct threading *threading = CONTAINER_OF(job, struct threading, job);
	uint64_t until_us = clock_monotonic_us() + JOB_US;

	(void)store;
	do
		threading->is_done = thread_advance(&threading->thread);
	while (!threading->is_done && clock_monotonic_us() < until_us);
	return STORE_OK;
}

static void
on_worked(struct session *session, struct session_job *job, enum store_status status)
{
	struct threading *threading = CONTAINER_OF(job, struct threading, job);

	if (status != STORE_OK) {
		finish(session, reply_for(status));
	} else if (session_is_closing(session)) {
		finish(session, REPLY_CANCELLED);
	} else if (threading->is_done) {
		buffer_add_string(session_out(session), threading->thread.sorter.count > 0 ? "* THREAD " : "* THREAD");
		write_list(session);
	} else {
		submit(session);
	}
}

static void
submit(struct session *session)
{
	struct threading *threading = session->running;

	threading->job.work = work;
	threading->job.done = on_worked;
	session_submit(session, &threading->job, ACCOUNT_READ);
}

static void
on_gathered(struct session *session, enum reply reply)
{
	if (reply == REPLY_DONE)
		submit(session);
	else
		finish(session, reply);
}

void
cmd_thread(struct session *session)
{
	struct threading *threading = ARENA_NEW(session->line->arena, struct threading);

	thread_init(&threading->thread, session->line->thread);
	threading->gather.has_orderings = true;
	threading->gather.fields = thread_fields(session->line->thread);
	threading->gather.take = take;
	threading->gather.on_gathered = on_gathered;
	sort_gather_begin(session, &threading->gather);
}
