/*
 * The names by which rights are given to whoever is logged in.  Loop thread.
 */
#include "identity.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "session.h"

static struct span
copy_identifier(const char *before, struct span name)
{
	struct buffer identifier = { 0 };
	struct span copy;

	buffer_add_string(&identifier, before);
	buffer_add_span(&identifier, name);
	copy = span_of(memory_copy_span(buffer_span(&identifier)), identifier.length);
	buffer_free(&identifier);
	return copy;
}

void
session_take_identity(struct session *session, struct span groups, struct span former)
{
	struct span *names;
	size_t count = 0;

	for (size_t i = 0; i < groups.length; i++)
		count += groups.at[i] == 0;
	names = memory_new_array(count + 4, sizeof *names);
	names[0] = copy_identifier("", span_from_string(session->user));
	names[1] = copy_identifier("", SPAN("anyone"));
	names[2] = copy_identifier("", SPAN("authenticated"));
	session->identity = (struct store_identity){ names, 3 };
	while (groups.length > 0) {
		size_t end;

		groups = span_from(groups, 1);
		end = span_find(groups, 0);
		names[session->identity.count++] = copy_identifier("$", span_slice(groups, 0, end));
		groups = span_from(groups, end);
	}
	session->has_former_name = former.length > 0;
	if (session->has_former_name)
		names[session->identity.count++] = copy_identifier("", former);
}

void
session_forget_identity(struct session *session)
{
	for (size_t i = 0; i < session->identity.count; i++)
		free((void *)(uintptr_t)session->identity.names[i].at);
	free((void *)(uintptr_t)session->identity.names);
}
