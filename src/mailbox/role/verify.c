/*
 * The verb verify: compares a user's file with itself.  The first call looks at its rows and at SQLite's pages; from then on each
 * takes about a second of digests and says how far it has come.  Nothing is changed.  Loop thread; the work functions on
 * workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "life.h"
#include "user_verb.h"

#define SLICE_US 15000

struct verifying {
	struct user_verb verb;
	uint64_t content_id, checked;
	bool is_more;
	struct buffer findings;
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

	buffer_free(&verifying->findings);
	free(verifying);
}

static void
reply(struct verifying *verifying, const char *state)
{
	int64_t faults = user_verb_reply_faults(&verifying->verb, buffer_span(&verifying->findings));
	struct buffer line = { 0 };

	user_verb_begin_line(&verifying->verb, SPAN("verify"), &line);
	control_add_field(&line, "state", span_from_string(state));
	control_add_number(&line, "messages", (int64_t)verifying->checked);
	control_add_number(&line, "faults", faults);
	control_add_number(&line, "content", (int64_t)verifying->content_id);
	control_reply(verifying->verb.call, buffer_span(&line));
	buffer_free(&line);
}

static enum store_status
work_digests(struct store *store, struct account_job *job)
{
	struct verifying *verifying = verifying_of(job);

	return store_verify_digests(store, &verifying->content_id, clock_monotonic_us() + SLICE_US, &verifying->findings,
	    &verifying->checked, &verifying->is_more);
}

static void
on_digests(struct account_job *job)
{
	struct verifying *verifying = verifying_of(job);

	if (job->status == STORE_OK && verifying->is_more && !user_verb_is_time_up(&verifying->verb)) {
		account_submit_quietly(verifying->verb.account, job);
		return;
	}
	if (job->status == STORE_OK)
		reply(verifying, verifying->is_more ? "running" : "done");
	user_verb_end_with(&verifying->verb, job->status);
}

/* What is found is the answer, and no failure of the job: the file is in use. */
static enum store_status
work_file(struct store *store, struct account_job *job)
{
	struct verifying *verifying = verifying_of(job);
	enum store_status status = store_verify(store, STORE_VERIFY_FILE, &verifying->findings);

	return status == STORE_CORRUPT && verifying->findings.length > 0 ? STORE_OK : status;
}

static void
on_file(struct account_job *job)
{
	struct verifying *verifying = verifying_of(job);

	if (job->status == STORE_OK)
		user_verb_submit(&verifying->verb, ACCOUNT_READ, work_digests, on_digests);
	else
		user_verb_end_with(&verifying->verb, job->status);
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
		user_verb_submit(verb, ACCOUNT_READ, work_file, on_file);
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
	verifying->verb.is_anywhere = true;
	verifying->verb.begin = begin;
	verifying->verb.free = free_verifying;
	user_verb_take(&verifying->verb, context, call);
}

void
role_register_verify(struct mailbox_role *role, struct control *control)
{
	control_register(control, "verify", CONTROL_CHANGE, on_verify, role);
}
