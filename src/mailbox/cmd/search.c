/*
 * SEARCH and UID SEARCH: RFC 9051 sections 6.4.4 and 6.4.9, RFC 3501 section 6.4.4, RFC 4731, RFC 5182,
 * RFC 7162 section 3.1.5.
 *
 * Each message is first tested with what the packed state knows, a slice a turn.  Those left open are tested
 * by workers, in jobs of some milliseconds: the user's other jobs come in between.  Loop thread.
 */
#include <stdlib.h>

#include "../search/charset.h"
#include "../search/match.h"
#include "../search/result.h"
#include "base/clock.h"
#include "base/memory.h"
#include "commands.h"

#define SLICE_MESSAGES 10000	/* tested on the loop in one turn */
#define OPEN_MAX       1024	/* messages left open that go to a worker together */
#define JOB_US	       15000	/* a job ends after about this long */
#define LIST_OCTETS    (64 * 1024)

struct search {
	struct session_job job;
	struct search_program program;
	struct search_result result;
	uint32_t next;			/* message number */
	bool is_reading;		/* account_begin_reading() */
	uint8_t *scratch;

	struct search_matcher matcher;	/* the worker's */
	struct search_message *open;
	size_t open_count;
	size_t tested;			/* of them */
};

static void walk(struct session *session);

/* What was saved before must not be taken for what was to be saved now; BAD changes nothing: RFC 5182 section 2.1. */
static void
forget_saved(struct session *session, enum reply reply)
{
	if (session->line->search.return_options & IMAP_RETURN_SAVE && reply_words(reply)->condition == IMAP_NO)
		session_save_search(session, NULL, 0);
}

static void
finish(struct session *session, enum reply reply)
{
	struct search *search = session->running;

	forget_saved(session, reply);
	if (search->is_reading)
		account_end_reading(session->account);
	search_matcher_fini(&search->matcher);
	search_program_fini(&search->program);
	search_result_fini(&search->result);
	free(search->open);
	free(search->scratch);
	session->running = NULL;
	session_finish(session, reply);
}

/* "* SEARCH" may be long: a piece at a time. */
static void
write_list(struct session *session)
{
	struct search *search = session->running;
	struct buffer *out = session_out(session);

	if (session_is_closing(session) ||
	    search_result_write_list(&search->result, session->line, out->length + LIST_OCTETS, out)) {
		finish(session, REPLY_DONE);
		return;
	}
	session_flush(session);
	session_when_room(session, write_list);
}

static void
save(struct session *session, unsigned returns)
{
	struct search *search = session->running;
	size_t count;
	struct imap_range *ranges = search_result_uids(&search->result, returns, &count);

	session_save_search(session, ranges, count);
	free(ranges);
}

/* Tell what was found. */
static void
answer(struct session *session)
{
	const struct imap_search *program = &session->line->search;
	struct search *search = session->running;
	unsigned returns = program->has_return ? program->return_options : IMAP_RETURN_ALL;

	if (returns & IMAP_RETURN_SAVE)
		save(session, returns & ~IMAP_RETURN_SAVE);
	if (!program->has_return && !session->is_rev2) {
		write_list(session);
		return;
	}
	returns &= ~IMAP_RETURN_SAVE;
	if (returns != 0)		/* RFC 5182 section 2.1: SAVE alone is answered by nothing */
		search_result_write_esearch(&search->result, session->line, returns, session_out(session));
	finish(session, REPLY_DONE);
}

/* Worker: test what was left open for some milliseconds. */
static enum store_status
work(struct store *store, struct session_job *job)
{
	struct search *search = CONTAINER_OF(job, struct search, job);
	uint64_t until_us = clock_monotonic_us() + JOB_US;
	enum store_status status = STORE_OK;

	while (search->tested < search->open_count && status == STORE_OK) {
		struct search_message *message = &search->open[search->tested++];

		status = search_match(&search->matcher, store, message, &message->is_hit);
		if (status == STORE_NOT_FOUND)		/* gone meanwhile: no hit */
			status = STORE_OK;
		if (clock_monotonic_us() >= until_us)
			break;
	}
	return status;
}

static void
tell_progress(struct session *session)
{
	const struct search *search = session->running;

	session_tell_progress(session, search->next - 1 - (uint32_t)(search->open_count - search->tested),
	    search->result.last);
}

static void
on_tested(struct session *session, struct session_job *job, enum store_status status)
{
	struct search *search = CONTAINER_OF(job, struct search, job);

	if (status != STORE_OK) {
		finish(session, reply_for(status));
		return;
	}
	if (session_is_closing(session)) {
		finish(session, REPLY_CANCELLED);
		return;
	}
	if (search->tested < search->open_count) {
		tell_progress(session);
		session_submit(session, &search->job, ACCOUNT_READ);
		return;
	}
	for (size_t i = 0; i < search->open_count; i++)
		if (search->open[i].is_hit)
			search_result_add(&search->result, search->open[i].number);
	search->open_count = search->tested = 0;
	walk(session);
}

/* What imap_search_evaluate() asks for. */
struct test {
	const struct search_program *program;
	const struct search_message *message;
};

static enum imap_truth
test_leaf(const struct imap_search_node *leaf, void *context)
{
	const struct test *test = context;

	return search_test_state(test->program, leaf, test->message);
}

/* Test one message with what the state knows. */
static void
test_message(struct search *search, const struct view_message *message)
{
	const struct search_message tested = { .number = message->number, .is_recent = message->is_recent,
		.message = message->message };
	struct test context = { &search->program, &tested };

	switch (imap_search_evaluate(search->program.search, test_leaf, &context, search->scratch)) {
	case IMAP_TRUE:
		search_result_add(&search->result, message->number);
		break;
	case IMAP_UNKNOWN:
		search->open[search->open_count++] = tested;
		break;
	case IMAP_FALSE:
		break;
	}
}

/* One slice of the mailbox. */
static void
walk(struct session *session)
{
	struct search *search = session->running;
	struct view_message message;

	if (session_is_closing(session)) {
		finish(session, REPLY_CANCELLED);
		return;
	}
	tell_progress(session);
	search_program_refresh(&search->program, session->view);
	for (unsigned i = 0; i < SLICE_MESSAGES && search->open_count < OPEN_MAX; i++) {
		if (search->next > search->result.last)
			break;
		view_message(session->view, search->next++, &message);
		if (!message.is_ghost)
			test_message(search, &message);
	}
	if (search->open_count == OPEN_MAX || (search->open_count > 0 && search->next > search->result.last))
		session_submit(session, &search->job, ACCOUNT_READ);
	else if (search->next > search->result.last)
		answer(session);
	else
		session_when_room(session, walk);
}

static void
begin(struct session *session, struct imap_search *program)
{
	struct search *search = ARENA_NEW(session->line->arena, struct search);

	search->next = 1;
	search->job.work = work;
	search->job.done = on_tested;
	search->scratch = memory_new(program->node_count);
	search->open = memory_new_array(OPEN_MAX, sizeof *search->open);
	search_result_init(&search->result, session->view);
	session->running = search;
	search_program_init(&search->program, program, session->view, &session->saved);
	search_matcher_init(&search->matcher, &search->program);
	search->is_reading = program->nodes[0].cost != IMAP_COST_STATE;
	if (search->is_reading)
		account_begin_reading(session->account);
	walk(session);
}

static void
refuse(struct session *session, enum reply reply)
{
	forget_saved(session, reply);
	session_finish(session, reply);
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

	if (reply == REPLY_DONE && session_is_closing(session))
		reply = REPLY_CANCELLED;
	if (reply == REPLY_DONE)
		begin(session, &session->line->search);
	else
		refuse(session, reply);
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
cmd_search(struct session *session)
{
	struct imap_search *program = &session->line->search;

	session->may_expunge = session->may_expunge && !has_numbers(program);
	if (program->has_modseq)
		session_begin_condstore(session);
	if (program->has_charset && session->has_utf8)		/* RFC 6855 section 3 */
		refuse(session, REPLY_BAD_ARGUMENT);
	else if (program->has_unknown_charset)
		refuse(session, REPLY_BAD_CHARSET);
	else if (program->charset.length > 0)
		submit_conversion(session);
	else
		begin(session, program);
}
