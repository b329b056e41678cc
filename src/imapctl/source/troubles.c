#include "troubles.h"

#include <errno.h>
#include <stdlib.h>

struct trouble {
	struct list link;
	struct buffer path, reason;
	int error;
	enum source_result result;
};

void
troubles_init(struct troubles *troubles)
{
	list_init(&troubles->waiting);
}

static void
trouble_free(struct trouble *trouble)
{
	buffer_free(&trouble->path);
	buffer_free(&trouble->reason);
	free(trouble);
}

void
troubles_free(struct troubles *troubles)
{
	LIST_FOREACH(&troubles->waiting, link)
		trouble_free(LIST_ENTRY(link, struct trouble, link));
	list_init(&troubles->waiting);
}

static struct trouble *
add_trouble(struct troubles *troubles, const char *path, enum source_result result)
{
	struct trouble *trouble = NEW(struct trouble);

	list_init(&trouble->link);
	buffer_add_string(&trouble->path, path);
	trouble->result = result;
	list_push_back(&troubles->waiting, &trouble->link);
	return trouble;
}

void
troubles_unreadable(struct troubles *troubles, const char *path, int error)
{
	add_trouble(troubles, path, SOURCE_UNREADABLE)->error = error;
}

void
troubles_refused(struct troubles *troubles, const char *path, const char *reason)
{
	buffer_add_string(&add_trouble(troubles, path, SOURCE_REFUSED)->reason, reason);
}

void
troubles_refused_folder(struct troubles *troubles, const char *path, const char *why, uint64_t messages)
{
	struct buffer reason = { 0 };

	buffer_printf(&reason, "%s; %llu message%s stay out", why, (unsigned long long)messages,
	    messages == 1 ? "" : "s");
	troubles_refused(troubles, path, buffer_string(&reason));
	buffer_free(&reason);
}

bool
troubles_give(struct troubles *troubles, struct message *message, enum source_result *result_out)
{
	struct list *link = list_pop_front(&troubles->waiting);
	struct trouble *trouble;
	int error;

	if (link == NULL)
		return false;
	trouble = LIST_ENTRY(link, struct trouble, link);
	buffer_add_span(&message->origin, buffer_span(&trouble->path));
	buffer_add_span(&message->reason, buffer_span(&trouble->reason));
	*result_out = trouble->result;
	error = trouble->error;
	trouble_free(trouble);
	errno = error;
	return true;
}
