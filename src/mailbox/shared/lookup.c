/*
 * Who a name is: asked of the directory on a queue of its own.  Loop thread; the work and run functions on a worker.
 */
#include <assert.h>
#include <sys/statvfs.h>

#include "directory/moving.h"
#include "directory/renaming.h"
#include "fault.h"
#include "role.h"

#define LOOKUPS_MAX (1u << 20)		/* never reached: connections are bounded */

/* Who cannot be asked for the groups of a user does not know what the user may. */
static enum directory_status
find_groups(struct role_lookup *lookup, struct directory *directory, struct arena *arena, struct directory_user *user)
{
	enum directory_status status = directory_find_groups(directory, arena, user);

	for (size_t i = 0; i < user->group_count && status == DIRECTORY_OK; i++) {
		buffer_add_octet(&lookup->groups, 0);
		buffer_add_span(&lookup->groups, user->groups[i]);
	}
	return status;
}

/* The directory is asked by one job at a time. */
static bool
may_log_in(const struct role_lookup *lookup, const struct directory_user *user)
{
	return user->is_shared ? lookup->may_be_shared : user->is_enabled || lookup->may_be_disabled;
}

/* Whoever has to prove it, the credential is that one's: it is compared also when nobody may get in. */
static enum directory_status
look_up_claim(struct role_lookup *lookup, struct arena *arena, struct directory_user *user_out)
{
	struct directory_login login;
	enum directory_presence presence;
	enum directory_status status = directory_find_login(lookup->role->parts.directory, lookup->claim, arena, &login);

	if (status != DIRECTORY_OK)
		return status;
	buffer_add_span(lookup->credential, login.prover.credential);
	if (!login.is_permitted || login.prover.name.length == 0)
		return DIRECTORY_NOT_FOUND;
	if (directory_home_is_foreign(login.principal.home))		/* what is here is not what the user has */
		return DIRECTORY_ELSEWHERE;
	status = directory_find_presence(lookup->role->parts.directory, login.principal.name, &presence);
	if (status != DIRECTORY_OK || presence != DIRECTORY_HERE)
		return status != DIRECTORY_OK ? status : DIRECTORY_ELSEWHERE;
	*user_out = login.principal;
	lookup->may_be_shared = login.is_other;
	lookup->may_be_disabled = lookup->is_master = login.is_master;
	if (login.is_other)
		directory_prepare_name(login.prover.name, &lookup->prover);
	return DIRECTORY_OK;
}

/* What was found under a name.  Who has moved away, or has not arrived, is nobody's to serve here. */
static enum directory_status
unless_moving(struct directory *directory, struct span name, enum directory_status status, const struct directory_user *user)
{
	enum directory_presence presence;
	enum directory_status found;

	if (status != DIRECTORY_OK && status != DIRECTORY_NOT_FOUND)
		return status;
	found = directory_find_presence(directory, status == DIRECTORY_OK ? user->name : name, &presence);
	if (found != DIRECTORY_OK)
		return found;
	return presence != DIRECTORY_HERE ? DIRECTORY_ELSEWHERE : status;
}

static enum directory_status
look_up_name(struct role_lookup *lookup, const struct directory_name *name, struct arena *arena,
    struct directory_user *user_out)
{
	struct directory *directory = lookup->role->parts.directory;
	enum directory_status status = directory_lookup(directory, directory_name_span(name), arena, user_out);

	if (status == DIRECTORY_NOT_FOUND && lookup->takes_aliases)
		status = directory_lookup_alias(directory, directory_name_span(name), arena, user_out);
	return unless_moving(directory, directory_name_span(name), status, user_out);
}

static enum directory_status
look_up_catch_all(struct role_lookup *lookup, struct arena *arena, struct directory_user *user_out)
{
	struct directory *directory = lookup->role->parts.directory;
	struct span name = directory_name_span(&lookup->catch_all);

	return unless_moving(directory, name, directory_lookup_alias(directory, name, arena, user_out), user_out);
}

static enum directory_status
look_up(struct role_lookup *lookup, struct arena *arena, struct directory_user *user_out)
{
	enum directory_status status = DIRECTORY_NOT_FOUND;

	if (lookup->claim != NULL)
		status = look_up_claim(lookup, arena, user_out);
	for (size_t i = 0; i < lookup->name_count && status == DIRECTORY_NOT_FOUND; i++)
		status = look_up_name(lookup, &lookup->names[i], arena, user_out);
	if (status == DIRECTORY_NOT_FOUND && lookup->catch_all.length > 0)
		status = look_up_catch_all(lookup, arena, user_out);
	if (status == DIRECTORY_OK && lookup->is_login && !may_log_in(lookup, user_out))
		status = DIRECTORY_NOT_FOUND;
	if (status == DIRECTORY_OK && lookup->is_login)
		status = find_groups(lookup, lookup->role->parts.directory, arena, user_out);
	if (status == DIRECTORY_OK && lookup->is_login)
		status = directory_find_former(lookup->role->parts.directory, user_out->name, &lookup->former);
	return status;
}

static uint64_t
free_octets_at(const char *path)
{
	struct statvfs about;

	return statvfs(path, &about) != 0 ? UINT64_MAX : (uint64_t)about.f_bavail * about.f_frsize;
}

static void
work_lookup(struct job *job)
{
	struct role_lookup *lookup = CONTAINER_OF(job, struct role_lookup, job);
	struct directory *directory = lookup->role->parts.directory;
	struct arena *arena = arena_new();
	struct directory_user user;

	directory_begin_reading(directory);
	lookup->status = look_up(lookup, arena, &user);
	directory_end_reading(directory);
	if (lookup->status == DIRECTORY_OK) {
		memcpy(lookup->mailbox_id, user.mailbox_id, sizeof lookup->mailbox_id);
		lookup->quota = user.quota;
		directory_prepare_name(user.name, &lookup->found);
		lookup->is_shared = user.is_shared;
		lookup->is_elsewhere = directory_home_is_foreign(user.home);
		if (lookup->asks_disk)
			lookup->free_octets = free_octets_at(lookup->role->data_directory);
		if (lookup->credential != NULL && lookup->claim == NULL)
			buffer_add_span(lookup->credential, user.credential);
	}
	arena_free(&arena);
}

static void
run_lookups(void *context, struct list *jobs)
{
	(void)context;
	while (!list_is_empty(jobs)) {
		struct job *job = LIST_ENTRY(jobs->next, struct job, link);

		job_queue_go_on(job->queue);
		job->work(job);
		job_complete(job);
	}
}

/* Whether the directory answers: without it no mail comes in. */
static void
note_directory(struct mailbox_role *role, enum directory_status status)
{
	if (status == DIRECTORY_UNAVAILABLE || status == DIRECTORY_CORRUPT)
		faults_note(role->faults, &(struct fault){ .kind = FAULT_DIRECTORY, .id = "",
		    .error = directory_status_text(status) });
	else
		faults_end(role->faults, "", FAULT_BIT(FAULT_DIRECTORY), 0);
}

/* What the directory says is none, or a limit, in the words of the store. */
void
role_note_quota(struct mailbox_role *role, const char *mailbox_id, const struct directory_quota *quota)
{
	static const enum directory_resource resources[STORE_RESOURCE_COUNT] = {
		[STORE_RESOURCE_STORAGE] = DIRECTORY_STORAGE, [STORE_RESOURCE_MESSAGE] = DIRECTORY_MESSAGES,
		[STORE_RESOURCE_MAILBOX] = DIRECTORY_MAILBOXES,
	};
	struct store_amounts limits;

	for (int i = 0; i < STORE_RESOURCE_COUNT; i++) {
		int64_t limit = quota->of[resources[i]];

		limits.of[i] = limit == DIRECTORY_NO_LIMIT ? STORE_NO_QUOTA : (uint64_t)limit;
	}
	accounts_set_limits_of(role->accounts, mailbox_id, &limits);
}

static void
on_looked_up(struct job *job)
{
	struct role_lookup *lookup = CONTAINER_OF(job, struct role_lookup, job);
	struct mailbox_role *role = lookup->role;

	note_directory(role, lookup->status);
	if (lookup->status == DIRECTORY_OK)
		role_note_quota(role, lookup->mailbox_id, &lookup->quota);
	lookup->done(lookup);
	role->jobs--;
	role->on_ended(role);
}

void
role_ask_directory(struct mailbox_role *role, struct job *job)
{
	bool is_taken;

	role->jobs++;
	is_taken = job_queue_submit(role->directory_jobs, job);
	assert(is_taken);
	(void)is_taken;
}

void
role_look_up(struct mailbox_role *role, struct role_lookup *lookup)
{
	lookup->role = role;
	lookup->job.work = work_lookup;
	lookup->job.done = on_looked_up;
	role_ask_directory(role, &lookup->job);
}

static void
work_ask(struct job *job)
{
	struct role_ask *ask = CONTAINER_OF(job, struct role_ask, job);

	ask->status = ask->work(ask, ask->role->parts.directory);
}

static void
on_asked(struct job *job)
{
	struct role_ask *ask = CONTAINER_OF(job, struct role_ask, job);
	struct mailbox_role *role = ask->role;

	note_directory(role, ask->status);
	ask->done(ask);
	role->jobs--;
	role->on_ended(role);
}

void
role_submit_ask(struct mailbox_role *role, struct role_ask *ask)
{
	ask->role = role;
	ask->job.work = work_ask;
	ask->job.done = on_asked;
	role_ask_directory(role, &ask->job);
}

void
role_lookups_init(struct mailbox_role *role)
{
	role->directory_jobs = job_queue_new(role->parts.storage, run_lookups, role);
	job_queue_set_limits(role->directory_jobs, 64, LOOKUPS_MAX);
}
