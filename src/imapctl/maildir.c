/*
 * The maildir format: one file a message in cur/ and new/, flags behind `:2,` in the name, and
 * Maildir++ folders `.Sub.Below`, whose names are modified UTF-7 as IMAP's are.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source.h"

struct maildir {
	struct source source;
	char *path;
	struct dirent **folders;	/* "." first, then ".Sub"; sorted */
	int folder_count, folder;
	struct dirent **files;		/* of one of the two below */
	int file_count, file;
	int part;			/* 0: new, 1: cur, 2: next folder */
};

static const char *const parts[] = { "new", "cur" };

static int
is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The maildir itself and what begins with a dot, but not what lies above it. */
static int
is_folder(const struct dirent *entry)
{
	return entry->d_name[0] == '.' && strcmp(entry->d_name, "..") != 0;
}

static void
free_entries(struct dirent ***entries, int count)
{
	for (int i = 0; i < count; i++)
		free((*entries)[i]);
	free(*entries);
	*entries = NULL;
}

/* List the next of cur/ and new/ in all folders; false when all were seen. */
static bool
next_folder(struct maildir *maildir)
{
	struct buffer path = { 0 };

	free_entries(&maildir->files, maildir->file_count);
	maildir->file = maildir->file_count = 0;
	if (maildir->part == 2) {
		maildir->part = 0;
		maildir->folder++;
	}
	if (maildir->folder >= maildir->folder_count)
		return false;
	buffer_printf(&path, "%s/%s/%s", maildir->path,
	    maildir->folders[maildir->folder]->d_name, parts[maildir->part++]);
	maildir->file_count = scandir(buffer_string(&path), &maildir->files, is_file, alphasort);
	if (maildir->file_count < 0)	/* a dot folder that is no maildir: nothing to import */
		maildir->file_count = 0;
	buffer_free(&path);
	return true;
}

static unsigned
flags_of(const char *name)
{
	static const struct {
		char letter;
		unsigned flag;
	} letters[] = { { 'P', FLAG_FORWARDED }, { 'R', FLAG_ANSWERED }, { 'S', FLAG_SEEN },
		{ 'T', FLAG_DELETED }, { 'D', FLAG_DRAFT }, { 'F', FLAG_FLAGGED } };
	const char *info = strstr(name, ":2,");
	unsigned flags = 0;

	for (size_t i = 0; info != NULL && i < COUNT_OF(letters); i++) {
		if (strchr(info + 3, letters[i].letter) != NULL)
			flags |= letters[i].flag;
	}
	return flags;
}

/* `.Sub.Below` is the mailbox Sub/Below. */
static void
add_mailbox(struct buffer *out, const char *folder)
{
	for (const char *at = folder + 1; *at != '\0'; at++)
		buffer_add_octet(out, *at == '.' ? '/' : (uint8_t)*at);
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct maildir *maildir = CONTAINER_OF(source, struct maildir, source);
	const char *folder, *name;

	message_clear(message);
	while (maildir->file == maildir->file_count) {
		if (!next_folder(maildir))
			return SOURCE_END;
	}
	folder = maildir->folders[maildir->folder]->d_name;
	name = maildir->files[maildir->file++]->d_name;
	buffer_printf(&message->origin, "%s/%s%s%s/%s", maildir->path,
	    folder[1] == '\0' ? "" : folder, folder[1] == '\0' ? "" : "/",
	    parts[maildir->part - 1], name);
	add_mailbox(&message->mailbox, folder);
	message->flags = flags_of(name);
	source->done++;
	return message_read_file(message, buffer_string(&message->origin)) ? SOURCE_MESSAGE
									   : SOURCE_UNREADABLE;
}

static void
maildir_close(struct source *source)
{
	struct maildir *maildir = CONTAINER_OF(source, struct maildir, source);

	free_entries(&maildir->files, maildir->file_count);
	free_entries(&maildir->folders, maildir->folder_count);
	free(maildir->path);
	free(maildir);
}

/* How many files there are, so that progress has an end. */
static void
count_files(struct maildir *maildir)
{
	while (next_folder(maildir))
		maildir->source.total += (uint64_t)maildir->file_count;
	maildir->folder = maildir->part = 0;
}

static bool
is_maildir(const char *path)
{
	struct buffer cur = { 0 };
	struct stat facts;
	bool is_one;

	buffer_printf(&cur, "%s/cur", path);
	is_one = stat(buffer_string(&cur), &facts) == 0 && S_ISDIR(facts.st_mode);
	buffer_free(&cur);
	return is_one;
}

struct source *
maildir_open(const char *path)
{
	struct dirent **folders;
	struct maildir *maildir;
	int count = scandir(path, &folders, is_folder, alphasort);

	if (count < 0)
		return NULL;
	if (!is_maildir(path)) {
		free_entries(&folders, count);
		errno = EBADMSG;
		return NULL;
	}
	maildir = NEW(struct maildir);
	maildir->source.next = next;
	maildir->source.close = maildir_close;
	maildir->path = memory_copy_string(path);
	maildir->folders = folders;
	maildir->folder_count = count;
	count_files(maildir);
	return &maildir->source;
}
