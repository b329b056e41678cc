/*
 * The verbs user entry and user restore: all that the directory has of a user, what proves the user included, for a
 * backup; and a user made of that again.  The directory's queue does it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "auth/foreign.h"
#include "base/memory.h"
#include "control/words.h"
#include "user_job.h"

struct entry_job {
	struct job job;
	struct service *service;	/* loop thread only, like the call */
	struct control_call *call;
	struct directory *directory;
	struct directory_name name;
	struct arena *arena;		/* of user */
	struct directory_user user;	/* to be made */
	struct span groups[CONTROL_WORDS_MAX], delegates[CONTROL_WORDS_MAX], aliases[CONTROL_WORDS_MAX];
	struct buffer lines;		/* of the answer, each with a line feed; wiped */
	enum directory_status status;
};

static void
entry_job_free(struct entry_job *job)
{
	job->service->jobs--;
	if (job->user.credential.length > 0)
		memory_wipe((void *)(uintptr_t)job->user.credential.at, job->user.credential.length);
	buffer_wipe(&job->lines);
	arena_free(&job->arena);
	free(job);
}

static struct entry_job *
entry_job_new(struct service *service, struct control_call *call)
{
	struct entry_job *job = NEW(struct entry_job);

	service->jobs++;
	job->service = service;
	job->call = call;
	job->directory = service->directory;
	job->arena = arena_new();
	return job;
}

static void
on_done(struct job *work)
{
	struct entry_job *job = CONTAINER_OF(work, struct entry_job, job);

	if (job->status == DIRECTORY_OK)
		users_send_lines(job->call, buffer_span(&job->lines));
	users_finish(job->call, job->status);
	entry_job_free(job);
}

static void
submit(struct entry_job *job, void (*work)(struct job *work))
{
	job->job.work = work;
	job->job.done = on_done;
	if (job_queue_submit(job->service->directory_queue, &job->job))
		return;
	job->status = DIRECTORY_UNAVAILABLE;
	on_done(&job->job);
}

/* ---- user entry ------------------------------------------------------------------------------------------- */

static void
tell_entry(struct entry_job *job, const struct directory_user *user)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("entry"));
	control_add_field(&line, "name", user->name);
	control_add_field(&line, "mailbox-id", span_from_string(user->mailbox_id));
	/* Of a verifier it is no secret, and of no use elsewhere. */
	control_add_field(&line, "credential", directory_is_verifier(job->directory) ? SPAN("") : user->credential);
	control_add_field(&line, "home", user->home);
	control_add_field(&line, "imap", user->is_enabled ? SPAN("on") : SPAN("off"));
	control_add_field(&line, "shared", user->is_shared ? SPAN("yes") : SPAN("no"));
	control_add_field(&line, "master", user->is_master ? SPAN("yes") : SPAN("no"));
	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		control_add_number(&line, user_limit_names[i], user->quota.of[i]);
	control_add_number(&line, "created", user->created_s);
	buffer_add_octet(&line, '\n');
	buffer_add_span(&job->lines, buffer_span(&line));
	buffer_wipe(&line);
}

static void
work_entry(struct job *work)
{
	struct entry_job *job = CONTAINER_OF(work, struct entry_job, job);
	struct directory_user user;
	size_t count = 0;
	struct span *names;

	job->status = directory_lookup(job->directory, directory_name_span(&job->name), job->arena, &user);
	if (job->status == DIRECTORY_OK)
		job->status = directory_find_groups(job->directory, job->arena, &user);
	if (job->status == DIRECTORY_OK)
		job->status = directory_list_delegates(job->directory, &user, job->arena, &names, &count);
	if (job->status != DIRECTORY_OK)
		return;
	tell_entry(job, &user);
	for (size_t i = 0; i < user.group_count; i++)
		users_tell(&job->lines, SPAN("group"), "name", user.groups[i], NULL, SPAN(""));
	for (size_t i = 0; i < count; i++)
		users_tell(&job->lines, SPAN("delegate"), "name", names[i], NULL, SPAN(""));
	job->status = aliases_tell(job->directory, user.name, &job->lines);
}

static void
on_entry(struct control_call *call, void *context)
{
	struct entry_job *job = entry_job_new(context, call);

	if (control_call_count(call) == 1 && directory_prepare_name(control_call_word(call, 0), &job->name)) {
		submit(job, work_entry);
		return;
	}
	users_refuse_name(call);
	entry_job_free(job);
}

/* ---- user restore ----------------------------------------------------------------------------------------- */

static bool
read_number(struct span text, int64_t *number_out)
{
	uint64_t number;
	bool is_negative = text.length > 0 && text.at[0] == '-';

	if (!span_to_number(span_from(text, is_negative), INT64_MAX, &number))
		return false;
	*number_out = is_negative ? -(int64_t)number : (int64_t)number;
	return true;
}

static bool
read_switch(struct span text, const char *yes, const char *no, bool *value_out)
{
	*value_out = span_equals(text, span_from_string(yes));
	return *value_out || span_equals(text, span_from_string(no));
}

static bool
take_limit(struct directory_user *user, struct span key, struct span value)
{
	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		if (span_equals(key, span_from_string(user_limit_names[i])))
			return read_number(value, &user->quota.of[i]) && user->quota.of[i] >= DIRECTORY_NO_LIMIT;
	return false;
}

static bool
take_name(struct entry_job *job, struct span value, struct span *names, size_t *count)
{
	struct directory_name name;

	if (!directory_prepare_name(value, &name))
		return false;
	names[(*count)++] = arena_copy(job->arena, directory_name_span(&name));
	return true;
}

static bool
take_alias(struct entry_job *job, struct span value)
{
	struct directory_name alias;

	if (!directory_prepare_alias(value, &alias))
		return false;
	job->aliases[job->user.alias_count++] = arena_copy(job->arena, directory_name_span(&alias));
	return true;
}

/* One key=value, as the verb user entry has told it. */
static bool
take_word(struct entry_job *job, struct span word)
{
	size_t length = span_find(word, '=');
	struct span key = span_slice(word, 0, length), value = span_from(word, length + 1);
	struct directory_user *user = &job->user;

	if (span_equals(key, SPAN("mailbox-id"))) {
		if (!mailbox_is_id(value))
			return false;
		memcpy(user->mailbox_id, value.at, value.length);
		return true;
	}
	if (span_equals(key, SPAN("home"))) {
		user->home = arena_copy(job->arena, value);
		return true;
	}
	if (span_equals(key, SPAN("delegate")))
		return take_name(job, value, job->delegates, &user->delegate_count);
	if (span_equals(key, SPAN("alias")))
		return take_alias(job, value);
	if (span_equals(key, SPAN("group"))) {
		job->groups[user->group_count++] = arena_copy(job->arena, value);
		return value.length > 0;
	}
	if (span_equals(key, SPAN("imap")))
		return read_switch(value, "on", "off", &user->is_enabled);
	if (span_equals(key, SPAN("shared")))
		return read_switch(value, "yes", "no", &user->is_shared);
	if (span_equals(key, SPAN("master")))
		return read_switch(value, "yes", "no", &user->is_master);
	if (span_equals(key, SPAN("created")))
		return read_number(value, &user->created_s) && user->created_s >= 0;
	return take_limit(user, key, value);
}

static bool
read_words(struct entry_job *job)
{
	struct control_call *call = job->call;

	job->user.is_enabled = true;
	for (size_t i = 1; i < control_call_count(call); i++)
		if (!take_word(job, control_call_word(call, i)))
			return false;
	job->user.name = directory_name_span(&job->name);
	job->user.groups = job->groups;
	job->user.delegates = job->delegates;
	job->user.aliases = job->aliases;
	job->user.credential = arena_copy(job->arena, control_call_body(call));
	if (job->user.credential.length > 0 && !foreign_is_bearable(job->user.credential))
		return false;
	return !job->user.is_shared || (!job->user.is_master && job->user.credential.length == 0);
}

static void
work_restore(struct job *work)
{
	struct entry_job *job = CONTAINER_OF(work, struct entry_job, job);

	job->status = directory_restore(job->directory, &job->user);
}

/* NAME KEY=VALUE...; the credential is the body. */
static void
on_restore(struct control_call *call, void *context)
{
	struct entry_job *job = entry_job_new(context, call);

	if (control_call_count(call) < 1 || !directory_prepare_name(control_call_word(call, 0), &job->name)) {
		users_refuse_name(call);
	} else if (!read_words(job)) {
		control_finish(call, EX_DATAERR, "the backup says of the user what cannot be");
	} else {
		submit(job, work_restore);
		return;
	}
	entry_job_free(job);
}

void
entry_register(struct service *service)
{
	control_register(service->control, "user entry", CONTROL_CHANGE, on_entry, service);
	control_register(service->control, "user restore", CONTROL_CHANGE, on_restore, service);
}
