/*
 * The verbs of the control socket, and who answers them.  Loop thread.
 */
#include "call.h"

#include <stdlib.h>

static struct verb *
find(const struct control *control, const struct span *words, size_t count)
{
	struct buffer name = { 0 };
	struct verb *found = NULL;

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buffer_add_octet(&name, ' ');
		buffer_add_span(&name, words[i]);
	}
	LIST_FOREACH((struct list *)&control->verbs, link) {
		struct verb *verb = LIST_ENTRY(link, struct verb, link);

		if (span_equals(span_from_string(verb->name), buffer_span(&name)))
			found = verb;
	}
	buffer_free(&name);
	return found;
}

/* Two words first: "user add" before "user". */
const struct verb *
verb_resolve(const struct control *control, const struct span *words, size_t count, size_t *used_out)
{
	const struct verb *verb = NULL;

	for (*used_out = count < 2 ? count : 2; *used_out > 0; (*used_out)--) {
		if ((verb = find(control, words, *used_out)) != NULL)
			break;
	}
	return verb;
}

const char *
control_find_verb(const struct control *control, const struct span *words, size_t count)
{
	size_t used;
	const struct verb *verb = verb_resolve(control, words, count, &used);

	return verb == NULL ? NULL : verb->name;
}

void
control_register(struct control *control, const char *name, enum control_right right,
    control_handler *handler, void *context)
{
	struct span words = span_from_string(name);
	struct verb *verb = find(control, &words, 1);

	if (verb == NULL) {
		verb = NEW(struct verb);
		list_push_back(&control->verbs, &verb->link);
	}
	verb->name = name;
	verb->right = right;
	verb->handler = handler;
	verb->context = context;
}

void
control_forget(struct control *control, const void *context)
{
	LIST_FOREACH(&control->verbs, link) {
		struct verb *verb = LIST_ENTRY(link, struct verb, link);

		if (verb->context != context)
			continue;
		verb->handler = NULL;
		verb->context = NULL;
	}
}
