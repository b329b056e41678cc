/*
 * The verb verify: compares a user's file with itself.  The first call looks at its rows and at SQLite's pages; from then on each
 * takes about a second of digests and says how far it has come.  Nothing is changed.  Loop thread; the work functions on
 * workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../shared/reparse.h"
#include "fault_lines.h"
#include "life.h"
#include "user_verb.h"

#define SLICE_US 15000

struct verifying {
	struct user_verb verb;
	uint64_t content_id, checked;
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
end_unreadable(struct verifying *verifying, const struct account_job *job)
{
	if (!verifying->is_unreadable)
		fault_lines_add_pages(&verifying->lines, job->error);
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
		end_unreadable(verifying, job);
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

/* What is found is the answer, and no failure of the job: the file is in use. */
static enum store_status
work_file(struct store *store, struct account_job *job)
{
	struct verifying *verifying = verifying_of(job);
	enum store_status status = store_verify(store, STORE_VERIFY_FILE, &verifying->findings);

	if (status == STORE_CORRUPT && verifying->findings.length == 0)
		store_add_finding(&verifying->findings, "pages", 0, 0, store_error(store));
	verifying->is_unreadable = has_pages(buffer_span(&verifying->findings));
	return status == STORE_OK || status == STORE_CORRUPT ?
	    fault_lines_take(&verifying->lines, store, &verifying->findings) : status;
}

static void
on_file(struct account_job *job)
{
	struct verifying *verifying = verifying_of(job);

	if (job->status == STORE_CORRUPT || verifying->is_unreadable)
		end_unreadable(verifying, job);
	else if (job->status == STORE_OK)
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
