/*
 * The verbs alias add, alias remove and alias list: other names of users.  The directory's queue does it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/memory.h"
#include "control/words.h"
#include "internal.h"

#define PAGE 256

enum order { ORDER_ADD, ORDER_REMOVE, ORDER_LIST };

struct alias_job {
	struct job job;
	struct service *service;	/* loop thread only, like the call */
	struct control_call *call;
	struct directory *directory;
	enum order order;
	struct directory_name alias, user;	/* to list: whose; empty: of all */
	struct buffer lines;		/* of the answer, each with a line feed */
	enum directory_status status;
};

static void
alias_job_free(struct alias_job *job)
{
	job->service->jobs--;
	buffer_free(&job->lines);
	free(job);
}

static void
add_line(struct buffer *lines, const struct directory_alias *alias, bool has_user)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("alias"));
	control_add_field(&line, "name", alias->alias);
	if (has_user)
		control_add_field(&line, "user", alias->name);
	buffer_add_octet(&line, '\n');
	buffer_add_span(lines, buffer_span(&line));
	buffer_free(&line);
}

static enum directory_status
list_aliases(struct directory *directory, struct span user, bool has_user, struct buffer *lines)
{
	struct directory_alias *page = memory_new_array(PAGE, sizeof *page);
	struct arena *arena = arena_new();
	enum directory_status status = DIRECTORY_OK;
	struct span after = SPAN("");
	size_t count = PAGE;

	while (count == PAGE && status == DIRECTORY_OK) {
		status = directory_list_aliases(directory, after, user, arena, page, PAGE, &count);
		for (size_t i = 0; i < count && status == DIRECTORY_OK; i++)
			add_line(lines, &page[i], has_user);
		if (count > 0)
			after = page[count - 1].alias;
	}
	arena_free(&arena);
	free(page);
	return status;
}

enum directory_status
aliases_tell(struct directory *directory, struct span user, struct buffer *lines)
{
	return list_aliases(directory, user, false, lines);
}

static enum directory_status
find_user(struct directory *directory, struct span name)
{
	struct arena *arena = arena_new();
	struct directory_user user;
	enum directory_status status = directory_lookup(directory, name, arena, &user);

	arena_free(&arena);
	return status;
}

static void
work(struct job *work)
{
	struct alias_job *job = CONTAINER_OF(work, struct alias_job, job);
	struct span alias = directory_name_span(&job->alias), user = directory_name_span(&job->user);

	switch (job->order) {
	case ORDER_ADD:
		job->status = directory_add_alias(job->directory, alias, user);
		break;
	case ORDER_REMOVE:
		job->status = directory_remove_alias(job->directory, alias);
		break;
	case ORDER_LIST:
		job->status = user.length == 0 ? DIRECTORY_OK : find_user(job->directory, user);
		if (job->status == DIRECTORY_OK)
			job->status = list_aliases(job->directory, user, true, &job->lines);
		break;
	}
}

static void
on_done(struct job *work)
{
	struct alias_job *job = CONTAINER_OF(work, struct alias_job, job);

	users_send_lines(job->call, buffer_span(&job->lines));
	if (job->status == DIRECTORY_NOT_FOUND && job->order == ORDER_REMOVE)
		control_finish(job->call, EX_NOUSER, "there is no such alias");
	else if (job->status == DIRECTORY_EXISTS)
		control_finish(job->call, EX_CANTCREAT, "a user has this name, or it is somebody else's alias");
	else
		users_finish(job->call, job->status);
	alias_job_free(job);
}

/* False: the call was answered. */
static bool
read_words(struct alias_job *job)
{
	static const struct {
		size_t least, most;
		const char *usage;
	} forms[] = {
		[ORDER_ADD] = { 2, 2, "alias add ALIAS NAME" }, [ORDER_REMOVE] = { 1, 1, "alias remove ALIAS" },
		[ORDER_LIST] = { 0, 1, "alias list [NAME]" },
	};
	size_t count = control_call_count(job->call);
	bool has_user = count > 0 && job->order != ORDER_REMOVE;

	if (count < forms[job->order].least || count > forms[job->order].most) {
		control_finish(job->call, EX_USAGE, forms[job->order].usage);
		return false;
	}
	if (job->order != ORDER_LIST && !directory_prepare_alias(control_call_word(job->call, 0), &job->alias)) {
		control_finish(job->call, EX_DATAERR, "not an alias: a name as of a user, or @ and a domain");
		return false;
	}
	if (has_user && !directory_prepare_name(control_call_word(job->call, count - 1), &job->user)) {
		users_refuse_name(job->call);
		return false;
	}
	return true;
}

static void
begin(struct service *service, struct control_call *call, enum order order)
{
	struct alias_job *job = NEW(struct alias_job);

	service->jobs++;
	job->service = service;
	job->call = call;
	job->directory = service->directory;
	job->order = order;
	job->job.work = work;
	job->job.done = on_done;
	if (!read_words(job)) {
		alias_job_free(job);
	} else if (!job_queue_submit(service->directory_queue, &job->job)) {
		users_finish(call, DIRECTORY_UNAVAILABLE);
		alias_job_free(job);
	}
}

static void
on_add(struct control_call *call, void *context)
{
	begin(context, call, ORDER_ADD);
}

static void
on_remove(struct control_call *call, void *context)
{
	begin(context, call, ORDER_REMOVE);
}

static void
on_list(struct control_call *call, void *context)
{
	begin(context, call, ORDER_LIST);
}

void
aliases_register(struct service *service)
{
	control_register(service->control, "alias add", CONTROL_CHANGE, on_add, service);
	control_register(service->control, "alias remove", CONTROL_CHANGE, on_remove, service);
	control_register(service->control, "alias list", CONTROL_VIEW, on_list, service);
}
