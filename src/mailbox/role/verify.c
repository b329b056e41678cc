/*
 * The verb verify: compares a user's file with itself.  The first call looks at its rows and at SQLite's pages; from then on each
 * takes about a second of digests and says how far it has come.  Nothing is changed.  Loop thread; the work functions on
 * workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "base/clock.h"
#include "control/control.h"
#include "control/words.h"
#include "life.h"

#define CALL_US	 (1 * UINT64_C(1000000))
#define SLICE_US 15000

struct verifying {
	struct role_lookup lookup;
	struct control_call *call;
	struct job look;			/* whether there is a file: asking must not make one */
	bool has_file;
	struct account *account;
	struct account_job job;
	uint64_t until_us, content_id, checked;
	bool is_more;
	struct buffer findings;
};

static void
end(struct verifying *verifying, int code, const char *text)
{
	struct mailbox_role *role = verifying->lookup.role;

	control_finish(verifying->call, code, text);
	account_release(&verifying->account);
	buffer_free(&verifying->findings);
	free(verifying);
	role->jobs--;
	role->on_ended(role);
}

static void
end_not_now(struct verifying *verifying)
{
	end(verifying, EX_TEMPFAIL, "not now, try again");
}

/* One line for each finding; gives how many. */
static int64_t
reply_findings(struct verifying *verifying)
{
	struct span rest = buffer_span(&verifying->findings);
	struct buffer line = { 0 };
	int64_t count = 0;

	for (; rest.length > 0; count++) {
		size_t length = span_find(rest, '\n');

		buffer_clear(&line);
		control_add_word(&line, SPAN("fault"));
		control_add_field(&line, "user", directory_name_span(&verifying->lookup.found));
		control_add_field(&line, "text", span_slice(rest, 0, length));
		control_reply(verifying->call, buffer_span(&line));
		rest = span_from(rest, length + 1);
	}
	buffer_free(&line);
	return count;
}

static void
reply(struct verifying *verifying, const char *state)
{
	int64_t faults = reply_findings(verifying);
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("verify"));
	control_add_field(&line, "user", directory_name_span(&verifying->lookup.found));
	control_add_field(&line, "state", span_from_string(state));
	control_add_number(&line, "messages", (int64_t)verifying->checked);
	control_add_number(&line, "faults", faults);
	control_add_number(&line, "content", (int64_t)verifying->content_id);
	control_reply(verifying->call, buffer_span(&line));
	buffer_free(&line);
}

static enum store_status
work_digests(struct store *store, struct account_job *job)
{
	struct verifying *verifying = CONTAINER_OF(job, struct verifying, job);

	return store_verify_digests(store, &verifying->content_id, clock_monotonic_us() + SLICE_US, &verifying->findings,
	    &verifying->checked, &verifying->is_more);
}

static void
on_digests(struct account_job *job)
{
	struct verifying *verifying = CONTAINER_OF(job, struct verifying, job);
	bool is_time_up = clock_monotonic_us() >= verifying->until_us || verifying->lookup.role->is_stopping ||
	    control_call_is_gone(verifying->call);

	if (job->status != STORE_OK) {
		end(verifying, EX_IOERR, store_status_text(job->status));
	} else if (verifying->is_more && !is_time_up) {
		account_submit_quietly(verifying->account, job);
	} else {
		reply(verifying, verifying->is_more ? "running" : "done");
		end(verifying, EX_OK, NULL);
	}
}

static void
submit_digests(struct verifying *verifying)
{
	verifying->job.kind = ACCOUNT_READ;
	verifying->job.work = work_digests;
	verifying->job.done = on_digests;
	account_submit_quietly(verifying->account, &verifying->job);
}

/* What is found is the answer, and no failure of the job: the file is in use. */
static enum store_status
work_file(struct store *store, struct account_job *job)
{
	struct verifying *verifying = CONTAINER_OF(job, struct verifying, job);
	enum store_status status = store_verify(store, STORE_VERIFY_FILE, &verifying->findings);

	return status == STORE_CORRUPT && verifying->findings.length > 0 ? STORE_OK : status;
}

static void
on_file(struct account_job *job)
{
	struct verifying *verifying = CONTAINER_OF(job, struct verifying, job);

	if (job->status == STORE_OK)
		submit_digests(verifying);
	else
		end(verifying, EX_IOERR, store_status_text(job->status));
}

static void
begin(struct verifying *verifying)
{
	verifying->account = account_hold(verifying->lookup.role->accounts, verifying->lookup.mailbox_id,
	    verifying->lookup.found.text);
	if (verifying->content_id > 0) {
		submit_digests(verifying);
		return;
	}
	verifying->job.kind = ACCOUNT_READ;
	verifying->job.work = work_file;
	verifying->job.done = on_file;
	account_submit_quietly(verifying->account, &verifying->job);
}

static void
on_looked(struct job *job)
{
	struct verifying *verifying = CONTAINER_OF(job, struct verifying, look);

	if (verifying->lookup.role->is_stopping) {
		end_not_now(verifying);
	} else if (!verifying->has_file) {
		reply(verifying, "none");
		end(verifying, EX_OK, NULL);
	} else {
		begin(verifying);
	}
}

static void
work_look(struct job *job)
{
	struct verifying *verifying = CONTAINER_OF(job, struct verifying, look);
	struct buffer path = { 0 };
	uint64_t size_octets;

	verifying->has_file = mailbox_file(verifying->lookup.role->data_directory, verifying->lookup.mailbox_id, &path,
	    &size_octets);
	buffer_free(&path);
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct verifying *verifying = CONTAINER_OF(lookup, struct verifying, lookup);

	if (lookup->status == DIRECTORY_NOT_FOUND) {
		end(verifying, EX_NOUSER, "there is no such user");
	} else if (lookup->status != DIRECTORY_OK) {
		end_not_now(verifying);
	} else {
		verifying->look.work = work_look;
		verifying->look.done = on_looked;
		workers_submit(lookup->role->parts.storage, &verifying->look);
	}
}

/* NAME CONTENT: where the last call has ended, or 0. */
static void
on_verify(struct control_call *call, void *context)
{
	struct verifying *verifying = NEW(struct verifying);
	struct mailbox_role *role = context;

	if (control_call_count(call) != 2 ||
	    !span_to_number(control_call_word(call, 1), INT64_MAX, &verifying->content_id)) {
		free(verifying);
		control_finish(call, EX_USAGE, "verify NAME CONTENT");
		return;
	}
	role->jobs++;
	verifying->call = call;
	verifying->until_us = clock_monotonic_us() + CALL_US;
	verifying->lookup.name_count = directory_prepare_name(control_call_word(call, 0), &verifying->lookup.names[0]) ? 1 : 0;
	verifying->lookup.done = on_looked_up;
	role_look_up(role, &verifying->lookup);
}

void
role_register_verify(struct mailbox_role *role, struct control *control)
{
	control_register(control, "verify", CONTROL_CHANGE, on_verify, role);
}
