/*
 * Records in the order in which they were found.
 */
#include "findings.h"

#include <stdlib.h>

#include "base/memory.h"

void
findings_add(struct findings *findings, struct buffer *line)
{
	if (findings->arena == NULL)
		findings->arena = arena_new();
	answer_keep(&findings->answer, arena_copy(findings->arena, buffer_span(line)));
	buffer_clear(line);
}

void
findings_free(struct findings *findings)
{
	free(findings->answer.lines);
	arena_free(&findings->arena);
	*findings = (struct findings){ .arena = NULL };
}
