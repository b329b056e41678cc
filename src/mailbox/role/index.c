/*
 * The verb index: indexes the messages of a user without waiting for quiet, makes the index anew or compares it with the
 * messages.  A call takes about a second and says how far it has come; imapctl calls again until all is done, and can
 * so show it.  Loop thread; the work functions on workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../shared/index_check.h"
#include "../shared/index_queue.h"
#include "base/clock.h"
#include "control/control.h"
#include "control/words.h"
#include "life.h"
#include "store/index.h"

#define CALL_US	 (1 * UINT64_C(1000000))
#define SLICE_US 15000

enum index_order { ORDER_INDEX, ORDER_REBUILD, ORDER_VERIFY };

struct indexing {
	struct role_lookup lookup;
	struct control_call *call;
	enum index_order order;
	struct job look;			/* whether there is a file: asking must not make one */
	bool has_file;
	struct account *account;
	struct account_job job;
	struct index_watcher watcher;
	struct index_check check;
	uint64_t until_us;
	bool is_more;
	struct store_index_figures figures;
};

static void
end(struct indexing *indexing, int code, const char *text)
{
	struct mailbox_role *role = indexing->lookup.role;

	control_finish(indexing->call, code, text);
	account_release(&indexing->account);
	index_check_fini(&indexing->check);
	free(indexing);
	role->jobs--;
	role->on_ended(role);
}

static void
reply(struct indexing *indexing, const char *state)
{
	const struct store_index_figures *figures = &indexing->figures;
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("index"));
	control_add_field(&line, "user", directory_name_span(&indexing->lookup.found));
	control_add_field(&line, "state", span_from_string(state));
	control_add_number(&line, "messages", (int64_t)figures->contents);
	control_add_number(&line, "indexed", (int64_t)figures->indexed);
	control_add_number(&line, "text", (int64_t)figures->text_octets);
	control_add_number(&line, "size", (int64_t)figures->index_octets);
	control_add_number(&line, "checked", (int64_t)indexing->check.checked);
	control_add_number(&line, "faults", (int64_t)indexing->check.faults);
	control_add_number(&line, "block", (int64_t)(indexing->check.block_id & INT64_MAX));
	control_add_number(&line, "content", (int64_t)indexing->check.content_id);
	control_reply(indexing->call, buffer_span(&line));
	buffer_free(&line);
}

/* One line for each finding. */
static void
reply_findings(struct indexing *indexing)
{
	struct span rest = buffer_span(&indexing->check.findings);
	struct buffer line = { 0 };

	while (rest.length > 0) {
		size_t length = span_find(rest, '\n');

		buffer_clear(&line);
		control_add_word(&line, SPAN("fault"));
		control_add_field(&line, "user", directory_name_span(&indexing->lookup.found));
		control_add_field(&line, "text", span_slice(rest, 0, length));
		control_reply(indexing->call, buffer_span(&line));
		rest = span_from(rest, length + 1);
	}
	buffer_free(&line);
}

static enum store_status
work_measure(struct store *store, struct account_job *job)
{
	return store_index_measure(store, &CONTAINER_OF(job, struct indexing, job)->figures);
}

static void
on_measured(struct account_job *job)
{
	struct indexing *indexing = CONTAINER_OF(job, struct indexing, job);

	if (job->status != STORE_OK) {
		end(indexing, EX_IOERR, store_status_text(job->status));
		return;
	}
	reply_findings(indexing);
	reply(indexing, indexing->is_more ? "running" : "done");
	end(indexing, EX_OK, NULL);
}

static void
submit(struct indexing *indexing, enum account_kind kind,
    enum store_status (*work)(struct store *store, struct account_job *job), void (*done)(struct account_job *job))
{
	indexing->job.kind = kind;
	indexing->job.work = work;
	indexing->job.done = done;
	account_submit_quietly(indexing->account, &indexing->job);
}

/* Whether the call has taken long enough. */
static bool
is_time_up(const struct indexing *indexing)
{
	return clock_monotonic_us() >= indexing->until_us || indexing->lookup.role->is_stopping ||
	    control_call_is_gone(indexing->call);
}

static void
on_slice(struct index_watcher *watcher, enum store_status status, bool is_more)
{
	struct indexing *indexing = CONTAINER_OF(watcher, struct indexing, watcher);

	if (status == STORE_OK && is_more && !is_time_up(indexing))
		return;
	index_seat_watch(account_index_seat(indexing->account), NULL);
	indexing->is_more = is_more;
	if (status == STORE_OK)
		submit(indexing, ACCOUNT_READ, work_measure, on_measured);
	else if (status == STORE_LIMIT)
		end(indexing, EX_CANTCREAT, "the disk has too little room for an index");
	else
		end(indexing, EX_IOERR, store_status_text(status));
}

static void
begin_to_index(struct indexing *indexing)
{
	indexing->watcher.on_slice = on_slice;
	if (!index_seat_watch(account_index_seat(indexing->account), &indexing->watcher))
		end(indexing, EX_TEMPFAIL, "somebody else has ordered this just now; try again when it is done");
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
	struct indexing *indexing = CONTAINER_OF(job, struct indexing, job);

	if (job->status == STORE_OK)
		begin_to_index(indexing);
	else
		end(indexing, EX_IOERR, store_status_text(job->status));
}

static enum store_status
work_check(struct store *store, struct account_job *job)
{
	struct indexing *indexing = CONTAINER_OF(job, struct indexing, job);

	return index_check_run(&indexing->check, store, clock_monotonic_us() + SLICE_US, &indexing->is_more);
}

/* A message that has been begun is done first: the next call begins with the one after it. */
static void
on_checked(struct account_job *job)
{
	struct indexing *indexing = CONTAINER_OF(job, struct indexing, job);

	if (job->status != STORE_OK)
		end(indexing, EX_IOERR, store_status_text(job->status));
	else if (indexing->is_more && (indexing->check.current_id != 0 || !is_time_up(indexing)))
		submit(indexing, ACCOUNT_READ, work_check, on_checked);
	else
		submit(indexing, ACCOUNT_READ, work_measure, on_measured);
}

static void
on_looked(struct job *job)
{
	struct indexing *indexing = CONTAINER_OF(job, struct indexing, look);
	struct mailbox_role *role = indexing->lookup.role;

	if (role->is_stopping) {
		end(indexing, EX_TEMPFAIL, "not now, try again");
		return;
	}
	if (!indexing->has_file) {
		reply(indexing, "none");
		end(indexing, EX_OK, NULL);
		return;
	}
	indexing->account = account_hold(role->accounts, indexing->lookup.mailbox_id, indexing->lookup.found.text);
	if (indexing->order == ORDER_REBUILD)
		submit(indexing, ACCOUNT_DERIVED, work_drop, on_dropped);
	else if (indexing->order == ORDER_VERIFY)
		submit(indexing, ACCOUNT_READ, work_check, on_checked);
	else
		begin_to_index(indexing);
}

static void
work_look(struct job *job)
{
	struct indexing *indexing = CONTAINER_OF(job, struct indexing, look);
	struct buffer path = { 0 };
	uint64_t size_octets;

	indexing->has_file = mailbox_file(indexing->lookup.role->data_directory, indexing->lookup.mailbox_id, &path,
	    &size_octets);
	buffer_free(&path);
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct indexing *indexing = CONTAINER_OF(lookup, struct indexing, lookup);

	if (lookup->status == DIRECTORY_NOT_FOUND) {
		end(indexing, EX_NOUSER, "there is no such user");
	} else if (lookup->status != DIRECTORY_OK) {
		end(indexing, EX_TEMPFAIL, "not now, try again");
	} else {
		indexing->look.work = work_look;
		indexing->look.done = on_looked;
		workers_submit(lookup->role->parts.storage, &indexing->look);
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
	    !span_to_number(control_call_word(call, 2), INT64_MAX, &indexing->check.block_id) ||
	    !span_to_number(control_call_word(call, 3), INT64_MAX, &indexing->check.content_id))
		return false;
	if (indexing->check.block_id == INT64_MAX)
		indexing->check.block_id = UINT64_MAX;
	return true;
}

static void
on_index(struct control_call *call, void *context)
{
	struct indexing *indexing = NEW(struct indexing);
	struct mailbox_role *role = context;

	if (!read_order(call, indexing)) {
		free(indexing);
		control_finish(call, EX_USAGE, "index NAME [rebuild|verify BLOCK CONTENT]");
		return;
	}
	role->jobs++;
	indexing->call = call;
	indexing->until_us = clock_monotonic_us() + CALL_US;
	indexing->lookup.name_count = directory_prepare_name(control_call_word(call, 0), &indexing->lookup.names[0]) ? 1 : 0;
	indexing->lookup.done = on_looked_up;
	role_look_up(role, &indexing->lookup);
}

void
role_register_index(struct mailbox_role *role, struct control *control)
{
	control_register(control, "index", CONTROL_CHANGE, on_index, role);
}
