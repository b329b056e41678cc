/*
 * The verb verify: compares a user's file with itself.  Nothing is changed.
 *
 * The first call looks at its rows and at SQLite's pages, which may take minutes: beside the store, at the file as it lies
 * still, while the user goes on.  It says how far it has come each second.  From then on each call takes about a second of
 * digests, in slices between the jobs of the user, and says where the next one goes on.
 *
 * Loop thread; the work functions on workers.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "../shared/reparse.h"
#include "base/memory.h"
#include "fault_lines.h"
#include "life.h"
#include "store/still.h"
#include "user_verb.h"

#define SLICE_US     15000
#define AGAIN_MS     500		/* until a foreign program that reads may have ended, or somebody who writes much */
#define BEGINS_MAX   10
#define PROGRESS_US  1000000
#define PAGES_WEIGHT 20			/* the step that reads all pages takes about as long as so many others */

/* The look at the file beside its store. */
struct beside {
	struct job job;
	struct store_still *still;
	unsigned begins;
	bool is_busy;			/* a foreign program reads */
	struct timer again;
	atomic_uint step;		/* under way */
	atomic_uint_least64_t size, pages_from;	/* octets of the file; that were read when the pages began */
	uint64_t told_us;		/* when how far it has come was said last */
	enum store_status status;
	char *error;			/* what SQLite says, when it cannot read; NULL: nothing */
};

struct verifying {
	struct user_verb verb;
	struct beside beside;
	uint64_t content_id, last_id, checked;	/* looked at last; the last that there is; how many in this call */
	bool is_more, is_unreadable;
	struct buffer findings;
	struct fault_lines lines;	/* the same, with the places of contents */
};

static struct verifying *
verifying_of(struct account_job *job)
{
	return CONTAINER_OF(job, struct verifying, verb.job);
}

static void
free_verifying(struct user_verb *verb)
{
	struct verifying *verifying = CONTAINER_OF(verb, struct verifying, verb);

	timer_stop(&verifying->beside.again);
	store_still_free(&verifying->beside.still);
	free(verifying->beside.error);
	buffer_free(&verifying->findings);
	fault_lines_fini(&verifying->lines);
	free(verifying);
}

static void
reply(struct verifying *verifying, const char *state)
{
	int64_t faults = fault_lines_reply(&verifying->verb, SPAN("fault"), &verifying->lines);
	struct buffer line = { 0 };

	user_verb_begin_line(&verifying->verb, SPAN("verify"), &line);
	control_add_field(&line, "state", span_from_string(state));
	control_add_number(&line, "messages", (int64_t)verifying->checked);
	control_add_number(&line, "faults", faults);
	control_add_number(&line, "content", (int64_t)verifying->content_id);
	control_add_number(&line, "last", (int64_t)verifying->last_id);
	control_reply(verifying->verb.call, buffer_span(&line));
	buffer_free(&line);
}

/* What is kept of a content whose octets are good. */
static enum store_status
check_parse(struct verifying *verifying, struct store *store)
{
	const char *differs;
	enum store_status status = reparse_check(store, verifying->content_id, &differs);
	struct buffer text = { 0 };

	if (status == STORE_OK && differs != NULL) {
		buffer_printf(&text, "content: its %s is not what its octets say: id %llu", differs,
		    (unsigned long long)verifying->content_id);
		store_add_finding(&verifying->findings, "parse", 0, verifying->content_id, buffer_string(&text));
	}
	buffer_free(&text);
	return status == STORE_NOT_FOUND || status == STORE_CORRUPT ? STORE_OK : status;
}

static enum store_status
work_digests(struct store *store, struct account_job *job)
{
	struct verifying *verifying = verifying_of(job);

	uint64_t until_us = clock_monotonic_us() + SLICE_US;
	enum store_status status = STORE_OK;

	verifying->is_more = true;
	status = store_last_content(store, &verifying->last_id);
	while (status == STORE_OK && verifying->is_more && clock_monotonic_us() < until_us) {
		size_t length = verifying->findings.length;
		uint64_t checked = verifying->checked;

		status = store_verify_digests(store, &verifying->content_id, 0, &verifying->findings, &verifying->checked,
		    &verifying->is_more);
		if (status == STORE_OK && verifying->checked > checked && verifying->findings.length == length)
			status = check_parse(verifying, store);
	}
	return status == STORE_OK ? fault_lines_take(&verifying->lines, store, &verifying->findings) : status;
}

/* SQLite cannot read all of it: that is the finding, and there is no sense in looking further. */
static void
end_unreadable(struct verifying *verifying, const char *error)
{
	if (!verifying->is_unreadable)
		fault_lines_add_pages(&verifying->lines, error);
	reply(verifying, "done");
	user_verb_end(&verifying->verb, EX_OK, NULL);
}

static void
on_digests(struct account_job *job)
{
	struct verifying *verifying = verifying_of(job);

	if (job->status == STORE_OK && verifying->is_more && !user_verb_is_time_up(&verifying->verb)) {
		account_submit_quietly(verifying->verb.account, job);
		return;
	}
	if (job->status == STORE_CORRUPT) {
		end_unreadable(verifying, job->error);
		return;
	}
	if (job->status == STORE_OK)
		reply(verifying, verifying->is_more ? "running" : "done");
	user_verb_end_with(&verifying->verb, job->status);
}

/* Whether a finding is about pages. */
static bool
has_pages(struct span findings)
{
	while (findings.length > 0) {
		if (span_starts_with(findings, SPAN("pages\t")))
			return true;
		findings = span_from(findings, span_find(findings, '\n') + 1);
	}
	return false;
}

/* ---- beside the store ----------------------------------------------------------------------------------- */

static void begin_beside(struct verifying *verifying);

static enum store_status
look_at(struct verifying *verifying, struct store *store)
{
	enum store_status status = STORE_OK;

	for (unsigned step = 0; status == STORE_OK && step < store_verify_steps(); step++) {
		if (step == store_verify_step_of_pages())
			atomic_store(&verifying->beside.pages_from, store_still_octets(verifying->beside.still));
		atomic_store(&verifying->beside.step, step);
		status = store_verify_step(store, step, &verifying->findings);
	}
	if (status == STORE_CORRUPT && verifying->findings.length == 0)
		store_add_finding(&verifying->findings, "pages", 0, 0, store_error(store));
	verifying->is_unreadable = has_pages(buffer_span(&verifying->findings));
	return status == STORE_OK || status == STORE_CORRUPT ?
	    fault_lines_take(&verifying->lines, store, &verifying->findings) : status;
}

static void
work_beside(struct job *job)
{
	struct verifying *verifying = CONTAINER_OF(job, struct verifying, beside.job);
	struct beside *beside = &verifying->beside;
	struct store *store;
	struct stat about;

	atomic_store(&beside->size, stat(account_path(verifying->verb.account), &about) == 0 ? (uint64_t)about.st_size : 0);
	beside->status = store_open_still(account_path(verifying->verb.account), beside->still, &store);
	if (beside->status != STORE_OK)
		return;
	beside->status = look_at(verifying, store);
	if (beside->status == STORE_CORRUPT)
		beside->error = memory_copy_string(store_error(store));
	store_close(&store);
}

static enum store_status
work_end_beside(struct store *store, struct account_job *job)
{
	(void)store;
	store_still_end(verifying_of(job)->beside.still);
	return STORE_OK;
}

static void
on_again(void *context)
{
	struct verifying *verifying = context;

	if (user_verb_is_cut_off(&verifying->verb))
		user_verb_end_cut_off(&verifying->verb);
	else
		begin_beside(verifying);
}

/* What was found of a file that has moved may be half of one and half of another. */
static void
try_again(struct verifying *verifying)
{
	struct beside *beside = &verifying->beside;

	buffer_clear(&verifying->findings);
	fault_lines_fini(&verifying->lines);
	verifying->lines = (struct fault_lines){ .count = 0 };
	free(beside->error);
	beside->error = NULL;
	if (beside->begins < BEGINS_MAX)
		timer_start_ms(&beside->again, AGAIN_MS);
	else
		user_verb_end(&verifying->verb, EX_TEMPFAIL, beside->is_busy ?
		    "another program reads the file; try again when it has ended" :
		    "the user's mail changes too fast; try again when less comes in");
}

static void
on_ended_beside(struct account_job *job)
{
	struct verifying *verifying = verifying_of(job);
	struct beside *beside = &verifying->beside;

	account_end_copy(verifying->verb.account);
	if (user_verb_is_cut_off(&verifying->verb))
		user_verb_end_cut_off(&verifying->verb);
	else if (job->status != STORE_OK)
		user_verb_end_with(&verifying->verb, job->status);
	else if (beside->is_busy || store_still_has_moved(beside->still))
		try_again(verifying);
	else if (beside->status == STORE_CORRUPT || verifying->is_unreadable)
		end_unreadable(verifying, beside->error);
	else if (beside->status != STORE_OK)
		user_verb_end_with(&verifying->verb, beside->status);
	else
		user_verb_submit(&verifying->verb, ACCOUNT_READ, work_digests, on_digests);
}

static void
end_beside(struct verifying *verifying)
{
	user_verb_unwatch(&verifying->verb);
	user_verb_submit(&verifying->verb, ACCOUNT_IMAGE, work_end_beside, on_ended_beside);
}

static void
on_looked_beside(struct job *job)
{
	end_beside(CONTAINER_OF(job, struct verifying, beside.job));
}

/* In steps; the one that reads all pages counts for several, and is told of in parts. */
static void
tell_progress(struct verifying *verifying)
{
	const struct beside *beside = &verifying->beside;
	uint64_t pages_step = store_verify_step_of_pages(), done = atomic_load(&beside->step), part = PAGES_WEIGHT - 1;
	uint64_t size = atomic_load(&beside->size), read = store_still_octets(beside->still) - atomic_load(&beside->pages_from);
	struct buffer line = { 0 };

	if (done == pages_step && read < size)
		part = part * read / size;
	if (done >= pages_step)
		done += part;
	user_verb_begin_line(&verifying->verb, SPAN("progress"), &line);
	control_add_number(&line, "done", (int64_t)done);
	control_add_number(&line, "of", (int64_t)(store_verify_steps() + PAGES_WEIGHT - 1));
	control_reply(verifying->verb.call, buffer_span(&line));
	buffer_free(&line);
}

static void
on_watch(struct user_verb *verb)
{
	struct verifying *verifying = CONTAINER_OF(verb, struct verifying, verb);
	uint64_t now_us = clock_monotonic_us();

	if (user_verb_is_cut_off(verb)) {
		store_still_stop(verifying->beside.still);
	} else if (now_us - verifying->beside.told_us >= PROGRESS_US) {
		verifying->beside.told_us = now_us;
		tell_progress(verifying);
	}
}

static enum store_status
work_begin_beside(struct store *store, struct account_job *job)
{
	struct beside *beside = &verifying_of(job)->beside;

	return store_still_begin(store, beside->still, &beside->is_busy);
}

static void
on_begun_beside(struct account_job *job)
{
	struct verifying *verifying = verifying_of(job);
	struct beside *beside = &verifying->beside;

	if (job->status == STORE_OK && !beside->is_busy) {
		beside->job.work = work_beside;
		beside->job.done = on_looked_beside;
		user_verb_watch(&verifying->verb);
		workers_submit(verifying->verb.lookup.role->parts.checks, &beside->job);
		return;
	}
	beside->status = job->status;
	if (job->status == STORE_CORRUPT) {
		account_end_copy(verifying->verb.account);
		end_unreadable(verifying, job->error);
		return;
	}
	end_beside(verifying);
}

/* Nothing is folded for as long as it takes, if that can be helped. */
static void
begin_beside(struct verifying *verifying)
{
	verifying->beside.begins++;
	account_begin_copy(verifying->verb.account);
	user_verb_submit(&verifying->verb, ACCOUNT_IMAGE, work_begin_beside, on_begun_beside);
}

static void
begin(struct user_verb *verb)
{
	struct verifying *verifying = CONTAINER_OF(verb, struct verifying, verb);

	if (!verb->has_file) {
		reply(verifying, "none");
		user_verb_end(verb, EX_OK, NULL);
	} else if (verifying->content_id > 0) {
		user_verb_submit(verb, ACCOUNT_READ, work_digests, on_digests);
	} else {
		verifying->beside.still = store_still_new();
		begin_beside(verifying);
	}
}

/* NAME CONTENT: where the last call has ended, or 0. */
static void
on_verify(struct control_call *call, void *context)
{
	struct verifying *verifying = NEW(struct verifying);

	if (control_call_count(call) != 2 ||
	    !span_to_number(control_call_word(call, 1), INT64_MAX, &verifying->content_id)) {
		free(verifying);
		control_finish(call, EX_USAGE, "verify NAME CONTENT");
		return;
	}
	timer_init(&verifying->beside.again, ((struct mailbox_role *)context)->parts.loop, on_again, verifying);
	verifying->verb.is_anywhere = true;
	verifying->verb.begin = begin;
	verifying->verb.on_watch = on_watch;
	verifying->verb.free = free_verifying;
	user_verb_take(&verifying->verb, context, call);
}

void
role_register_verify(struct mailbox_role *role, struct control *control)
{
	control_register(control, "verify", CONTROL_CHANGE, on_verify, role);
}
