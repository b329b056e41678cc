/*
 * Running a search.  Loop thread; work() and work_convert() on a worker.
 */
#include "run.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "charset.h"
#include "prefetch.h"

#define SLICE_KEYS     100000	/* tested on the loop in one turn, of one message or many */
#define MESSAGE_KEYS   8	/* that cost as much as a message without any */
#define OPEN_MAX       1024	/* messages left open that go to a worker together */
#define JOB_US	       15000	/* a job ends after about this long */

static void walk(struct session *session);

static void
end(struct session *session, enum reply reply)
{
	struct search_run *run = session->running;

	run->on_found(session, reply);
}

/* Worker: test what was left open for some milliseconds. */
static enum store_status
work(struct store *store, struct session_job *job)
{
	struct search_run *run = CONTAINER_OF(job, struct search_run, job);
	uint64_t until_us = clock_monotonic_us() + JOB_US;
	enum store_status status;
	bool is_ours;

	if ((status = store_read_begin(store, &is_ours)) != STORE_OK)
		return status;
	status = search_prefetch(&run->program, store, run->open, run->open_count, until_us, &run->prefetched);
	while (run->prefetched == run->open_count && run->tested < run->open_count && status == STORE_OK) {
		struct search_message *message = &run->open[run->tested];
		bool is_decided;

		status = search_match(&run->matcher, store, message, until_us, &message->is_hit, &is_decided);
		run->tested += is_decided;
		if (status == STORE_NOT_FOUND)		/* gone meanwhile: no hit */
			status = STORE_OK;
		if (clock_monotonic_us() >= until_us)
			break;
	}
	return store_read_end(store, is_ours, status);
}

static void
tell_progress(struct session *session)
{
	const struct search_run *run = session->running;

	uint32_t passed = run->limit > 0 ? run->result.last - run->next : run->next - 1;

	uint64_t done = run->before + passed - (run->open_count - run->tested);

	session_tell_progress(session, run->phases > 0 ? done / run->phases : done,
	    run->total > 0 ? run->total : run->result.last);
}

static void
on_tested(struct session *session, struct session_job *job, enum store_status status)
{
	struct search_run *run = CONTAINER_OF(job, struct search_run, job);

	if (status != STORE_OK) {
		end(session, reply_for(status));
		return;
	}
	if (session_reason_to_stop(session) != REPLY_DONE) {
		end(session, session_reason_to_stop(session));
		return;
	}
	if (run->tested < run->open_count) {
		tell_progress(session);
		session_submit_to(session, &run->job, run->view->state->account, ACCOUNT_READ);
		return;
	}
	for (size_t i = 0; i < run->open_count; i++) {
		if (run->open[i].is_hit)
			search_result_add(&run->result, run->open[i].number);
		search_recall_note(&run->recall, &run->open[i]);
	}
	run->open_count = run->prefetched = run->tested = 0;
	walk(session);
}

/* What imap_search_evaluate() asks for. */
struct test {
	struct search_recall *recall;
	const struct search_message *message;
};

static enum imap_truth
test_leaf(const struct imap_search_node *leaf, void *context)
{
	const struct test *test = context;

	return search_recall_test(test->recall, leaf, test->message);
}

/*
 * Whether a message may still be looked at.  So many count as the keys' sets leave, whatever is found: RFC 9738 section
 * 3.1.
 */
static bool
may_look_at(struct search_run *run, const struct search_message *message)
{
	if (run->limit == 0)
		return true;
	if (!search_program_covers(&run->program, message))
		return false;
	if (run->looked_at == run->limit) {
		run->lowest_uid = run->last_uid;
		run->next = 0;
		return false;
	}
	run->looked_at++;
	run->last_uid = message->message.uid;
	return true;
}

/* Leave a message to a worker. */
static void
leave_open(struct search_run *run, const struct search_message *message)
{
	struct search_message *open = &run->open[run->open_count];

	*open = *message;
	open->truths = run->truths + run->open_count * run->program.slot_count;
	search_recall_tell(&run->recall, open);
	run->open_count++;
}

/* Test one message with what is known. */
static void
test_message(struct search_run *run, const struct view_message *message)
{
	const struct search_message tested = { .number = message->number, .is_recent = message->is_recent,
		.message = message->message };
	struct test context = { &run->recall, &tested };

	if (!may_look_at(run, &tested))
		return;
	switch (imap_search_evaluate(run->program.search, test_leaf, &context, run->scratch)) {
	case IMAP_TRUE:
		search_result_add(&run->result, message->number);
		break;
	case IMAP_UNKNOWN:
		leave_open(run, &tested);
		break;
	case IMAP_FALSE:
		break;
	}
}

static bool
is_at_end(const struct search_run *run)
{
	return run->limit > 0 ? run->next == 0 : run->next > run->result.last;
}

/* The next message to be tested: by falling numbers if there is a limit, else past those that the keys' sets leave out. */
static bool
next_message(struct search_run *run, struct view_message *message_out)
{
	if (run->limit == 0) {
		run->next = search_program_from(&run->program, run->view, run->next);
		if (run->next == 0 || run->next > run->result.last)
			run->next = run->result.last + 1;
	}
	if (is_at_end(run))
		return false;
	view_message(run->view, run->limit > 0 ? run->next-- : run->next++, message_out);
	return true;
}

/* One slice of the mailbox: the more keys, the fewer messages. */
static void
walk(struct session *session)
{
	struct search_run *run = session->running;
	struct view_message message;

	if (session_reason_to_stop(session) != REPLY_DONE) {
		end(session, session_reason_to_stop(session));
		return;
	}
	tell_progress(session);
	search_program_refresh(&run->program, run->view);
	for (size_t keys = 0; keys < SLICE_KEYS && run->open_count < OPEN_MAX;
	    keys += MESSAGE_KEYS + run->program.search->node_count) {
		if (!next_message(run, &message))
			break;
		if (!message.is_ghost)
			test_message(run, &message);
	}
	if (run->open_count == OPEN_MAX || (run->open_count > 0 && is_at_end(run)))
		session_submit_to(session, &run->job, run->view->state->account, ACCOUNT_READ);
	else if (is_at_end(run))
		end(session, REPLY_DONE);
	else
		session_when_room(session, walk);
}

/* Worker: ask the index. */
static enum store_status
work_consult(struct store *store, struct session_job *job)
{
	struct search_run *run = CONTAINER_OF(job, struct search_run, job);

	return search_consult_ask(&run->consult, &run->program, store, clock_monotonic_us() + JOB_US, &run->is_consulted);
}

static void
note_consulted(struct session *session)
{
	struct search_run *run = session->running;

	if (session_reason_to_stop(session) != REPLY_DONE) {
		end(session, session_reason_to_stop(session));
	} else if (!search_consult_note(&run->consult, &run->recall)) {
		session_when_room(session, note_consulted);
	} else {
		run->job.work = work;
		run->job.done = on_tested;
		walk(session);
	}
}

static void
on_consulted(struct session *session, struct session_job *job, enum store_status status)
{
	struct search_run *run = CONTAINER_OF(job, struct search_run, job);

	if (status != STORE_OK)
		end(session, reply_for(status));
	else if (run->is_consulted)
		note_consulted(session);
	else if (session_reason_to_stop(session) != REPLY_DONE)
		end(session, session_reason_to_stop(session));
	else
		session_submit_to(session, &run->job, run->view->state->account, ACCOUNT_READ);
}

static void
consult(struct session *session)
{
	struct search_run *run = session->running;

	if (!search_consult_begin(&run->consult, &run->recall, run->view)) {
		walk(session);
		return;
	}
	run->job.work = work_consult;
	run->job.done = on_consulted;
	session_submit_to(session, &run->job, run->view->state->account, ACCOUNT_READ);
}

/* SEARCH alone can be answered in part, and ESEARCH that takes its place. */
static uint32_t
limit_of(const struct session *session)
{
	const struct search_run *run = session->running;
	const struct imap_command_line *line = session->line;
	bool is_search = line->verb == IMAP_SEARCH || (line->verb == IMAP_ESEARCH && line->sources.filter_count == 0);
	uint32_t limit = is_search ? session_message_limit(session) : 0;

	return view_count(run->view) > limit ? limit : 0;
}

static void
begin(struct session *session)
{
	const struct imap_search *program = &session->line->search;
	struct search_run *run = session->running;
	struct account *account = run->view->state->account;

	run->is_begun = true;
	run->limit = limit_of(session);
	run->next = run->limit > 0 ? view_count(run->view) : 1;
	run->job.work = work;
	run->job.done = on_tested;
	run->scratch = memory_new(program->node_count);
	run->open = memory_new_array(OPEN_MAX, sizeof *run->open);
	search_result_init(&run->result, run->view);
	search_program_init(&run->program, program, run->view, run->view == session->view ? &session->saved : NULL);
	search_recall_init(&run->recall, &run->program, account_insight_cache(account),
	    account_insights(account));
	run->truths = memory_new_array(OPEN_MAX, run->program.slot_count + 1);
	search_matcher_init(&run->matcher, &run->program);
	run->is_reading = program->nodes[0].cost != IMAP_COST_STATE;
	if (run->is_reading)
		account_begin_reading(account);
	consult(session);
}

/* The keys are in another charset. */
struct conversion {
	struct session_job job;
	struct imap_command_line *line;
	enum reply reply;
};

static enum store_status
work_convert(struct store *store, struct session_job *job)
{
	struct conversion *conversion = CONTAINER_OF(job, struct conversion, job);

	(void)store;
	conversion->reply = search_charset_convert(&conversion->line->search, conversion->line->arena);
	return STORE_OK;
}

static void
on_converted(struct session *session, struct session_job *job, enum store_status status)
{
	enum reply reply = status == STORE_OK ? CONTAINER_OF(job, struct conversion, job)->reply : reply_for(status);

	if (reply == REPLY_DONE)
		reply = session_reason_to_stop(session);
	if (reply == REPLY_DONE)
		begin(session);
	else
		end(session, reply);
}

static void
submit_conversion(struct session *session)
{
	struct conversion *conversion = ARENA_NEW(session->line->arena, struct conversion);

	conversion->line = session->line;
	conversion->job.work = work_convert;
	conversion->job.done = on_converted;
	session_submit(session, &conversion->job, ACCOUNT_READ);
}

/* Numbers in the criteria mean what they mean now: RFC 7162 section 3.2.10.2. */
static bool
has_numbers(const struct imap_search *program)
{
	for (size_t i = 0; i < program->node_count; i++)
		if (program->nodes[i].key == IMAP_SEARCH_SEQUENCE && !program->nodes[i].set.is_saved)
			return true;
	return false;
}

void
search_run_begin(struct session *session, struct search_run *run, const struct view *view,
    void (*on_found)(struct session *session, enum reply reply))
{
	const struct imap_search *program = &session->line->search;

	session->running = run;
	run->view = view;
	run->on_found = on_found;
	session->may_expunge = session->may_expunge && !has_numbers(program);
	if (program->has_modseq)
		session_begin_condstore(session);
	if (program->has_unknown_charset)
		end(session, REPLY_BAD_CHARSET);
	else if (program->charset.length > 0)
		submit_conversion(session);
	else
		begin(session);
}

void
search_run_save(struct session *session)
{
	struct search_run *run = session->running;
	size_t count;
	struct imap_range *ranges;

	search_result_reduce(&run->result, &session->line->search);
	ranges = search_result_uids(&run->result, &count);
	session_save_search(session, ranges, count);
	free(ranges);
}

void
search_run_fini(struct search_run *run)
{
	if (run->is_begun) {
		if (run->is_reading)
			account_end_reading(run->view->state->account);
		search_matcher_fini(&run->matcher);
		search_consult_fini(&run->consult);
		search_recall_fini(&run->recall);
		search_program_fini(&run->program);
		search_result_fini(&run->result);
		free(run->open);
		free(run->truths);
		free(run->scratch);
	}
	*run = (struct search_run){ .is_begun = false };
}

/* What was saved before must not be taken for what was to be saved now; BAD changes nothing: RFC 5182 section 2.1. */
void
search_run_finish(struct session *session, enum reply reply)
{
	if (session->line->search.return_options & IMAP_RETURN_SAVE && reply_words(reply)->condition == IMAP_NO)
		session_save_search(session, NULL, 0);
	search_run_fini(session->running);
	session->running = NULL;
	session_finish(session, reply);
}
