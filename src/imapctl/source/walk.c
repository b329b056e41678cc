#include "walk.h"

#include <string.h>

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

FTS *
walk_open(char *path)
{
	char *paths[] = { path, NULL };

	return fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
}

void
walk_close(FTS *walk)
{
	if (walk == NULL)
		return;
	/* Where nothing was ever read, glibc 2.36 decides by memory that nobody has set what it frees. */
	fts_read(walk);
	fts_close(walk);
}
