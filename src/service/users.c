/*
 * The verbs about users.  A password comes as the request's body; a compute worker turns it into a
 * credential, then the directory's queue writes it.  The others need the queue alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "auth/password.h"
#include "base/log.h"
#include "base/memory.h"
#include "control/words.h"
#include "user_job.h"

#define PAGE 256

void
user_job_free(struct user_job *job)
{
	job->service->jobs--;
	buffer_wipe(&job->password);
	buffer_free(&job->credential);
	buffer_free(&job->lines);
	free(job->home);
	free(job);
}

void
users_send_lines(struct control_call *call, struct span lines)
{
	while (lines.length > 0) {
		size_t end = span_find(lines, '\n');

		control_reply(call, span_slice(lines, 0, end));
		lines = span_from(lines, end + 1);
	}
}

void
users_tell(struct buffer *lines, struct span record, const char *key, struct span value, const char *other_key,
    struct span other_value)
{
	struct buffer line = { 0 };

	control_add_word(&line, record);
	control_add_field(&line, key, value);
	if (other_key != NULL)
		control_add_field(&line, other_key, other_value);
	buffer_add_octet(&line, '\n');
	buffer_add_span(lines, buffer_span(&line));
	buffer_free(&line);
}

void
users_refuse_name(struct control_call *call)
{
	control_finish(call, EX_DATAERR, "not a name for a user: 1 to 255 octets of UTF-8, no space, and a domain behind an @");
}

void
users_finish(struct control_call *call, enum directory_status status)
{
	static const struct {
		int code;
		const char *text;
	} answers[DIRECTORY_STATUS_COUNT] = {
		[DIRECTORY_OK] = { EX_OK, NULL },
		[DIRECTORY_NOT_FOUND] = { EX_NOUSER, "there is no such user" },
		[DIRECTORY_EXISTS] = { EX_CANTCREAT, "there is such a user or alias already" },
		[DIRECTORY_UNAVAILABLE] = { EX_TEMPFAIL, "the directory is not available now" },
		[DIRECTORY_CORRUPT] = { EX_SOFTWARE, "the directory is damaged" },
		[DIRECTORY_READ_ONLY] = { EX_UNAVAILABLE, "users are kept elsewhere, and changed there" },
		[DIRECTORY_ELSEWHERE] = { EX_UNAVAILABLE, "the user's mail is on another server" },
		[DIRECTORY_AMBIGUOUS] = { EX_TEMPFAIL, "several users may be meant by the name, see the log" },
		[DIRECTORY_SHARED] = { EX_UNAVAILABLE, "nobody logs in to a shared account" },
		[DIRECTORY_BUSY] = { EX_TEMPFAIL, "the user is being renamed: try again in a while" },
	};

	control_finish(call, answers[status].code, answers[status].text);
}

static void
answer(struct user_job *job)
{
	if (job->status == DIRECTORY_EXISTS && job->may_exist)
		job->status = DIRECTORY_OK;
	users_send_lines(job->call, buffer_span(&job->lines));
	users_finish(job->call, job->status);
	user_job_free(job);
}

/* Whether nobody may be logged in as this user any more. */
static bool
is_end_of_sessions(const struct user_job *job)
{
	return job->order == ORDER_SET && job->has_enabled && !job->is_enabled;
}

void
users_end_sessions(struct service *service, struct span user)
{
	if (service->mailbox != NULL)
		mailbox_role_end_user(service->mailbox, user);
	if (service->cas != NULL)
		cas_end_user(service->cas, user);
}

static void
add_time(struct buffer *line, const char *key, int64_t calendar_s)
{
	if (calendar_s == 0)
		control_add_field(line, key, SPAN(""));
	else
		status_add_time(line, key, calendar_s);
}

static void
on_directory_done(struct job *work)
{
	struct user_job *job = CONTAINER_OF(work, struct user_job, job);

	if (job->status == DIRECTORY_OK && is_end_of_sessions(job))
		users_end_sessions(job->service, directory_name_span(&job->name));
	if (job->mailbox_id[0] != '\0' && job->service->mailbox != NULL)
		mailbox_role_note_quota(job->service->mailbox, job->mailbox_id, &job->quota);
	answer(job);
}

static void
add_limit(struct buffer *line, const char *key, int64_t limit)
{
	char number[24];

	snprintf(number, sizeof number, "%lld", (long long)limit);
	control_add_field(line, key, limit == 0 ? SPAN("default") : limit == DIRECTORY_NO_LIMIT ? SPAN("none") :
	    span_from_string(number));
}

/* Whether there is one that could be compared; "hash": by PLAIN and LOGIN alone. */
static struct span
password_of(const struct user_job *job, const struct directory_user *user)
{
	if (directory_is_verifier(job->directory))
		return user->is_shared ? SPAN("no") : SPAN("elsewhere");
	switch (password_kind(user->credential)) {
	case PASSWORD_NONE:
		return SPAN("no");
	case PASSWORD_KEYS:
		return SPAN("yes");
	default:
		return SPAN("hash");
	}
}

static void
tell_user(struct user_job *job, const struct directory_user *user)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("user"));
	control_add_field(&line, "name", user->name);
	control_add_field(&line, "home", user->home);
	control_add_field(&line, "password", password_of(job, user));
	control_add_field(&line, "imap", user->is_enabled && !user->is_shared ? SPAN("on") : SPAN("off"));
	control_add_field(&line, "shared", user->is_shared ? SPAN("yes") : SPAN("no"));
	control_add_field(&line, "master", user->is_master ? SPAN("yes") : SPAN("no"));
	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		add_limit(&line, user_limit_names[i], user->quota.of[i]);
	add_time(&line, "created", user->created_s);
	add_time(&line, "changed", user->changed_s);
	buffer_add_octet(&line, '\n');
	buffer_add_span(&job->lines, buffer_span(&line));
	buffer_free(&line);
	for (size_t i = 0; i < user->group_count; i++)
		users_tell(&job->lines, SPAN("group"), "name", user->groups[i], NULL, SPAN(""));
}

static void
tell_delegates(struct user_job *job, const struct directory_user *user, struct arena *arena)
{
	struct span *names;
	size_t count;

	job->status = directory_list_delegates(job->directory, user, arena, &names, &count);
	for (size_t i = 0; job->status == DIRECTORY_OK && i < count; i++)
		users_tell(&job->lines, SPAN("delegate"), "name", names[i], NULL, SPAN(""));
}

static void
show_user(struct user_job *job)
{
	struct arena *arena = arena_new();
	struct directory_user user;

	job->status = DIRECTORY_READ_ONLY;
	if (!directory_asks_home(job->directory))	/* such a one would know anybody */
		job->status = directory_lookup(job->directory, directory_name_span(&job->name), arena, &user);
	if (job->status == DIRECTORY_OK)
		job->status = directory_find_groups(job->directory, arena, &user);
	if (job->status == DIRECTORY_OK) {
		tell_user(job, &user);
		tell_delegates(job, &user, arena);
		if (job->status == DIRECTORY_OK)
			job->status = aliases_tell(job->directory, user.name, &job->lines);
	}
	arena_free(&arena);
}

/* Where users are kept elsewhere, so are the homes of all but shared accounts. */
static struct span
home_of(const struct user_job *job, const struct directory_user *user)
{
	return directory_is_verifier(job->directory) && !user->is_shared ? SPAN("elsewhere") : user->home;
}

static void
list_users(struct user_job *job)
{
	struct arena *arena = arena_new();
	struct directory_user *page = memory_new_array(PAGE, sizeof *page);
	struct span after = { NULL, 0 };
	size_t count = PAGE;

	while (count == PAGE) {
		job->status = directory_list(job->directory, after, arena, page, PAGE, &count);
		if (job->status != DIRECTORY_OK)
			break;
		for (size_t i = 0; i < count; i++) {
			struct buffer line = { 0 };

			control_add_word(&line, SPAN("user"));
			control_add_field(&line, "name", page[i].name);
			control_add_field(&line, "login", page[i].is_enabled && !page[i].is_shared ? SPAN("yes") :
			    SPAN("no"));
			control_add_field(&line, "shared", page[i].is_shared ? SPAN("yes") : SPAN("no"));
			control_add_field(&line, "mailbox-id", span_from_string(page[i].mailbox_id));
			control_add_field(&line, "home", home_of(job, &page[i]));
			buffer_add_octet(&line, '\n');
			buffer_add_span(&job->lines, buffer_span(&line));
			buffer_free(&line);
		}
		after = count > 0 ? page[count - 1].name : after;
	}
	free(page);
	arena_free(&arena);
}

/* What was said about limits, and what that comes to, for those who work with the user's mail now. */
static void
set_quota(struct user_job *job)
{
	struct span name = directory_name_span(&job->name);
	struct arena *arena;
	struct directory_user user;

	for (int i = 0; i < DIRECTORY_RESOURCE_COUNT; i++)
		if (job->status == DIRECTORY_OK && job->has_limit[i])
			job->status = directory_set_limit(job->directory, name, i, job->quota.of[i]);
	if (job->status != DIRECTORY_OK || !user_job_has_limits(job))
		return;
	arena = arena_new();
	job->status = directory_lookup(job->directory, name, arena, &user);
	if (job->status == DIRECTORY_OK) {
		memcpy(job->mailbox_id, user.mailbox_id, sizeof job->mailbox_id);
		job->quota = user.quota;
	}
	arena_free(&arena);
}

/* What was said about home, login, entry and limits; the status is that of what went before. */
static void
set_user(struct user_job *job)
{
	struct span name = directory_name_span(&job->name);

	if (job->status == DIRECTORY_OK && job->has_home)
		job->status = directory_set_home(job->directory, name, span_from_string(job->home));
	if (job->status == DIRECTORY_OK && job->has_enabled)
		job->status = directory_set_enabled(job->directory, name, job->is_enabled);
	if (job->status == DIRECTORY_OK && job->has_master)
		job->status = directory_set_master(job->directory, name, job->is_master);
	if (job->status == DIRECTORY_OK && job->is_released)
		job->status = directory_release(job->directory, name);
	set_quota(job);
}

static void
directory_work(struct job *work)
{
	struct user_job *job = CONTAINER_OF(work, struct user_job, job);
	struct span name = directory_name_span(&job->name);

	switch (job->order) {
	case ORDER_ADD:
		job->status = job->is_shared ? directory_add_shared(job->directory, name) :
		    directory_add(job->directory, name, buffer_span(&job->credential));
		set_user(job);
		break;
	case ORDER_PASSWD:
		job->status = directory_set_credential(job->directory, name,
		    buffer_span(&job->credential));
		break;
	case ORDER_SET:
		job->status = DIRECTORY_OK;
		set_user(job);
		break;
	case ORDER_ALLOW:
	case ORDER_DENY:
		job->status = directory_allow(job->directory, name, directory_name_span(&job->delegate),
		    job->order == ORDER_ALLOW);
		break;
	case ORDER_SHOW:
		show_user(job);
		break;
	case ORDER_LIST:
		list_users(job);
		break;
	}
}

static void
ask_directory(struct user_job *job)
{
	job->job.work = directory_work;
	job->job.done = on_directory_done;
	if (job_queue_submit(job->service->directory_queue, &job->job))
		return;
	job->status = DIRECTORY_UNAVAILABLE;
	answer(job);
}

static void
derive_work(struct job *work)
{
	struct user_job *job = CONTAINER_OF(work, struct user_job, job);

	job->is_derived = password_derive(buffer_span(&job->password), job->wants_sha1, &job->credential);
	memory_wipe(job->password.at, job->password.capacity);
}

static void
on_derived(struct job *work)
{
	struct user_job *job = CONTAINER_OF(work, struct user_job, job);

	if (job->is_derived) {
		ask_directory(job);
		return;
	}
	control_finish(job->call, EX_DATAERR, "a password has 1 to 1024 octets and no NUL");
	user_job_free(job);
}

/* NULL: the call was answered, the name cannot be one. */
static struct user_job *
user_job_new(struct service *service, struct control_call *call, enum order order)
{
	struct user_job *job = NEW(struct user_job);

	service->jobs++;
	job->service = service;
	job->call = call;
	job->directory = service->directory;
	job->order = order;
	if (order == ORDER_LIST)
		return job;
	if (control_call_count(call) >= 1 && (order == ORDER_ADD ? directory_prepare_new_name : directory_prepare_name)(
	    control_call_word(call, 0), &job->name))
		return job;
	users_refuse_name(call);
	user_job_free(job);
	return NULL;
}

static void
derive(struct user_job *job)
{
	struct span password = control_call_body(job->call);

	job->wants_sha1 = config_wants_sha1_keys(job->service->config);
	buffer_reserve(&job->password, password.length + 1);
	buffer_add_span(&job->password, password);
	job->job.work = derive_work;
	job->job.done = on_derived;
	workers_submit(job->service->compute, &job->job);
}

/* An empty credential fits no password. */
static void
take_password(struct user_job *job)
{
	if (job->has_no_password || job->is_shared)
		ask_directory(job);
	else
		derive(job);
}

static void
on_add(struct control_call *call, void *context)
{
	struct user_job *job = user_job_new(context, call, ORDER_ADD);

	if (job != NULL && user_options_read(job))
		take_password(job);
}

static void
on_passwd(struct control_call *call, void *context)
{
	struct user_job *job = user_job_new(context, call, ORDER_PASSWD);

	if (job != NULL && user_options_read(job))
		take_password(job);
}

static void
on_set(struct control_call *call, void *context)
{
	struct user_job *job = user_job_new(context, call, ORDER_SET);

	if (job == NULL || !user_options_read(job))
		return;
	if (job->has_home || job->has_enabled || job->has_master || job->is_released || user_job_has_limits(job)) {
		ask_directory(job);
		return;
	}
	control_finish(call, EX_USAGE, "nothing to set");
	user_job_free(job);
}

/* NAME delegate=NAME. */
static void
change_delegate(struct service *service, struct control_call *call, enum order order)
{
	static const struct span key = SPAN("delegate=");
	struct user_job *job = user_job_new(service, call, order);
	struct span word;

	if (job == NULL)
		return;
	word = control_call_count(call) == 2 ? control_call_word(call, 1) : SPAN("");
	if (!span_starts_with(word, key)) {
		control_finish(call, EX_USAGE, "whose delegate is whom?");
		user_job_free(job);
	} else if (!directory_prepare_name(span_from(word, key.length), &job->delegate)) {
		users_refuse_name(call);
		user_job_free(job);
	} else {
		ask_directory(job);
	}
}

static void
on_allow(struct control_call *call, void *context)
{
	change_delegate(context, call, ORDER_ALLOW);
}

static void
on_deny(struct control_call *call, void *context)
{
	change_delegate(context, call, ORDER_DENY);
}

static void
on_show(struct control_call *call, void *context)
{
	struct user_job *job = user_job_new(context, call, ORDER_SHOW);

	if (job != NULL)
		ask_directory(job);
}

static void
on_list(struct control_call *call, void *context)
{
	ask_directory(user_job_new(context, call, ORDER_LIST));
}

void
users_register(struct service *service)
{
	control_register(service->control, "user add", CONTROL_CHANGE, on_add, service);
	control_register(service->control, "user passwd", CONTROL_CHANGE, on_passwd, service);
	control_register(service->control, "user set", CONTROL_CHANGE, on_set, service);
	control_register(service->control, "user allow", CONTROL_CHANGE, on_allow, service);
	control_register(service->control, "user deny", CONTROL_CHANGE, on_deny, service);
	control_register(service->control, "user show", CONTROL_VIEW, on_show, service);
	control_register(service->control, "user list", CONTROL_VIEW, on_list, service);
}
