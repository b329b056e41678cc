#include "walk.h"

#include <stdlib.h>
#include <string.h>

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int
by_number(const FTSENT **a, const FTSENT **b)
{
	unsigned long long left = strtoull((*a)->fts_name, NULL, 10), right = strtoull((*b)->fts_name, NULL, 10);

	if (left != right)
		return left < right ? -1 : 1;
	return by_name(a, b);
}

static FTS *
open_walk(char *path, int (*compare)(const FTSENT **a, const FTSENT **b))
{
	char *paths[] = { path, NULL };

	return fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, compare);
}

FTS *
walk_open(char *path)
{
	return open_walk(path, by_name);
}

FTS *
walk_open_numbers(char *path)
{
	return open_walk(path, by_number);
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
