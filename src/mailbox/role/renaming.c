/*
 * Users who have got another name in the directory: sessions by the old one end, and every file of this host is looked at,
 * one after the other, in no hurry: rights that it gives to the old name or takes from it, and subscriptions to what the
 * user shares.  So are those of deleted users, whose mail may come back.  Until the last one says the new name, both names mean the user where rights are looked up.  A file that
 * cannot be changed is tried again; a process that begins looks at all of them anew.  Loop thread; the work_ functions on
 * workers.
 */
#include <stdlib.h>

#include "../session/session.h"
#include "../shared/renames.h"
#include "../shared/shares.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "life.h"

#define PAGE	      256
#define RETRY_MS      5000
#define RETRY_MOST_MS 300000
#define GONE_TEXT     "The user has another name now"

struct renaming {
	struct rename rename;
	struct mailbox_role *role;
	struct role_ask ask;
	const char *data_directory;
	const char *prefix_others, *prefix_shared;	/* of names of mailboxes of others; in the arena */
	struct arena *arena;		/* of a pass */
	struct directory_mailbox *page;	/* those that have a file */
	size_t count, next;
	bool is_last_page;
	char after[DIRECTORY_ID_LENGTH + 1];
	struct account *account;
	struct account_job job;
	bool is_named;			/* the file says the old name */
	size_t failed, changed;		/* files: of this pass, of all */
	uint64_t began_us, wait_ms;
	struct timer retry;
	bool is_busy;			/* a job is under way, and looks whether it is all over when it comes home */
	struct list waits;
};

struct rename_wait {
	struct list link;
	mailbox_renamed *on_renamed;
	void *context;
};

static struct span
old_name(const struct renaming *renaming)
{
	return directory_name_span(&renaming->rename.row.name);
}

static struct span
new_name(const struct renaming *renaming)
{
	return directory_name_span(&renaming->rename.row.new_name);
}

static void
answer(struct renaming *renaming, enum mailbox_renaming outcome)
{
	struct list *link;

	while ((link = list_pop_front(&renaming->waits)) != NULL) {
		struct rename_wait *wait = LIST_ENTRY(link, struct rename_wait, link);

		wait->on_renamed(outcome, wait->context);
		free(wait);
	}
}

static void
renaming_free(struct renaming *renaming)
{
	answer(renaming, MAILBOX_RENAME_GOES_ON);
	timer_stop(&renaming->retry);
	list_remove(&renaming->rename.link);
	arena_free(&renaming->arena);
	free(renaming);
}

/* A job has come home.  False: the role ends, and this with it. */
static bool
is_home(struct renaming *renaming)
{
	renaming->is_busy = false;
	if (!renaming->role->is_stopping)
		return true;
	account_release(&renaming->account);
	renaming_free(renaming);
	return false;
}

static void
ask(struct renaming *renaming, enum directory_status (*work)(struct role_ask *ask, struct directory *directory),
    void (*done)(struct role_ask *ask))
{
	renaming->is_busy = true;
	renaming->ask.work = work;
	renaming->ask.done = done;
	role_submit_ask(renaming->role, &renaming->ask);
}

/* ---- the end -------------------------------------------------------------------------------------------- */

/* They came while files said the old name, which may be somebody else's from now on. */
static void
end_sessions_with_both(struct renaming *renaming)
{
	LIST_FOREACH(&renaming->role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (session->has_former_name && span_equals(span_from_string(session->user), new_name(renaming)))
			session_bye(session, METRIC_KICKED, NULL, GONE_TEXT);
	}
}

static void
try_later(struct renaming *renaming)
{
	log_warning("rename-waits", log_span("user", new_name(renaming)), log_span("former", old_name(renaming)),
	    log_number("files", (int64_t)renaming->failed));
	answer(renaming, MAILBOX_RENAME_GOES_ON);
	renaming->wait_ms = renaming->wait_ms == 0 ? RETRY_MS : renaming->wait_ms * 2;
	if (renaming->wait_ms > RETRY_MOST_MS)
		renaming->wait_ms = RETRY_MOST_MS;
	timer_start_ms(&renaming->retry, renaming->wait_ms);
}

static enum directory_status
work_walked(struct role_ask *ask, struct directory *directory)
{
	return directory_rename_walked(directory, &CONTAINER_OF(ask, struct renaming, ask)->rename.row);
}

static void
on_walked(struct role_ask *ask)
{
	struct renaming *renaming = CONTAINER_OF(ask, struct renaming, ask);

	if (!is_home(renaming))
		return;
	if (ask->status != DIRECTORY_OK) {
		try_later(renaming);
		return;
	}
	log_info("renamed", log_span("user", new_name(renaming)), log_span("former", old_name(renaming)),
	    log_number("files", (int64_t)renaming->changed),
	    log_number("ms", (int64_t)(clock_monotonic_us() - renaming->began_us) / 1000));
	end_sessions_with_both(renaming);
	answer(renaming, MAILBOX_RENAMED);
	renaming_free(renaming);
}

/* ---- one file after the other --------------------------------------------------------------------------- */

static void next_file(struct renaming *renaming);

/* "Other Users/ada" */
static struct span
path_of(struct arena *arena, const char *prefix, struct span name)
{
	struct buffer path = { 0 };
	struct span copy;

	buffer_printf(&path, "%s/%.*s", prefix, SPAN_ARGS(name));
	copy = arena_copy(arena, buffer_span(&path));
	buffer_free(&path);
	return copy;
}

static bool
is_own(const struct renaming *renaming)
{
	return strcmp(account_id(renaming->account), renaming->rename.row.mailbox_id) == 0;
}

/* What the user has given the new name, when that was nobody's, is the user's own. */
static enum store_status
look(struct store *store, struct renaming *renaming, bool *is_named_out)
{
	const char *const prefixes[] = { renaming->prefix_others, renaming->prefix_shared };
	struct arena *arena = arena_new();
	bool is_named = false;
	enum store_status status = store_acl_has(store, old_name(renaming), &is_named);

	if (status == STORE_OK && !is_named && is_own(renaming))
		status = store_acl_has(store, new_name(renaming), &is_named);
	for (size_t i = 0; i < COUNT_OF(prefixes) && status == STORE_OK && !is_named; i++)
		status = store_subscription_has(store, path_of(arena, prefixes[i], old_name(renaming)), &is_named);
	arena_free(&arena);
	*is_named_out = is_named;
	return status;
}

static enum store_status
work_look(struct store *store, struct account_job *job)
{
	struct renaming *renaming = CONTAINER_OF(job, struct renaming, job);

	return look(store, renaming, &renaming->is_named);
}

static enum store_status
work_rename(struct store *store, struct account_job *job)
{
	struct renaming *renaming = CONTAINER_OF(job, struct renaming, job);
	const char *const prefixes[] = { renaming->prefix_others, renaming->prefix_shared };
	struct arena *arena = arena_new();
	enum store_status status = store_acl_rename(store, old_name(renaming), new_name(renaming));

	if (status == STORE_OK && is_own(renaming))
		status = store_acl_forget(store, new_name(renaming));
	for (size_t i = 0; i < COUNT_OF(prefixes) && status == STORE_OK; i++)
		status = store_subscription_rename(store, path_of(arena, prefixes[i], old_name(renaming)),
		    path_of(arena, prefixes[i], new_name(renaming)));
	arena_free(&arena);
	return status;
}

/* A file that is gone says nothing. */
static void
end_file(struct renaming *renaming, enum store_status status)
{
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		renaming->failed++;
	account_release(&renaming->account);
	next_file(renaming);
}

static void
on_file_renamed(struct account_job *job)
{
	struct renaming *renaming = CONTAINER_OF(job, struct renaming, job);
	struct mailbox_role *role = renaming->role;

	if (is_home(renaming)) {
		renaming->changed += job->status == STORE_OK;
		end_file(renaming, job->status);
	}
	role->jobs--;
	role->on_ended(role);
}

static void
submit(struct renaming *renaming, enum account_kind kind,
    enum store_status (*work)(struct store *store, struct account_job *job), void (*done)(struct account_job *job))
{
	renaming->is_busy = true;
	renaming->role->jobs++;
	renaming->job.kind = kind;
	renaming->job.work = work;
	renaming->job.done = done;
	account_submit_quietly(renaming->account, &renaming->job);
}

static void
on_looked(struct account_job *job)
{
	struct renaming *renaming = CONTAINER_OF(job, struct renaming, job);
	struct mailbox_role *role = renaming->role;

	if (is_home(renaming)) {
		if (job->status == STORE_OK && renaming->is_named)
			submit(renaming, ACCOUNT_DURABLE, work_rename, on_file_renamed);
		else
			end_file(renaming, job->status);
	}
	role->jobs--;
	role->on_ended(role);
}

/* Who has no file is left alone: to look must not make one. */
static enum directory_status
work_page(struct role_ask *ask, struct directory *directory)
{
	struct renaming *renaming = CONTAINER_OF(ask, struct renaming, ask);
	struct span after = span_from_string(renaming->after);
	size_t count;
	enum directory_status status = directory_list_mailboxes(directory, after, renaming->arena, renaming->page, PAGE, &count);

	renaming->count = renaming->next = 0;
	renaming->is_last_page = status == DIRECTORY_OK && count < PAGE;
	for (size_t i = 0; status == DIRECTORY_OK && i < count; i++) {
		struct buffer path = { 0 };
		uint64_t size_octets;

		memcpy(renaming->after, renaming->page[i].mailbox_id, sizeof renaming->after);
		if (mailbox_file(renaming->data_directory, renaming->page[i].mailbox_id, &path, &size_octets))
			renaming->page[renaming->count++] = renaming->page[i];
		buffer_free(&path);
	}
	return status;
}

static void
on_page(struct role_ask *ask)
{
	struct renaming *renaming = CONTAINER_OF(ask, struct renaming, ask);

	if (!is_home(renaming))
		return;
	if (ask->status == DIRECTORY_OK)
		next_file(renaming);
	else
		try_later(renaming);
}

static void
next_file(struct renaming *renaming)
{
	const struct directory_mailbox *mailbox = &renaming->page[renaming->next];
	char *user;

	if (renaming->next < renaming->count) {
		renaming->next++;
		user = memory_copy_span(mailbox->name);
		renaming->account = account_hold(renaming->role->accounts, mailbox->mailbox_id, user);
		free(user);
		submit(renaming, ACCOUNT_READ, work_look, on_looked);
	} else if (!renaming->is_last_page) {
		ask(renaming, work_page, on_page);
	} else if (renaming->failed > 0) {
		try_later(renaming);
	} else {
		ask(renaming, work_walked, on_walked);
	}
}

static void
walk(void *context)
{
	struct renaming *renaming = context;

	arena_free(&renaming->arena);
	renaming->arena = arena_new();
	renaming->page = arena_alloc_array(renaming->arena, PAGE, sizeof *renaming->page);
	renaming->prefix_others = arena_copy_string(renaming->arena, span_from_string(renaming->role->parts.config->namespace_others));
	renaming->prefix_shared = arena_copy_string(renaming->arena, span_from_string(renaming->role->parts.config->namespace_shared));
	renaming->after[0] = '\0';
	renaming->failed = 0;
	ask(renaming, work_page, on_page);
}

/* ---- which there are ------------------------------------------------------------------------------------ */

/* What the directory has noted, and who waits for one of them. */
struct noticing {
	struct role_ask ask;
	struct arena *arena;
	struct directory_rename *rows;
	size_t count;
	struct rename_wait *wait;	/* NULL: nobody */
	struct directory_name name;	/* the old one that is waited for */
};

static struct renaming *
find(const struct mailbox_role *role, struct span name)
{
	const struct rename *rename = renames_find(role, name);

	return rename == NULL || !span_equals(directory_name_span(&rename->row.name), name) ? NULL :
	    (struct renaming *)CONTAINER_OF((struct rename *)(uintptr_t)rename, struct renaming, rename);
}

/* Who was let in before the directory had the new name is here by now: this comes behind their look-ups. */
static void
take_up(struct mailbox_role *role, const struct directory_rename *row)
{
	struct renaming *renaming = NEW(struct renaming);

	renaming->rename.row = *row;
	renaming->role = role;
	renaming->data_directory = role->data_directory;
	renaming->began_us = clock_monotonic_us();
	list_init(&renaming->waits);
	timer_init(&renaming->retry, role->parts.loop, walk, renaming);
	list_push_back(&role->renames, &renaming->rename.link);
	shares_rename_user(role, old_name(renaming), new_name(renaming));
	if (row->mailbox_id[0] != '\0')
		accounts_rename(role->accounts, row->mailbox_id, row->new_name.text);
	role_end_user(role, old_name(renaming), GONE_TEXT);
	walk(renaming);
}

static enum directory_status
work_notice(struct role_ask *ask, struct directory *directory)
{
	struct noticing *noticing = CONTAINER_OF(ask, struct noticing, ask);

	return directory_rename_list(directory, noticing->arena, &noticing->rows, &noticing->count);
}

/* Whom nobody renames has been renamed. */
static void
wait_for(struct noticing *noticing)
{
	struct renaming *renaming = find(noticing->ask.role, directory_name_span(&noticing->name));
	bool is_known = noticing->ask.status == DIRECTORY_OK && !noticing->ask.role->is_stopping;

	if (renaming != NULL) {
		list_push_back(&renaming->waits, &noticing->wait->link);
		return;
	}
	noticing->wait->on_renamed(is_known ? MAILBOX_RENAMED : MAILBOX_RENAME_GOES_ON, noticing->wait->context);
	free(noticing->wait);
}

static void
on_noticed(struct role_ask *ask)
{
	struct noticing *noticing = CONTAINER_OF(ask, struct noticing, ask);

	for (size_t i = 0; i < noticing->count && !ask->role->is_stopping; i++)
		if (noticing->rows[i].is_switched && !noticing->rows[i].is_walked &&
		    find(ask->role, directory_name_span(&noticing->rows[i].name)) == NULL)
			take_up(ask->role, &noticing->rows[i]);
	if (noticing->wait != NULL)
		wait_for(noticing);
	arena_free(&noticing->arena);
	free(noticing);
}

static struct noticing *
notice(struct mailbox_role *role)
{
	struct noticing *noticing = NEW(struct noticing);

	noticing->arena = arena_new();
	noticing->ask.work = work_notice;
	noticing->ask.done = on_noticed;
	role_submit_ask(role, &noticing->ask);
	return noticing;
}

void
role_begin_renames(struct mailbox_role *role)
{
	notice(role);
}

void
role_end_renames(struct mailbox_role *role)
{
	LIST_FOREACH(&role->renames, link) {
		struct renaming *renaming = CONTAINER_OF(LIST_ENTRY(link, struct rename, link), struct renaming, rename);

		if (!renaming->is_busy)
			renaming_free(renaming);
	}
}

void
mailbox_role_rename(struct mailbox_role *role, const char *name, mailbox_renamed *on_renamed, void *context)
{
	struct noticing *noticing = notice(role);

	noticing->wait = NEW(struct rename_wait);
	noticing->wait->on_renamed = on_renamed;
	noticing->wait->context = context;
	directory_prepare_name(span_from_string(name), &noticing->name);
}
