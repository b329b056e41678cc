/*
 * The verb index: indexes the messages of a user without waiting for quiet, makes the index anew or compares it with the
 * messages.  A call takes about a second and says how far it has come; imapctl calls again until all is done, and can
 * so show it.  Loop thread; the work functions on workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../shared/index_check.h"
#include "../shared/index_queue.h"
#include "life.h"
#include "store/index.h"
#include "user_verb.h"

#define SLICE_US 15000

enum index_order { ORDER_INDEX, ORDER_REBUILD, ORDER_VERIFY };

struct indexing {
	struct user_verb verb;
	enum index_order order;
	struct index_watcher watcher;
	struct index_check check;
	bool is_more;
	struct store_index_figures figures;
};

static struct indexing *
indexing_of(struct account_job *job)
{
	return CONTAINER_OF(job, struct indexing, verb.job);
}

static void
free_indexing(struct user_verb *verb)
{
	struct indexing *indexing = CONTAINER_OF(verb, struct indexing, verb);

	index_check_fini(&indexing->check);
	free(indexing);
}

static void
reply(struct indexing *indexing, const char *state)
{
	const struct store_index_figures *figures = &indexing->figures;
	struct buffer line = { 0 };

	user_verb_begin_line(&indexing->verb, SPAN("index"), &line);
	control_add_field(&line, "state", span_from_string(state));
	control_add_number(&line, "messages", (int64_t)figures->contents);
	control_add_number(&line, "indexed", (int64_t)figures->indexed);
	control_add_number(&line, "text", (int64_t)figures->text_octets);
	control_add_number(&line, "size", (int64_t)figures->index_octets);
	control_add_number(&line, "checked", (int64_t)indexing->check.checked);
	control_add_number(&line, "faults", (int64_t)indexing->check.faults);
	control_add_number(&line, "block", (int64_t)(indexing->check.place.block_id & INT64_MAX));
	control_add_number(&line, "content", (int64_t)indexing->check.content_id);
	control_reply(indexing->verb.call, buffer_span(&line));
	buffer_free(&line);
}

static enum store_status
work_measure(struct store *store, struct account_job *job)
{
	return store_index_measure(store, &indexing_of(job)->figures);
}

static void
on_measured(struct account_job *job)
{
	struct indexing *indexing = indexing_of(job);

	if (job->status == STORE_OK) {
		(void)user_verb_reply_faults(&indexing->verb, buffer_span(&indexing->check.findings));
		reply(indexing, indexing->is_more ? "running" : "done");
	}
	user_verb_end_with(&indexing->verb, job->status);
}

static void
on_slice(struct index_watcher *watcher, enum store_status status, bool is_more)
{
	struct indexing *indexing = CONTAINER_OF(watcher, struct indexing, watcher);

	if (status == STORE_OK && is_more && !user_verb_is_time_up(&indexing->verb))
		return;
	index_seat_watch(account_index_seat(indexing->verb.account), NULL);
	indexing->is_more = is_more;
	if (status == STORE_OK)
		user_verb_submit(&indexing->verb, ACCOUNT_READ, work_measure, on_measured);
	else if (status == STORE_LIMIT)
		user_verb_end(&indexing->verb, EX_CANTCREAT, "the disk has too little room for an index");
	else
		user_verb_end_with(&indexing->verb, status);
}

static void
begin_to_index(struct indexing *indexing)
{
	indexing->watcher.on_slice = on_slice;
	if (!index_seat_watch(account_index_seat(indexing->verb.account), &indexing->watcher))
		user_verb_end(&indexing->verb, EX_TEMPFAIL, "somebody else has ordered this just now; try again when it is done");
}

static enum store_status
work_drop(struct store *store, struct account_job *job)
{
	(void)job;
	return store_index_drop(store);
}

static void
on_dropped(struct account_job *job)
{
	struct indexing *indexing = indexing_of(job);

	if (job->status == STORE_OK)
		begin_to_index(indexing);
	else
		user_verb_end_with(&indexing->verb, job->status);
}

static enum store_status
work_check(struct store *store, struct account_job *job)
{
	struct indexing *indexing = indexing_of(job);

	return index_check_run(&indexing->check, store, clock_monotonic_us() + SLICE_US, &indexing->is_more);
}

/* A message that has been begun is done first: the next call begins with the one after it. */
static void
on_checked(struct account_job *job)
{
	struct indexing *indexing = indexing_of(job);
	struct index_check *check = &indexing->check;

	check->is_ending = user_verb_is_time_up(&indexing->verb);
	if (job->status != STORE_OK)
		user_verb_end_with(&indexing->verb, job->status);
	else if (indexing->is_more && user_verb_is_cut_off(&indexing->verb))
		user_verb_end_cut_off(&indexing->verb);
	else if (indexing->is_more && (index_check_has_begun(check) || !check->is_ending))
		user_verb_submit(&indexing->verb, ACCOUNT_READ, work_check, on_checked);
	else
		user_verb_submit(&indexing->verb, ACCOUNT_READ, work_measure, on_measured);
}

static void
begin(struct user_verb *verb)
{
	struct indexing *indexing = CONTAINER_OF(verb, struct indexing, verb);

	if (!verb->has_file) {
		reply(indexing, "none");
		user_verb_end(verb, EX_OK, NULL);
	} else if (indexing->order == ORDER_REBUILD) {
		user_verb_submit(verb, ACCOUNT_DERIVED, work_drop, on_dropped);
	} else if (indexing->order == ORDER_VERIFY) {
		user_verb_submit(verb, ACCOUNT_READ, work_check, on_checked);
	} else {
		begin_to_index(indexing);
	}
}

/* NAME, NAME rebuild, or NAME verify BLOCK CONTENT: where the last call has ended. */
static bool
read_order(const struct control_call *call, struct indexing *indexing)
{
	size_t count = control_call_count(call);

	if (count == 1)
		return true;
	if (count == 2 && span_equals(control_call_word(call, 1), SPAN("rebuild"))) {
		indexing->order = ORDER_REBUILD;
		return true;
	}
	indexing->order = ORDER_VERIFY;
	if (count != 4 || !span_equals(control_call_word(call, 1), SPAN("verify")) ||
	    !span_to_number(control_call_word(call, 2), INT64_MAX, &indexing->check.place.block_id) ||
	    !span_to_number(control_call_word(call, 3), INT64_MAX, &indexing->check.content_id))
		return false;
	if (indexing->check.place.block_id == INT64_MAX)
		indexing->check.place.block_id = UINT64_MAX;
	return true;
}

static void
on_index(struct control_call *call, void *context)
{
	struct indexing *indexing = NEW(struct indexing);

	if (!read_order(call, indexing)) {
		free(indexing);
		control_finish(call, EX_USAGE, "index NAME [rebuild|verify BLOCK CONTENT]");
		return;
	}
	indexing->verb.is_anywhere = true;
	indexing->verb.begin = begin;
	indexing->verb.free = free_indexing;
	user_verb_take(&indexing->verb, context, call);
}

void
role_register_index(struct mailbox_role *role, struct control *control)
{
	control_register(control, "index", CONTROL_CHANGE, on_index, role);
}
