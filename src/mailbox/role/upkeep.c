/*
 * What an operator may have done to users' files: renewed when one is gone for good, removed when its user is; and
 * taking off what was wrong.  Loop thread; the work functions on workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../shared/fault.h"
#include "control/control.h"
#include "life.h"

static void
on_acknowledge(struct control_call *call, void *context)
{
	struct mailbox_role *role = context;
	struct span word = control_call_count(call) == 1 ? control_call_word(call, 0) : SPAN("");
	char *user;
	size_t count;

	if (word.length == 0) {
		control_finish(call, EX_USAGE, "whose problems: a user's name, or all?");
		return;
	}
	user = span_equals(word, SPAN("all")) ? NULL : memory_copy_span(word);
	count = faults_forget(role->faults, user);
	free(user);
	control_replyf(call, "acknowledged problems:=%zu", count);
	if (count > 0)
		control_finish(call, EX_OK, NULL);
	else
		control_finish(call, 1, "there is no such problem");
}

/* A job on the file of one user, for a call. */
struct upkeep {
	struct role_lookup lookup;
	struct account_job job;
	struct account *account;
	struct control_call *call;
};

static void
on_renewed(struct account_job *job)
{
	struct upkeep *upkeep = CONTAINER_OF(job, struct upkeep, job);
	struct mailbox_role *role = upkeep->lookup.role;

	if (job->status == STORE_OK) {
		faults_end(role->faults, upkeep->lookup.mailbox_id, FAULT_BIT(FAULT_MISSING), 0);
		control_finish(upkeep->call, EX_OK, NULL);
	} else if (job->status == STORE_EXISTS) {
		control_finish(upkeep->call, EX_CANTCREAT, "the user's mail is there");
	} else {
		control_finish(upkeep->call, EX_IOERR, store_status_text(job->status));
	}
	account_release(&upkeep->account);
	free(upkeep);
}

static enum store_status
work_renew(struct store *store, struct account_job *job)
{
	const struct upkeep *upkeep = CONTAINER_OF(job, struct upkeep, job);

	(void)store;
	return store_mark_renew(account_path(upkeep->account), account_mark_path(upkeep->account));
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct upkeep *upkeep = CONTAINER_OF(lookup, struct upkeep, lookup);

	if (lookup->status == DIRECTORY_OK && !lookup->role->is_stopping) {
		upkeep->account = account_hold(lookup->role->accounts, lookup->mailbox_id, lookup->found.text);
		upkeep->job.kind = ACCOUNT_ASIDE;
		upkeep->job.work = work_renew;
		upkeep->job.done = on_renewed;
		account_submit(upkeep->account, &upkeep->job);
		return;
	}
	if (lookup->status == DIRECTORY_NOT_FOUND)
		control_finish(upkeep->call, EX_NOUSER, "there is no such user");
	else
		control_finish(upkeep->call, EX_TEMPFAIL, "not now, try again");
	free(upkeep);
}

static void
on_renew(struct control_call *call, void *context)
{
	struct upkeep *upkeep;

	if (control_call_count(call) != 1) {
		control_finish(call, EX_USAGE, "user renew NAME");
		return;
	}
	upkeep = NEW(struct upkeep);
	upkeep->call = call;
	upkeep->lookup.name_count =
	    directory_prepare_name(control_call_word(call, 0), &upkeep->lookup.names[0]) ? 1 : 0;
	upkeep->lookup.done = on_looked_up;
	role_look_up(context, &upkeep->lookup);
}

struct removal {
	struct account_job job;
	struct mailbox_role *role;
	struct account *account;
	mailbox_removed *on_removed;
	void *context;
};

static enum store_status
work_remove(struct store *store, struct account_job *job)
{
	const struct removal *removal = CONTAINER_OF(job, struct removal, job);

	(void)store;
	return store_remove(account_path(removal->account), account_mark_path(removal->account));
}

static void
on_removed(struct account_job *job)
{
	struct removal *removal = CONTAINER_OF(job, struct removal, job);
	struct mailbox_role *role = removal->role;

	account_release(&removal->account);
	removal->on_removed(job->status == STORE_OK ? MAILBOX_REMOVED
	    : job->status == STORE_NOT_FOUND ? MAILBOX_NOT_THERE : MAILBOX_NOT_REMOVED, removal->context);
	free(removal);
	role->jobs--;
	role->on_ended(role);
}

void
mailbox_role_remove(struct mailbox_role *role, const char *mailbox_id, const char *user,
    mailbox_removed *when_removed, void *context)
{
	struct removal *removal = NEW(struct removal);

	role->jobs++;
	removal->role = role;
	removal->account = account_hold(role->accounts, mailbox_id, user);
	removal->on_removed = when_removed;
	removal->context = context;
	removal->job.kind = ACCOUNT_REMOVE;
	removal->job.work = work_remove;
	removal->job.done = on_removed;
	account_submit(removal->account, &removal->job);
}

void
role_register_upkeep(struct mailbox_role *role, struct control *control)
{
	control_register(control, "acknowledge", CONTROL_CHANGE, on_acknowledge, role);
	control_register(control, "user renew", CONTROL_CHANGE, on_renew, role);
}
