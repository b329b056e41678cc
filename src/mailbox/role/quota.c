/*
 * What users may keep and what they do keep: the verb quota, and the limits of single users, which are known from the
 * start, also of those who are asked for by others' commands alone.  Loop thread; the work functions on workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "base/memory.h"
#include "control/control.h"
#include "control/words.h"
#include "life.h"
#include "store/quota.h"

#define PAGE 256

struct asking {
	struct role_lookup lookup;
	struct control_call *call;
	struct job look;			/* whether there is a file: asking must not make one */
	bool has_file;
	struct account *account;
	struct account_job job;
	struct store_amounts usage, limits;
};

static void
end(struct asking *asking, int code, const char *text)
{
	struct mailbox_role *role = asking->lookup.role;

	control_finish(asking->call, code, text);
	account_release(&asking->account);
	free(asking);
	role->jobs--;
	role->on_ended(role);
}

static void
reply(const struct asking *asking, const char *resource, uint64_t used, uint64_t limit)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("quota"));
	control_add_field(&line, "user", directory_name_span(&asking->lookup.found));
	control_add_field(&line, "resource", span_from_string(resource));
	control_add_number(&line, "used", (int64_t)used);
	if (limit == STORE_NO_QUOTA) {
		control_add_field(&line, "limit", SPAN("none"));
		control_add_field(&line, "percent", SPAN(""));
	} else {
		control_add_number(&line, "limit", (int64_t)limit);
		control_add_number(&line, "percent", (int64_t)((double)used * 100 / (double)limit));
	}
	control_reply(asking->call, buffer_span(&line));
	buffer_free(&line);
}

static void
reply_all(struct asking *asking)
{
	static const char *const names[STORE_RESOURCE_COUNT] = {
		[STORE_RESOURCE_STORAGE] = "storage", [STORE_RESOURCE_MESSAGE] = "messages",
		[STORE_RESOURCE_MAILBOX] = "mailboxes",
	};

	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		reply(asking, names[i], asking->usage.of[i], asking->limits.of[i]);
	end(asking, EX_OK, NULL);
}

static enum store_status
work_usage(struct store *store, struct account_job *job)
{
	struct asking *asking = CONTAINER_OF(job, struct asking, job);

	return store_usage(store, &asking->usage, &asking->limits);
}

static void
on_usage(struct account_job *job)
{
	struct asking *asking = CONTAINER_OF(job, struct asking, job);

	if (job->status == STORE_OK)
		reply_all(asking);
	else
		end(asking, EX_IOERR, store_status_text(job->status));
}

static void
on_looked(struct job *job)
{
	struct asking *asking = CONTAINER_OF(job, struct asking, look);
	struct mailbox_role *role = asking->lookup.role;

	if (role->is_stopping) {
		end(asking, EX_TEMPFAIL, "not now, try again");
	} else if (!asking->has_file) {
		asking->limits = accounts_limits_of(role->accounts, asking->lookup.mailbox_id);
		reply_all(asking);
	} else {
		asking->account = account_hold(role->accounts, asking->lookup.mailbox_id, asking->lookup.found.text);
		asking->job.kind = ACCOUNT_READ;
		asking->job.work = work_usage;
		asking->job.done = on_usage;
		account_submit_quietly(asking->account, &asking->job);
	}
}

static void
work_look(struct job *job)
{
	struct asking *asking = CONTAINER_OF(job, struct asking, look);
	struct buffer path = { 0 };
	uint64_t size_octets;

	asking->has_file = mailbox_file(asking->lookup.role->data_directory, asking->lookup.mailbox_id, &path, &size_octets);
	buffer_free(&path);
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct asking *asking = CONTAINER_OF(lookup, struct asking, lookup);

	if (lookup->status == DIRECTORY_NOT_FOUND) {
		end(asking, EX_NOUSER, "there is no such user");
	} else if (lookup->status == DIRECTORY_ELSEWHERE) {
		end(asking, EX_UNAVAILABLE, "the user's mail is on another server");
	} else if (lookup->status != DIRECTORY_OK) {
		end(asking, EX_TEMPFAIL, "not now, try again");
	} else {
		asking->look.work = work_look;
		asking->look.done = on_looked;
		workers_submit(lookup->role->parts.storage, &asking->look);
	}
}

static void
on_quota(struct control_call *call, void *context)
{
	struct mailbox_role *role = context;
	struct asking *asking;

	if (control_call_count(call) != 1) {
		control_finish(call, EX_USAGE, "quota NAME");
		return;
	}
	asking = NEW(struct asking);
	role->jobs++;
	asking->call = call;
	asking->lookup.name_count = directory_prepare_name(control_call_word(call, 0), &asking->lookup.names[0]) ? 1 : 0;
	asking->lookup.done = on_looked_up;
	role_look_up(role, &asking->lookup);
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
