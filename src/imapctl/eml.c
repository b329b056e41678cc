/*
 * Single messages: a file, or all files in a folder and below it.  Hidden files are left out.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source.h"

struct eml {
	struct source source;
	char *path;
	FTS *walk;
};

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static FTS *
walk_open(char *path)
{
	char *paths[] = { path, NULL };

	return fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
}

/* The next regular file, or one that cannot be read; NULL at the end. */
static FTSENT *
walk_next(FTS *walk)
{
	FTSENT *entry;

	while ((entry = fts_read(walk)) != NULL) {
		bool is_hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';

		if (is_hidden && entry->fts_info == FTS_D)
			fts_set(walk, entry, FTS_SKIP);
		if (is_hidden)
			continue;
		if (entry->fts_info == FTS_F || entry->fts_info == FTS_DNR ||
		    entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
			return entry;
	}
	return NULL;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct eml *eml = CONTAINER_OF(source, struct eml, source);
	FTSENT *entry = walk_next(eml->walk);

	message_clear(message);
	if (entry == NULL)
		return SOURCE_END;
	source->done++;
	buffer_add_string(&message->origin, entry->fts_path);
	if (entry->fts_info != FTS_F) {
		errno = entry->fts_errno;
		return SOURCE_UNREADABLE;
	}
	if (!message_read_file(message, entry->fts_path))
		return SOURCE_UNREADABLE;
	message_use_date_field(message);
	return SOURCE_MESSAGE;
}

static void
eml_close(struct source *source)
{
	struct eml *eml = CONTAINER_OF(source, struct eml, source);

	if (eml->walk != NULL)
		fts_close(eml->walk);
	free(eml->path);
	free(eml);
}

/* How many files there are, so that progress has an end. */
static uint64_t
count_files(char *path)
{
	FTS *walk = walk_open(path);
	uint64_t count = 0;

	if (walk == NULL)
		return 0;
	while (walk_next(walk) != NULL)
		count++;
	fts_close(walk);
	return count;
}

struct source *
eml_open(const char *path)
{
	struct stat facts;
	struct eml *eml;

	if (stat(path, &facts) != 0)
		return NULL;
	eml = NEW(struct eml);
	eml->source.next = next;
	eml->source.close = eml_close;
	eml->path = memory_copy_string(path);
	eml->source.total = count_files(eml->path);
	eml->walk = walk_open(eml->path);
	return &eml->source;
}
