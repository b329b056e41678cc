/*
 * What users may keep and what they do keep: the verb quota, and the limits of single users, which are known from the
 * start, also of those who are asked for by others' commands alone.  Loop thread; the work functions on workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "base/memory.h"
#include "life.h"
#include "store/quota.h"
#include "user_verb.h"

#define PAGE 256

struct asking {
	struct user_verb verb;
	struct store_amounts usage, limits;
};

static void
free_asking(struct user_verb *verb)
{
	free(CONTAINER_OF(verb, struct asking, verb));
}

static void
reply(const struct asking *asking, const char *resource, uint64_t used, uint64_t limit)
{
	struct buffer line = { 0 };

	user_verb_begin_line(&asking->verb, SPAN("quota"), &line);
	control_add_field(&line, "resource", span_from_string(resource));
	control_add_number(&line, "used", (int64_t)used);
	if (limit == STORE_NO_QUOTA) {
		control_add_field(&line, "limit", SPAN("none"));
		control_add_field(&line, "percent", SPAN(""));
	} else {
		control_add_number(&line, "limit", (int64_t)limit);
		control_add_number(&line, "percent", (int64_t)((double)used * 100 / (double)limit));
	}
	control_reply(asking->verb.call, buffer_span(&line));
	buffer_free(&line);
}

static void
reply_all(const struct asking *asking)
{
	static const char *const names[STORE_RESOURCE_COUNT] = {
		[STORE_RESOURCE_STORAGE] = "storage", [STORE_RESOURCE_MESSAGE] = "messages",
		[STORE_RESOURCE_MAILBOX] = "mailboxes",
	};

	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		reply(asking, names[i], asking->usage.of[i], asking->limits.of[i]);
}

static enum store_status
work_usage(struct store *store, struct account_job *job)
{
	struct asking *asking = CONTAINER_OF(job, struct asking, verb.job);

	return store_usage(store, &asking->usage, &asking->limits);
}

static void
on_usage(struct account_job *job)
{
	struct asking *asking = CONTAINER_OF(job, struct asking, verb.job);

	if (job->status == STORE_OK)
		reply_all(asking);
	user_verb_end_with(&asking->verb, job->status);
}

static void
begin(struct user_verb *verb)
{
	struct asking *asking = CONTAINER_OF(verb, struct asking, verb);

	if (verb->has_file) {
		user_verb_submit(verb, ACCOUNT_READ, work_usage, on_usage);
		return;
	}
	asking->limits = accounts_limits_of(verb->lookup.role->accounts, verb->lookup.mailbox_id);
	reply_all(asking);
	user_verb_end(verb, EX_OK, NULL);
}

static void
on_quota(struct control_call *call, void *context)
{
	struct asking *asking;

	if (control_call_count(call) != 1) {
		control_finish(call, EX_USAGE, "quota NAME");
		return;
	}
	asking = NEW(struct asking);
	asking->verb.begin = begin;
	asking->verb.free = free_asking;
	user_verb_take(&asking->verb, context, call);
}

void
role_register_quota(struct mailbox_role *role, struct control *control)
{
	control_register(control, "quota", CONTROL_VIEW, on_quota, role);
}

void
mailbox_role_note_quota(struct mailbox_role *role, const char *mailbox_id, const struct directory_quota *quota)
{
	role_note_quota(role, mailbox_id, quota);
}

/* What is said of single users. */
struct loading {
	struct job job;
	struct mailbox_role *role;
	struct arena *arena;
	struct directory_user *users;
	size_t count;
};

static void
work_load(struct job *job)
{
	struct loading *loading = CONTAINER_OF(job, struct loading, job);
	struct span after = SPAN("");
	size_t count = PAGE;

	while (count == PAGE) {
		loading->users = memory_resize(loading->users, loading->count + PAGE, sizeof *loading->users);
		if (directory_list_limited(loading->role->parts.directory, after, loading->arena,
		    loading->users + loading->count, PAGE, &count) != DIRECTORY_OK)
			return;		/* it is logged, and the lookups to come find it out, too */
		loading->count += count;
		if (count > 0)
			after = loading->users[loading->count - 1].name;
	}
}

static void
on_loaded(struct job *job)
{
	struct loading *loading = CONTAINER_OF(job, struct loading, job);
	struct mailbox_role *role = loading->role;

	for (size_t i = 0; i < loading->count; i++)
		role_note_quota(role, loading->users[i].mailbox_id, &loading->users[i].quota);
	arena_free(&loading->arena);
	free(loading->users);
	free(loading);
	role->jobs--;
	role->on_ended(role);
}

/* On the queue of the lookups, so that it is known when the first of them is answered. */
void
role_load_quotas(struct mailbox_role *role)
{
	struct loading *loading = NEW(struct loading);

	loading->role = role;
	loading->arena = arena_new();
	loading->job.work = work_load;
	loading->job.done = on_loaded;
	role_ask_directory(role, &loading->job);
}
