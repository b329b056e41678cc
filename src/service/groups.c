/*
 * The verbs group add, group remove and group list: who is in which group.  The directory's queue does it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/memory.h"
#include "control/words.h"
#include "internal.h"

#define PAGE 256

enum order { ORDER_ADD, ORDER_REMOVE, ORDER_LIST };

struct group_job {
	struct job job;
	struct service *service;	/* loop thread only, like the call */
	struct control_call *call;
	struct directory *directory;
	enum order order;
	struct directory_name group;	/* empty: all */
	struct directory_name names[CONTROL_WORDS_MAX];
	size_t name_count;
	struct arena *arena;		/* of the lines */
	struct span *lines;
	size_t line_count, capacity;
	enum directory_status status;
	const struct directory_name *failed;	/* of the names */
};

static void
group_job_free(struct group_job *job)
{
	job->service->jobs--;
	free(job->lines);
	arena_free(&job->arena);
	free(job);
}

/* Whoever was named before one that failed has been changed. */
static void
change_members(struct group_job *job)
{
	struct span group = directory_name_span(&job->group);

	for (size_t i = 0; i < job->name_count && job->status == DIRECTORY_OK; i++) {
		struct span name = directory_name_span(&job->names[i]);

		job->status = job->order == ORDER_ADD ? directory_join(job->directory, group, name) :
		    directory_leave(job->directory, group, name);
		job->failed = &job->names[i];
	}
}

static void
add_line(struct group_job *job, const struct directory_member *member)
{
	struct buffer line = { 0 };

	control_add_word(&line, SPAN("member"));
	control_add_field(&line, "group", member->group);
	control_add_field(&line, "user", member->name);
	if (job->line_count == job->capacity) {
		job->capacity = job->capacity * 2 + 16;
		job->lines = memory_resize(job->lines, job->capacity, sizeof *job->lines);
	}
	job->lines[job->line_count++] = arena_copy(job->arena, buffer_span(&line));
	buffer_free(&line);
}

static void
list_members(struct group_job *job)
{
	struct directory_member *page = memory_new_array(PAGE, sizeof *page), after = { { NULL, 0 }, { NULL, 0 } };
	struct span group = directory_name_span(&job->group);
	size_t count = PAGE;

	while (count == PAGE) {
		job->status = directory_list_members(job->directory, &after, job->arena, page, PAGE, &count);
		if (job->status != DIRECTORY_OK)
			break;
		for (size_t i = 0; i < count; i++)
			if (group.length == 0 || span_equals(group, page[i].group))
				add_line(job, &page[i]);
		if (count > 0)
			after = page[count - 1];
	}
	free(page);
}

static void
work(struct job *work)
{
	struct group_job *job = CONTAINER_OF(work, struct group_job, job);

	job->status = DIRECTORY_OK;
	if (job->order == ORDER_LIST)
		list_members(job);
	else
		change_members(job);
}

static void
on_done(struct job *work)
{
	struct group_job *job = CONTAINER_OF(work, struct group_job, job);
	char text[DIRECTORY_NAME_MAX + 64];

	for (size_t i = 0; i < job->line_count; i++)
		control_reply(job->call, job->lines[i]);
	if (job->status == DIRECTORY_NOT_FOUND && job->failed != NULL) {
		snprintf(text, sizeof text, job->order == ORDER_ADD ? "there is no such user: %s" :
		    "not in this group: %s", job->failed->text);
		control_finish(job->call, EX_NOUSER, text);
	} else {
		users_finish(job->call, job->status);
	}
	group_job_free(job);
}

/* False: the call was answered. */
static bool
read_words(struct group_job *job)
{
	struct control_call *call = job->call;
	size_t count = control_call_count(call);

	if (count < (job->order == ORDER_LIST ? 0 : 2)) {
		control_finish(call, EX_USAGE, "which group, and who?");
		return false;
	}
	if (count > 0 && !directory_prepare_group(control_call_word(call, 0), &job->group)) {
		control_finish(call, EX_DATAERR, "not a name for a group: 1 to 255 octets of UTF-8");
		return false;
	}
	for (size_t i = 1; i < count; i++) {
		if (!directory_prepare_name(control_call_word(call, i), &job->names[job->name_count++])) {
			users_refuse_name(call);
			return false;
		}
	}
	return true;
}

static void
begin(struct service *service, struct control_call *call, enum order order)
{
	struct group_job *job = NEW(struct group_job);

	service->jobs++;
	job->service = service;
	job->call = call;
	job->directory = service->directory;
	job->order = order;
	job->arena = arena_new();
	job->job.work = work;
	job->job.done = on_done;
	if (!read_words(job)) {
		group_job_free(job);
	} else if (!job_queue_submit(service->directory_queue, &job->job)) {
		users_finish(call, DIRECTORY_UNAVAILABLE);
		group_job_free(job);
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
groups_register(struct service *service)
{
	control_register(service->control, "group add", CONTROL_CHANGE, on_add, service);
	control_register(service->control, "group remove", CONTROL_CHANGE, on_remove, service);
	control_register(service->control, "group list", CONTROL_VIEW, on_list, service);
}
