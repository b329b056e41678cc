/*
 * The verb repair: what verify has found in a user's file is mended, or set aside.  The store is closed meanwhile and opened by
 * the job alone, so sessions that have a mailbox selected are told BYE, and what else comes waits.  Each step is one
 * transaction and looks for itself at what is wrong: whoever is interrupted does it again.  When the process ends, or nobody
 * waits for the answer any more, it is given up within a step.  Loop thread; the work functions on
 * workers.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <sysexits.h>

#include "../shared/reparse.h"
#include "base/log.h"
#include "fault_lines.h"
#include "life.h"
#include "store/index.h"
#include "store/mark.h"
#include "store/repair.h"
#include "store/salvage.h"

struct repairing {
	struct user_verb verb;
	bool has_damaged_pages, has_damaged_index;
	uint64_t content_ids[CONTROL_WORDS_MAX];
	size_t content_count;
	struct fault_lines lines;
	struct buffer done;		/* a line for each, as findings are */
	struct salvage_report salvaged;
	int64_t mended, set_aside;
	atomic_bool is_over;		/* nobody wants it any more: set on the loop, while the worker is at it */
};

static void
free_repairing(struct user_verb *verb)
{
	struct repairing *repairing = CONTAINER_OF(verb, struct repairing, verb);

	fault_lines_fini(&repairing->lines);
	buffer_free(&repairing->done);
	salvage_report_fini(&repairing->salvaged);
	free(repairing);
}

/* ---- on a worker ---------------------------------------------------------------------------------------- */

static void
note(struct repairing *repairing, const char *word, uint64_t content_id, const char *format, const char *text)
{
	struct buffer line = { 0 };

	buffer_printf(&line, format, text);
	store_add_finding(&repairing->done, word, 0, content_id, buffer_string(&line));
	buffer_free(&line);
	repairing->mended++;
}

static enum store_status
mend_rows(struct store *store)
{
	enum store_status status = store_begin(store, STORE_DURABLE);

	return status == STORE_OK ? store_end(store, store_repair_rows(store)) : status;
}

/* First to a file, on the disk, then out of the mailboxes. */
static enum store_status
set_aside(struct repairing *repairing, struct store *store, uint64_t content_id)
{
	struct buffer path = { 0 };
	enum store_status status = store_repair_write_aside(store, content_id, &path);

	if (status == STORE_OK) {
		note(repairing, "set-aside", content_id, "what can be read of it is in %s", buffer_string(&path));
		repairing->set_aside++;
		status = fault_lines_take(&repairing->lines, store, &repairing->done);	/* while it has its place */
	}
	if (status == STORE_OK && (status = store_begin(store, STORE_DURABLE)) == STORE_OK)
		status = store_end(store, store_repair_set_aside(store, content_id));
	buffer_free(&path);
	return status;
}

static enum store_status
mend_parse(struct repairing *repairing, struct store *store, uint64_t content_id)
{
	enum store_status status = store_begin(store, STORE_DURABLE);

	if (status == STORE_OK)
		status = store_end(store, reparse_mend(store, content_id));
	if (status == STORE_OK)
		note(repairing, "parse", content_id, "%s", "what is kept of it was made anew");
	return status;
}

static enum store_status
mend_content(struct repairing *repairing, struct store *store, uint64_t content_id)
{
	const char *differs = NULL;
	bool is_whole;
	enum store_status status = store_repair_is_whole(store, content_id, &is_whole);

	if (status != STORE_OK)
		return status;
	if (!is_whole)
		return store_repair_is_used(store, content_id) ? set_aside(repairing, store, content_id) : STORE_OK;
	status = reparse_check(store, content_id, &differs);
	if (status == STORE_CORRUPT)
		differs = "texts";
	else if (status != STORE_OK)
		return status == STORE_NOT_FOUND ? STORE_OK : status;
	return differs != NULL ? mend_parse(repairing, store, content_id) : STORE_OK;
}

/* Octets that no content has: to a file, then away. */
static enum store_status
mend_strays(struct repairing *repairing, struct store *store)
{
	struct buffer path = { 0 };
	uint64_t content_id = 0;
	enum store_status status;

	while ((status = store_repair_stray(store, content_id, &content_id)) == STORE_OK && !atomic_load(&repairing->is_over)) {
		buffer_clear(&path);
		if ((status = store_repair_write_aside(store, content_id, &path)) != STORE_OK)
			break;
		note(repairing, "set-aside", content_id, "octets of no message; they are in %s", buffer_string(&path));
		if ((status = store_begin(store, STORE_DURABLE)) != STORE_OK ||
		    (status = store_end(store, store_repair_drop_stray(store, content_id))) != STORE_OK)
			break;
	}
	buffer_free(&path);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static enum store_status
mend_index(struct repairing *repairing, struct store *store)
{
	enum store_status status = repairing->has_damaged_index ? store_begin(store, STORE_DURABLE) : STORE_OK;

	if (!repairing->has_damaged_index || status != STORE_OK)
		return status;
	status = store_end(store, store_index_drop(store));
	if (status == STORE_OK)
		note(repairing, "index", 0, "%s", "dropped; it is made anew when the user is quiet");
	return status;
}

static enum store_status
mend(struct repairing *repairing, struct store *store)
{
	enum store_status status = mend_rows(store);

	for (size_t i = 0; status == STORE_OK && i < repairing->content_count && !atomic_load(&repairing->is_over); i++)
		status = mend_content(repairing, store, repairing->content_ids[i]);
	if (status == STORE_OK)
		status = mend_strays(repairing, store);
	if (status == STORE_OK)
		status = mend_rows(store);	/* once more, without what was set aside */
	if (status == STORE_OK)
		status = mend_index(repairing, store);
	return status == STORE_OK ? fault_lines_take(&repairing->lines, store, &repairing->done) : status;
}

static enum store_status
salvage(struct repairing *repairing, const struct store_opening *opening)
{
	struct salvage_report *report = &repairing->salvaged;
	enum store_status status = store_salvage(opening->path, opening->mark_path, report);

	if (status != STORE_OK)
		return status;
	note(repairing, "pages", 0, "what can be read is in a new file, the old one is %s", buffer_string(&report->kept_as));
	if (report->has_first_page)
		note(repairing, "pages", 0, "%s", "the first page of the file was made anew");
	if (report->given_up.length > 0)
		note(repairing, "pages", 0, "so much cannot be read that not all was tried; more may be missing of %s than is named here",
		    buffer_string(&report->given_up));
	return STORE_OK;
}

static enum store_status
work_repair(struct store *closed, struct account_job *job)
{
	struct repairing *repairing = CONTAINER_OF(job, struct repairing, verb.job);
	const struct account *account = repairing->verb.account;
	struct store_opening opening = { .path = account_path(account), .mark_path = account_mark_path(account),
		.era = repairing->verb.lookup.role->lock.era };
	enum store_status status = STORE_OK, ended;
	struct store *store;

	(void)closed;
	if (repairing->has_damaged_pages)
		status = salvage(repairing, &opening);
	if (status != STORE_OK || (status = store_open_marked(&opening, &store)) != STORE_OK) {
		free(opening.error);
		return atomic_load(&repairing->is_over) ? STORE_OK : status;
	}
	store_stop_by(store, &repairing->is_over);
	status = mend(repairing, store);
	ended = store_close(&store);
	if (atomic_load(&repairing->is_over))
		return STORE_OK;	/* as ordered: no fault of the file */
	return status == STORE_OK ? ended : status;
}

/* ---- on the loop ---------------------------------------------------------------------------------------- */

static void
tell(struct repairing *repairing)
{
	struct buffer line = { 0 };

	log_warning("store-repaired", log_text("user", account_user(repairing->verb.account)),
	    log_text("path", account_path(repairing->verb.account)), log_number("mended", repairing->mended),
	    log_number("set-aside", repairing->set_aside));
	fault_lines_reply(&repairing->verb, SPAN("repaired"), &repairing->lines);
	user_verb_begin_line(&repairing->verb, SPAN("repair"), &line);
	control_add_number(&line, "mended", repairing->mended);
	control_add_number(&line, "set-aside", repairing->set_aside);
	control_reply(repairing->verb.call, buffer_span(&line));
	buffer_free(&line);
}

static void
on_repaired(struct account_job *job)
{
	struct repairing *repairing = CONTAINER_OF(job, struct repairing, verb.job);

	if (atomic_load(&repairing->is_over)) {
		user_verb_end_cut_off(&repairing->verb);
		return;
	}
	if (job->status == STORE_OK)
		tell(repairing);
	if (job->status == STORE_CORRUPT)
		user_verb_end(&repairing->verb, EX_DATAERR, "this cannot be mended: `imapctl restore FOLDER NAME --replace` puts a backup in its place; "
		    "without one, move the file away, and `imapctl user renew NAME` begins anew");
	else
		user_verb_end_with(&repairing->verb, job->status);
}

static void
on_watch(struct user_verb *verb)
{
	if (user_verb_is_cut_off(verb))
		atomic_store(&CONTAINER_OF(verb, struct repairing, verb)->is_over, true);
}

static void
begin(struct user_verb *verb)
{
	if (verb->has_file) {
		user_verb_watch(verb);
		user_verb_submit(verb, ACCOUNT_ASIDE, work_repair, on_repaired);
	} else {
		user_verb_end(verb, EX_OK, NULL);
	}
}

/* NAME [pages] [index] [CONTENT]... */
static bool
read_words(struct repairing *repairing, const struct control_call *call)
{
	for (size_t i = 1; i < control_call_count(call); i++) {
		struct span word = control_call_word(call, i);

		if (span_equals(word, SPAN("pages")))
			repairing->has_damaged_pages = true;
		else if (span_equals(word, SPAN("index")))
			repairing->has_damaged_index = true;
		else if (span_to_number(word, INT64_MAX >> 20, &repairing->content_ids[repairing->content_count]))
			repairing->content_count++;
		else
			return false;
	}
	return control_call_count(call) > 0;
}

static void
on_repair(struct control_call *call, void *context)
{
	struct repairing *repairing = NEW(struct repairing);

	if (!read_words(repairing, call)) {
		free(repairing);
		control_finish(call, EX_USAGE, "repair NAME [pages] [index] [CONTENT]...");
		return;
	}
	repairing->verb.begin = begin;
	repairing->verb.on_watch = on_watch;
	repairing->salvaged.stop = &repairing->is_over;
	repairing->verb.free = free_repairing;
	user_verb_take(&repairing->verb, context, call);
}

void
role_register_repair(struct mailbox_role *role, struct control *control)
{
	control_register(control, "repair", CONTROL_CHANGE, on_repair, role);
}
