/*
 * The verbs alias add, alias remove and alias list: other names of users.  The directory's queue does it.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "base/memory.h"
#include "name_job.h"

#define PAGE 256

struct alias_job {
	struct name_job base;
	struct directory_name alias, user;	/* to list: whose; empty: of all */
};

static struct alias_job *
own(struct name_job *job)
{
	return CONTAINER_OF(job, struct alias_job, base);
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
			users_tell(lines, SPAN("alias"), "name", page[i].alias, has_user ? "user" : NULL, page[i].name);
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
work(struct name_job *job)
{
	struct span alias = directory_name_span(&own(job)->alias), user = directory_name_span(&own(job)->user);

	switch (job->order) {
	case NAME_ADD:
		job->status = directory_add_alias(job->directory, alias, user);
		break;
	case NAME_REMOVE:
		job->status = directory_remove_alias(job->directory, alias);
		break;
	case NAME_LIST:
		job->status = user.length == 0 ? DIRECTORY_OK : find_user(job->directory, user);
		if (job->status == DIRECTORY_OK)
			job->status = list_aliases(job->directory, user, true, &job->lines);
		break;
	}
}

static void
finish(struct name_job *job)
{
	if (job->status == DIRECTORY_NOT_FOUND && job->order == NAME_REMOVE)
		control_finish(job->call, EX_NOUSER, "there is no such alias");
	else if (job->status == DIRECTORY_EXISTS)
		control_finish(job->call, EX_CANTCREAT, "a user has this name, or it is somebody else's alias");
	else
		users_finish(job->call, job->status);
}

static bool
read_words(struct name_job *job)
{
	static const struct {
		size_t least, most;
		const char *usage;
	} forms[] = {
		[NAME_ADD] = { 2, 2, "alias add ALIAS NAME" }, [NAME_REMOVE] = { 1, 1, "alias remove ALIAS" },
		[NAME_LIST] = { 0, 1, "alias list [NAME]" },
	};
	size_t count = control_call_count(job->call);
	bool has_user = count > 0 && job->order != NAME_REMOVE;

	if (count < forms[job->order].least || count > forms[job->order].most) {
		control_finish(job->call, EX_USAGE, forms[job->order].usage);
		return false;
	}
	if (job->order != NAME_LIST && !directory_prepare_alias(control_call_word(job->call, 0), &own(job)->alias)) {
		control_finish(job->call, EX_DATAERR, "not an alias: a name as of a user, or @ and a domain");
		return false;
	}
	if (has_user && !directory_prepare_name(control_call_word(job->call, count - 1), &own(job)->user)) {
		users_refuse_name(job->call);
		return false;
	}
	return true;
}

static const struct name_kind kind = { sizeof(struct alias_job), read_words, work, finish };

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
aliases_register(struct service *service)
{
	control_register(service->control, "alias add", CONTROL_CHANGE, on_add, service);
	control_register(service->control, "alias remove", CONTROL_CHANGE, on_remove, service);
	control_register(service->control, "alias list", CONTROL_VIEW, on_list, service);
}
