/*
 * Gathering messages.  Loop thread; work(), work_keep() and what they call on a worker.
 */
#include "gather.h"

#include <stdlib.h>

#include "../shared/ordering.h"
#include "base/clock.h"
#include "base/memory.h"

#define SLICE_MESSAGES	10000	/* looked at on the loop in one turn */
#define BATCH_MESSAGES	64	/* loaded between two looks at the clock */
#define JOB_US		15000	/* a job ends after about this long */
#define MADE_MAX	1000	/* made before they are kept */
#define MADE_OCTETS_MAX (1024 * 1024)
#define GATHERED_MAX	((size_t)384 * 1024 * 1024)	/* octets, of all sessions of a user together */

struct sort_made {
	uint64_t content_id;
	struct imap_ordering ordering;
};

static void submit_load(struct session *session);

/* Whose file the messages lie in. */
static struct account *
account_of(const struct session *session)
{
	return session->view->state->account;
}

static bool
is_whole(const struct sort_gather *gather)
{
	return gather->next == gather->count;
}

/* ---- loading -------------------------------------------------------------------------------------------- */

/* Stop at what is not kept: it is made outside of the store's walk. */
static bool
on_ordering(size_t place, const struct store_ordering *ordering, void *context)
{
	struct sort_gather *gather = context;

	if (ordering != NULL)
		keys_add(gather->keys, gather->messages[gather->next + place].content_id, gather->fields, ordering);
	return ordering != NULL;
}

static size_t
octets_of(const struct imap_ordering *ordering)
{
	return sizeof *ordering + ordering->subject.capacity + ordering->from.capacity + ordering->to.capacity +
	    ordering->cc.capacity + ordering->from_name.capacity + ordering->to_name.capacity + ordering->links.capacity;
}

static const struct store_ordering nothing;

/* A message that came before orderings were kept; or one that is gone, of which the client does not know yet. */
static enum store_status
make(struct sort_gather *gather, struct store *store, uint64_t content_id)
{
	struct sort_made *made = &gather->made[gather->made_count];
	struct buffer header = { 0 };
	struct store_ordering ordering;
	enum store_status status;

	*made = (struct sort_made){ .content_id = content_id };
	status = store_read_header(store, content_id, &header);
	if (status == STORE_OK) {
		imap_ordering_read(buffer_span(&header), &made->ordering);
		ordering = ordering_stored(&made->ordering);
		keys_add(gather->keys, content_id, STORE_ORDERING_ALL, &ordering);
		gather->made_count++;
		gather->made_octets += octets_of(&made->ordering);
	} else if (status == STORE_NOT_FOUND) {
		keys_add(gather->keys, content_id, STORE_ORDERING_ALL, &nothing);
		gather->is_gone = true;
		status = STORE_OK;
	}
	buffer_free(&header);
	return status;
}

static bool
has_much_made(const struct sort_gather *gather)
{
	return gather->made_count == MADE_MAX || gather->made_octets > MADE_OCTETS_MAX;
}

static uint32_t
find(const struct sort_gather *gather, size_t place)
{
	uint32_t guess = place > 0 ? gather->messages[place - 1].slot + 1 : 0;

	return keys_find(gather->keys, gather->messages[place].content_id, gather->fields, guess);
}

/* Pass those that the keys know. */
static void
pass_known(struct sort_gather *gather)
{
	for (size_t i = 0; i < SLICE_MESSAGES && gather->next < gather->count; i++) {
		uint32_t slot = find(gather, gather->next);

		if (slot == KEYS_NO_SLOT)
			break;
		gather->messages[gather->next++].slot = slot;
	}
}

/* Read some of those that they do not know: the next one, and what comes behind it. */
static enum store_status
load_batch(struct sort_gather *gather, struct store *store)
{
	uint64_t content_ids[BATCH_MESSAGES];
	size_t count = 0;
	enum store_status status;

	while (count < BATCH_MESSAGES && gather->next + count < gather->count) {
		content_ids[count] = gather->messages[gather->next + count].content_id;
		count++;
	}
	status = store_ordering_each(store, content_ids, count, gather->fields, on_ordering, gather);
	pass_known(gather);
	if (status == STORE_OK && !is_whole(gather) && find(gather, gather->next) == KEYS_NO_SLOT)
		status = make(gather, store, gather->messages[gather->next].content_id);
	return status;
}

static enum store_status
work(struct store *store, struct session_job *job)
{
	struct sort_gather *gather = CONTAINER_OF(job, struct sort_gather, job);
	uint64_t until_us = clock_monotonic_us() + JOB_US;
	enum store_status status = STORE_OK;

	while (status == STORE_OK && !is_whole(gather) && !has_much_made(gather) && clock_monotonic_us() < until_us) {
		pass_known(gather);
		if (!is_whole(gather) && find(gather, gather->next) == KEYS_NO_SLOT)
			status = load_batch(gather, store);
	}
	gather->keys_octets = keys_octets(gather->keys);
	return status;
}

enum phase { SEARCHING, GATHERING, ORDERING, PHASE_COUNT };

static void
tell_progress(struct session *session, enum phase phase, uint64_t done, uint64_t of)
{
	const struct sort_gather *gather = session->running;
	uint64_t total = gather->run.result.last;

	session_tell_progress(session, (phase * total + (of == 0 ? 0 : total * done / of)) / PHASE_COUNT, total);
}

void
sort_gather_tell_order(struct session *session, uint64_t done, uint64_t total)
{
	tell_progress(session, ORDERING, done, total);
}

bool
sort_gather_note(struct session *session, size_t octets)
{
	struct sort_gather *gather = session->running;
	size_t now = gather->capacity * sizeof *gather->messages + gather->question.capacity + octets, all;

	if (gather->keys_octets > 0)		/* a job has looked at them */
		keys_note(gather->keys, gather->keys_octets);
	all = account_note_gathered(account_of(session), gather->noted, now);
	gather->noted = now;
	return all <= GATHERED_MAX;
}

/* ---- keeping what was made ------------------------------------------------------------------------------ */

static void
forget_made(struct sort_gather *gather)
{
	for (size_t i = 0; i < gather->made_count; i++)
		imap_ordering_fini(&gather->made[i].ordering);
	gather->made_count = gather->made_octets = 0;
}

static enum store_status
work_keep(struct store *store, struct session_job *job)
{
	struct sort_gather *gather = CONTAINER_OF(job, struct sort_gather, job);
	enum store_status status = STORE_OK;

	for (size_t i = 0; i < gather->made_count && status == STORE_OK; i++) {
		struct store_ordering ordering = ordering_stored(&gather->made[i].ordering);

		status = store_ordering_keep(store, gather->made[i].content_id, &ordering);
	}
	return status;
}

/* What could not be kept, on a full disk, is made again next time. */
static void
on_kept(struct session *session, struct session_job *job, enum store_status status)
{
	(void)status;
	forget_made(CONTAINER_OF(job, struct sort_gather, job));
	submit_load(session);
}

static void
end(struct session *session, enum reply reply)
{
	struct sort_gather *gather = session->running;

	if (gather->messages != NULL)
		account_end_reading(account_of(session));
	gather->on_gathered(session, reply);
}

static void
on_loaded(struct session *session, struct session_job *job, enum store_status status)
{
	struct sort_gather *gather = CONTAINER_OF(job, struct sort_gather, job);

	if (status != STORE_OK) {
		end(session, reply_for(status));
		return;
	}
	if (has_much_made(gather) || (gather->made_count > 0 && is_whole(gather))) {
		gather->job.work = work_keep;
		gather->job.done = on_kept;
		session_submit_to(session, &gather->job, account_of(session), ACCOUNT_DURABLE);
		return;
	}
	submit_load(session);
}

static void
submit_load(struct session *session)
{
	struct sort_gather *gather = session->running;

	if (session_reason_to_stop(session) != REPLY_DONE) {
		end(session, session_reason_to_stop(session));
	} else if (is_whole(gather)) {
		end(session, REPLY_DONE);
	} else if (!sort_gather_note(session, 0)) {
		end(session, REPLY_LIMIT);
	} else {
		tell_progress(session, GATHERING, gather->next, gather->count);
		gather->job.work = work;
		gather->job.done = on_loaded;
		session_submit_to(session, &gather->job, account_of(session), ACCOUNT_READ);
	}
}

/* ---- listing -------------------------------------------------------------------------------------------- */

static void
add(struct sort_gather *gather, const struct view_message *found)
{
	const struct store_message *message = &found->message;

	if (gather->count == gather->capacity) {
		gather->capacity = gather->capacity * 2 + 64;
		gather->messages = memory_resize(gather->messages, gather->capacity, sizeof *gather->messages);
	}
	gather->messages[gather->count++] = (struct sort_message){ .content_id = message->content_id,
		.internal_date_s = message->internal_date_s, .number = found->number, .size = message->size };
	if (message->modseq > gather->modseq)
		gather->modseq = message->modseq;
	if (gather->question.length > ANSWERS_OCTETS_MAX)
		buffer_free(&gather->question);
	else if (gather->question.length > 0)
		buffer_add(&gather->question, &message->uid, sizeof message->uid);
}

/* All are listed.  What was asked before needs no second look. */
static void
on_listed(struct session *session)
{
	struct sort_gather *gather = session->running;

	if (gather->question.length > 0)
		buffer_add_span(&gather->answer, answers_find(&gather->run.view->state->answers, buffer_span(&gather->question)));
	if (gather->answer.length > 0 || !gather->needs_keys) {
		end(session, REPLY_DONE);
		return;
	}
	gather->made = memory_new_array(MADE_MAX, sizeof *gather->made);
	gather->keys = keys_use(account_of(session), gather->run.view->state);
	submit_load(session);
}

/* One slice of what was found.  From its first message on contents stay until all are taken. */
static void
list(struct session *session)
{
	struct sort_gather *gather = session->running;
	struct view_message found;

	if (session_reason_to_stop(session) != REPLY_DONE) {
		end(session, session_reason_to_stop(session));
		return;
	}
	for (unsigned i = 0; i < SLICE_MESSAGES; i++) {
		gather->number = search_result_next(&gather->run.result, gather->number, &found);
		if (gather->number == 0) {
			on_listed(session);
			return;
		}
		if (gather->messages == NULL)
			account_begin_reading(account_of(session));
		add(gather, &found);
	}
	session_when_room(session, list);
}

static void
on_found(struct session *session, enum reply reply)
{
	if (reply == REPLY_DONE)
		list(session);
	else
		end(session, reply);
}

void
sort_gather_begin(struct session *session, struct sort_gather *gather)
{
	gather->run.phases = PHASE_COUNT;
	search_run_begin(session, &gather->run, session->view, on_found);
}

void
sort_gather_remember(struct session *session, struct span answer)
{
	struct sort_gather *gather = session->running;

	if (gather->question.length > 0 && !gather->is_gone)
		answers_add(&gather->run.view->state->answers, buffer_span(&gather->question), answer);
}

void
sort_gather_finish(struct session *session, enum reply reply)
{
	struct sort_gather *gather = session->running;

	forget_made(gather);
	keys_release(&gather->keys);
	account_note_gathered(account_of(session), gather->noted, 0);
	free(gather->made);
	free(gather->messages);
	buffer_free(&gather->question);
	buffer_free(&gather->answer);
	search_run_finish(session, reply);
}
