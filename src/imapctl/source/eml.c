/*
 * Single messages: a file, or all files in a folder and below it.  Hidden files are left out.  A message keeps
 * its octets, also the fields from which flags are read: readpst puts Status there.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eml_list.h"
#include "folder_name.h"
#include "input.h"
#include "letter.h"
#include "manifest.h"
#include "marks.h"
#include "no_mail.h"
#include "source.h"
#include "walk.h"

struct eml {
	struct source source;
	char *path;
	FTS *walk;
	struct buffer folder;		/* that the list is of */
	struct eml_list list;		/* what an export says of the messages in it */
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

/* "folder/" for "folder/file". */
static struct span
folder_of(const FTSENT *entry)
{
	return span_slice(span_from_string(entry->fts_path), 0, entry->fts_pathlen - entry->fts_namelen);
}

/* The folder that a file is in is its mailbox. */
static enum source_result
set_mailbox(const struct eml *eml, const FTSENT *entry, struct message *message)
{
	struct span folder = folder_of(entry), root = span_from_string(eml->path);
	const char *why = NULL;

	buffer_clear(&message->mailbox);
	buffer_clear(&message->copies);
	if (eml->source.manifest != NULL && manifest_mailbox(eml->source.manifest, root, folder, &message->mailbox))
		return SOURCE_MESSAGE;
	if (entry->fts_level > 1)
		why = folder_name_of_path(span_from(folder, root.length), &message->mailbox);
	return why == NULL ? SOURCE_MESSAGE : message_refuse(message, why);
}

/* Whether an export says what a file is; its flags, keywords and date are then set. */
static bool
is_listed(struct eml *eml, const FTSENT *entry, struct message *message)
{
	struct span folder = folder_of(entry);

	if (!span_equals(buffer_span(&eml->folder), folder)) {
		eml_list_free(&eml->list);
		buffer_clear(&eml->folder);
		buffer_add_span(&eml->folder, folder);
		if (folder.length > 0)
			eml_list_read(&eml->list, buffer_string(&eml->folder));
	}
	return eml_list_take(&eml->list, span_from_string(entry->fts_name), message);
}

static enum source_result
read_listed(const FTSENT *entry, struct message *message)
{
	int64_t date_s = message->date_s;
	enum source_result result = letter_read_octets(message, entry->fts_accpath);

	message->date_s = date_s;
	return result;
}

static enum source_result
read_other(struct eml *eml, const FTSENT *entry, struct message *message)
{
	struct input *input = input_open(entry->fts_accpath, eml->source.octets_max);
	enum source_result result;

	if (input == NULL)
		return message_fail(message, errno);
	result = read_file(eml, input, entry->fts_name, message);
	input_close(&input);
	return result;
}

static bool
is_manifest(const struct eml *eml, const FTSENT *entry)
{
	return eml->source.manifest != NULL && entry->fts_level == 1 && strcmp(entry->fts_name, MANIFEST_NAME) == 0;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct eml *eml = CONTAINER_OF(source, struct eml, source);
	FTSENT *entry;
	enum source_result result;

	message_clear(message);
	do {
		if ((entry = walk_next(eml->walk)) == NULL)
			return SOURCE_END;
		source->done++;
	} while (is_manifest(eml, entry));
	buffer_add_string(&message->origin, entry->fts_path);
	if (entry->fts_info != FTS_F) {
		errno = entry->fts_errno;
		return SOURCE_UNREADABLE;
	}
	result = is_listed(eml, entry, message) ? read_listed(entry, message) : read_other(eml, entry, message);
	return result == SOURCE_MESSAGE ? set_mailbox(eml, entry, message) : result;
}

static void
eml_close(struct source *source)
{
	struct eml *eml = CONTAINER_OF(source, struct eml, source);

	walk_close(eml->walk);
	eml_list_free(&eml->list);
	buffer_free(&eml->folder);
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
