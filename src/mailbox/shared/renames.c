#include "renames.h"

const struct rename *
renames_find(const struct mailbox_role *role, struct span name)
{
	LIST_FOREACH((struct list *)(uintptr_t)&role->renames, link) {
		const struct rename *rename = LIST_ENTRY(link, struct rename, link);

		if (span_equals(directory_name_span(&rename->row.name), name) ||
		    span_equals(directory_name_span(&rename->row.new_name), name))
			return rename;
	}
	return NULL;
}

struct span
renames_former(const struct mailbox_role *role, struct span name)
{
	const struct rename *rename = renames_find(role, name);

	return rename == NULL || span_equals(directory_name_span(&rename->row.name), name) ? SPAN("") :
	    directory_name_span(&rename->row.name);
}
