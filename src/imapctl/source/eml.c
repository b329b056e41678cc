/*
 * Single messages: a file, or all files in a folder and below it.  Hidden files are left out.  A message keeps
 * its octets, also the fields from which flags are read: readpst puts Status there.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "folder_name.h"
#include "input.h"
#include "marks.h"
#include "no_mail.h"
#include "source.h"
#include "walk.h"

struct eml {
	struct source source;
	char *path;
	FTS *walk;
};

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
read_file(struct eml *eml, struct input *input, const char *name, struct message *message)
{
	const char *reason = no_mail(name, input);
	struct span piece;

	if (reason != NULL)
		return message_refuse(message, reason);
	while (input_octets(input, UINT64_MAX, &piece))
		message_add(message, piece);
	if (input_error(input) != 0)
		return source_end(input, message);
	message->has_date = true;
	message->date_s = input_time(input);
	message_use_date_field(message);
	marks_read(&eml->source, message);
	return message->is_too_large ? message_refuse_size(message) : SOURCE_MESSAGE;
}

/* The folder that a file is in is its mailbox. */
static enum source_result
set_mailbox(const struct eml *eml, const FTSENT *entry, struct message *message)
{
	struct span folder = span_slice(span_from_string(entry->fts_path), 0, entry->fts_pathlen - entry->fts_namelen);
	const char *why = NULL;

	buffer_clear(&message->mailbox);
	buffer_clear(&message->copies);
	if (entry->fts_level > 1)
		why = folder_name_of_path(span_from(folder, strlen(eml->path)), &message->mailbox);
	return why == NULL ? SOURCE_MESSAGE : message_refuse(message, why);
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct eml *eml = CONTAINER_OF(source, struct eml, source);
	FTSENT *entry = walk_next(eml->walk);
	struct input *input;
	enum source_result result;

	message_clear(message);
	if (entry == NULL)
		return SOURCE_END;
	source->done++;
	buffer_add_string(&message->origin, entry->fts_path);
	if (entry->fts_info != FTS_F) {
		errno = entry->fts_errno;
		return SOURCE_UNREADABLE;
	}
	if ((input = input_open(entry->fts_accpath, source->octets_max)) == NULL)
		return message_fail(message, errno);
	result = read_file(eml, input, entry->fts_name, message);
	if (result == SOURCE_MESSAGE)
		result = set_mailbox(eml, entry, message);
	input_close(&input);
	return result;
}

static void
eml_close(struct source *source)
{
	struct eml *eml = CONTAINER_OF(source, struct eml, source);

	walk_close(eml->walk);
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
	walk_close(walk);
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
