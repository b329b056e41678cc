/*
 * Files of users: which formats there are, and what their readers share.
 */
#include "roster.h"

#include <string.h>
#include <time.h>

#include "base/memory.h"

static const struct roster_format formats[] = {
	{ "passwd-file", passwd_file_read },
	{ "shadow", shadow_read },
};

bool
roster_begin(struct roster *roster, const char *format, const char *path)
{
	*roster = (struct roster){ .today = time(NULL) / 86400 };
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (strcmp(formats[i].name, format) == 0)
			roster->format = &formats[i];
	if (roster->format == NULL)
		return false;
	roster->arena = arena_new();
	roster->passed_over = arena_alloc_array(roster->arena, PASSED_OVER_MAX, sizeof *roster->passed_over);
	if (roster->format->read == shadow_read)
		shadow_begin(roster, path);
	return true;
}

void
roster_end(struct roster *roster)
{
	arena_free(&roster->arena);
	map_free(&roster->uids);
}
