/*
 * The verbs group add, group remove and group list: who is in which group.  The directory's queue does it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/memory.h"
#include "name_job.h"

#define PAGE 256

struct group_job {
	struct name_job base;
	struct directory_name group;	/* empty: all */
	struct directory_name names[CONTROL_WORDS_MAX];
	size_t name_count;
	const struct directory_name *failed;	/* of the names */
};

static struct group_job *
own(struct name_job *job)
{
	return CONTAINER_OF(job, struct group_job, base);
}

/* Whoever was named before one that failed has been changed. */
static void
change_members(struct group_job *job)
{
	struct span group = directory_name_span(&job->group);

	for (size_t i = 0; i < job->name_count && job->base.status == DIRECTORY_OK; i++) {
		struct span name = directory_name_span(&job->names[i]);

		job->base.status = job->base.order == NAME_ADD ? directory_join(job->base.directory, group, name) :
		    directory_leave(job->base.directory, group, name);
		job->failed = &job->names[i];
	}
}

static void
list_members(struct group_job *job)
{
	struct directory_member *page = memory_new_array(PAGE, sizeof *page), after = { { NULL, 0 }, { NULL, 0 } };
	struct span group = directory_name_span(&job->group);
	struct arena *arena = arena_new();
	size_t count = PAGE;

	while (count == PAGE) {
		job->base.status = directory_list_members(job->base.directory, &after, arena, page, PAGE, &count);
		if (job->base.status != DIRECTORY_OK)
			break;
		for (size_t i = 0; i < count; i++)
			if (group.length == 0 || span_equals(group, page[i].group))
				users_tell(&job->base.lines, SPAN("member"), "group", page[i].group, "user", page[i].name);
		if (count > 0)
			after = page[count - 1];
	}
	arena_free(&arena);
	free(page);
}

static void
work(struct name_job *job)
{
	job->status = DIRECTORY_OK;
	if (job->order == NAME_LIST)
		list_members(own(job));
	else
		change_members(own(job));
}

static void
finish(struct name_job *job)
{
	const struct directory_name *failed = own(job)->failed;
	char text[DIRECTORY_NAME_MAX + 64];

	if (job->status != DIRECTORY_NOT_FOUND || failed == NULL) {
		users_finish(job->call, job->status);
		return;
	}
	snprintf(text, sizeof text, job->order == NAME_ADD ? "there is no such user: %s" : "not in this group: %s", failed->text);
	control_finish(job->call, EX_NOUSER, text);
}

static bool
read_words(struct name_job *job)
{
	struct control_call *call = job->call;
	struct group_job *group_job = own(job);
	size_t count = control_call_count(call);

	if (count < (job->order == NAME_LIST ? 0 : 2)) {
		control_finish(call, EX_USAGE, "which group, and who?");
		return false;
	}
	if (count > 0 && !directory_prepare_group(control_call_word(call, 0), &group_job->group)) {
		control_finish(call, EX_DATAERR, "not a name for a group: 1 to 255 octets of UTF-8");
		return false;
	}
	for (size_t i = 1; i < count; i++) {
		if (!directory_prepare_name(control_call_word(call, i), &group_job->names[group_job->name_count++])) {
			users_refuse_name(call);
			return false;
		}
	}
	return true;
}

static const struct name_kind kind = { sizeof(struct group_job), read_words, work, finish };

static void
on_add(struct control_call *call, void *context)
{
	name_job_begin(context, call, NAME_ADD, &kind);
}

static void
on_remove(struct control_call *call, void *context)
{
	name_job_begin(context, call, NAME_REMOVE, &kind);
}

static void
on_list(struct control_call *call, void *context)
{
	name_job_begin(context, call, NAME_LIST, &kind);
}

void
groups_register(struct service *service)
{
	control_register(service->control, "group add", CONTROL_CHANGE, on_add, service);
	control_register(service->control, "group remove", CONTROL_CHANGE, on_remove, service);
	control_register(service->control, "group list", CONTROL_VIEW, on_list, service);
}
