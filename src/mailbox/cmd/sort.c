/*
 * SORT and UID SORT: RFC 5256 section 3, RFC 5957, RFC 5267 section 3.1, RFC 7162 sections 3.1.9 and 3.1.10,
 * RFC 9394.
 *
 * What the search has found is gathered, then sorted by workers in jobs of some milliseconds, then told a piece at a
 * time.  Loop thread.
 */
#include <stdlib.h>

#include "../sort/sorter.h"
#include "base/clock.h"
#include "commands.h"
#include "imap/writer.h"

#define JOB_US	    15000		/* a job ends after about this long */
#define LIST_OCTETS (64 * 1024)

struct sort {
	struct sort_gather gather;
	struct session_job job;
	const struct imap_sort *criteria;	/* the line's */
	struct sorter sorter;
	bool is_begun, is_sorted;	/* the sorter */
	const uint32_t *order;		/* places of messages, of the sorter or remembered */
	size_t told, end;		/* of them: up to where it is told, and where that ends */
	struct imap_esearch esearch;
	struct imap_set_writer set;
};

static void submit(struct session *session);

static void
finish(struct session *session, enum reply reply)
{
	struct sort *sort = session->running;

	sorter_fini(&sort->sorter);
	sort_gather_finish(session, reply);
}

/* ---- telling -------------------------------------------------------------------------------------------- */

/* The name of the message at a place of the order, and its number. */
static uint32_t
name_at(const struct session *session, size_t place)
{
	const struct sort *sort = session->running;

	return sort_gather_name(session, sort->order[place]);
}

static uint32_t
number_at(const struct sort *sort, size_t place)
{
	return sort->gather.messages[sort->order[place]].number;
}

/* Write what comes next, until all is told or out is long enough. */
static bool
write_names(struct session *session, struct buffer *out)
{
	struct sort *sort = session->running;
	size_t limit = out->length + LIST_OCTETS;

	for (; sort->told < sort->end && out->length < limit; sort->told++) {
		if (session->line->search.has_return) {
			imap_set_writer_add(&sort->set, name_at(session, sort->told));
			continue;
		}
		buffer_add_octet(out, ' ');
		buffer_add_number(out, name_at(session, sort->told));
	}
	return sort->told == sort->end;
}

static void
write_end(struct session *session, struct buffer *out)
{
	struct sort *sort = session->running;

	if (session->line->search.has_return) {
		imap_set_writer_end(&sort->set);
		imap_write_esearch_end(out, &sort->esearch);
		return;
	}
	if (session->line->search.has_modseq && sort->gather.count > 0)
		buffer_printf(out, " (MODSEQ %llu)", (unsigned long long)sort->gather.modseq);
	buffer_add_span(out, SPAN("\r\n"));
}

/* The list may be long: a piece at a time. */
static void
write_list(struct session *session)
{
	struct buffer *out = session_out(session);

	if (session_is_closing(session)) {
		finish(session, REPLY_DONE);
	} else if (write_names(session, out)) {
		write_end(session, out);
		finish(session, REPLY_DONE);
	} else {
		session_flush(session);
		session_when_room(session, write_list);
	}
}

static uint64_t
modseq_at(const struct session *session, size_t place)
{
	const struct sort *sort = session->running;
	struct view_message message;

	view_message(sort->gather.run.view, number_at(sort, place), &message);
	return message.is_ghost ? 0 : message.message.modseq;
}

/* RFC 7162 section 3.1.10: the highest of what is told, not of all that was found. */
static uint64_t
told_modseq(const struct session *session)
{
	const struct sort *sort = session->running;
	uint32_t count = (uint32_t)sort->gather.count;
	uint64_t highest = 0;

	if (!session->line->search.has_modseq || count == 0)
		return 0;
	if (imap_search_keeps_all(&session->line->search))
		return sort->gather.modseq;
	for (uint32_t i = 0; i < count; i++)
		if (imap_search_keeps(&session->line->search, count, i + 1) && modseq_at(session, i) > highest)
			highest = modseq_at(session, i);
	return highest;
}

/* The places that ALL or PARTIAL tells. */
static void
set_places(struct sort *sort, const struct imap_search *search)
{
	uint32_t first = 1, last = (uint32_t)sort->gather.count;

	if (search->return_options & IMAP_RETURN_PARTIAL)
		imap_partial_places(&search->partial, last, &first, &last);
	else if (search->has_return && !(search->return_options & IMAP_RETURN_ALL))
		last = 0;
	sort->told = first - 1;
	sort->end = last;
}

static void
write_esearch(struct session *session, unsigned returns)
{
	struct sort *sort = session->running;
	size_t count = sort->gather.count;

	sort->esearch = (struct imap_esearch){ .tag = session->line->tag, .is_uid = session->line->is_uid,
		.returns = returns, .count = (uint32_t)count, .modseq = told_modseq(session),
		.has_set = sort->told < sort->end, .partial = session->line->search.partial };
	if (count > 0) {
		sort->esearch.min = name_at(session, 0);
		sort->esearch.max = name_at(session, count - 1);
	}
	imap_write_esearch_begin(session_out(session), &sort->esearch);
	sort->set.out = session_out(session);
	write_list(session);
}

/* RFC 5182 section 2.1 and RFC 9394 section 3.2, where places are those of the order. */
static void
reduce(struct sort *sort, const struct imap_search *search)
{
	uint32_t count = (uint32_t)sort->gather.count;

	if (imap_search_keeps_all(search))
		return;
	search_result_clear(&sort->gather.run.result);
	for (uint32_t i = 0; i < count; i++)
		if (imap_search_keeps(search, count, i + 1))
			search_result_add(&sort->gather.run.result, number_at(sort, i));
}

static void
save(struct session *session)
{
	struct sort *sort = session->running;
	size_t count;
	struct imap_range *ranges;

	reduce(sort, &session->line->search);
	ranges = search_result_uids(&sort->gather.run.result, &count);
	session_save_search(session, ranges, count);
	free(ranges);
}

static void
answer(struct session *session)
{
	const struct imap_search *search = &session->line->search;
	unsigned returns = search->return_options;
	struct sort *sort = session->running;

	set_places(sort, search);
	if (returns & IMAP_RETURN_SAVE)
		save(session);
	returns &= ~IMAP_RETURN_SAVE;
	if (search->has_return && returns == 0) {	/* RFC 5182 section 2.1: SAVE alone is answered by nothing */
		finish(session, REPLY_DONE);
	} else if (search->has_return) {
		write_esearch(session, returns);
	} else {
		buffer_add_string(session_out(session), "* SORT");
		write_list(session);
	}
}

/* ---- sorting -------------------------------------------------------------------------------------------- */

static void
begin(struct sort *sort)
{
	struct sort_gather *gather = &sort->gather;

	sorter_init(&sort->sorter, sort->criteria, gather->keys, gather->messages, gather->count);
	sort->is_begun = true;
}

static enum store_status
work(struct store *store, struct session_job *job)
{
	struct sort *sort = CONTAINER_OF(job, struct sort, job);
	uint64_t until_us = clock_monotonic_us() + JOB_US;

	(void)store;
	if (!sort->is_begun)
		begin(sort);
	do
		sort->is_sorted = sorter_advance(&sort->sorter);
	while (!sort->is_sorted && clock_monotonic_us() < until_us);
	return STORE_OK;
}

static void
on_sorted(struct session *session)
{
	struct sort *sort = session->running;

	sort->order = sort->sorter.order;
	if (sort->gather.count > 0)
		sort_gather_remember(session, span_of(sort->order, sort->gather.count * sizeof *sort->order));
	answer(session);
}

static void
on_worked(struct session *session, struct session_job *job, enum store_status status)
{
	struct sort *sort = CONTAINER_OF(job, struct sort, job);

	if (status != STORE_OK)
		finish(session, reply_for(status));
	else if (session_reason_to_stop(session) != REPLY_DONE)
		finish(session, session_reason_to_stop(session));
	else if (!sort->is_sorted)
		submit(session);
	else
		on_sorted(session);
}

static void
submit(struct session *session)
{
	struct sort *sort = session->running;
	uint64_t total = 0, done = sorter_steps(&sort->sorter, &total);

	sort_gather_tell_order(session, done, total);
	sort->job.work = work;
	sort->job.done = on_worked;
	session_submit_to(session, &sort->job, session->view->state->account, ACCOUNT_READ);
}

static void
on_gathered(struct session *session, enum reply reply)
{
	struct sort *sort = session->running;

	if (reply != REPLY_DONE) {
		finish(session, reply);
	} else if (sort->gather.answer.length > 0) {
		sort->order = (const void *)sort->gather.answer.at;
		answer(session);
	} else if (!sort_gather_note(session, sort->gather.count * SORTER_OCTETS)) {
		finish(session, REPLY_LIMIT);
	} else {
		submit(session);
	}
}

/* What is asked, for who asks it again. */
static void
ask(const struct imap_sort *criteria, struct buffer *question)
{
	buffer_add_octet(question, IMAP_SORT);
	buffer_add_octet(question, (uint8_t)criteria->count);
	for (size_t i = 0; i < criteria->count; i++) {
		buffer_add_octet(question, (uint8_t)criteria->criteria[i].key);
		buffer_add_octet(question, criteria->criteria[i].is_reverse);
	}
}

void
cmd_sort(struct session *session)
{
	struct sort *sort = ARENA_NEW(session->line->arena, struct sort);

	sort->criteria = &session->line->sort;
	sort->gather.needs_keys = sorter_needs_keys(sort->criteria, &sort->gather.fields);
	ask(&session->line->sort, &sort->gather.question);
	sort->gather.on_gathered = on_gathered;
	sort_gather_begin(session, &sort->gather);
}
