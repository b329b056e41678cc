/*
 * Files of Outlook, by readpst(1) of libpst, which makes a tree of single messages of one.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "folder_name.h"
#include "marks.h"
#include "several.h"
#include "unpacked.h"
#include "walk.h"

extern char **environ;

/* A message as readpst writes it, whose field Status is readpst's own. */
struct letter {
	struct source source;
	struct source *file;
};

static enum source_result
next(struct source *source, struct message *message)
{
	struct letter *letter = CONTAINER_OF(source, struct letter, source);
	enum source_result result;

	letter->file->octets_max = source->octets_max;
	result = source_next(letter->file, message);
	source->done = letter->file->done;
	if (result == SOURCE_MESSAGE) {
		message->flags = 0;
		buffer_clear(&message->keywords);
		marks_take(source, message);
	}
	return result;
}

static void
letter_close(struct source *source)
{
	struct letter *letter = CONTAINER_OF(source, struct letter, source);

	source_close(&letter->file);
	free(letter);
}

static struct source *
letter_open(const char *path)
{
	struct source *file = eml_open(path);
	struct letter *letter;

	if (file == NULL)
		return NULL;
	letter = NEW(struct letter);
	letter->source.next = next;
	letter->source.close = letter_close;
	letter->source.total = file->total;
	letter->file = file;
	return &letter->source;
}

/* Run it; false: errno says why, ENOPKG: it is not installed. */
static bool
run_readpst(const char *folder, const char *path)
{
	struct buffer file = { 0 };
	posix_spawn_file_actions_t actions;
	int error, status = -1;
	pid_t child;

	buffer_printf(&file, "%s%s", path[0] == '/' ? "" : "./", path);
	char *arguments[] = { "readpst", "-e", "-q", "-o", (char *)(uintptr_t)folder, (char *)(uintptr_t)buffer_string(&file), NULL };

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	error = posix_spawnp(&child, "readpst", &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	buffer_free(&file);
	if (error != 0) {
		errno = error == ENOENT ? ENOPKG : error;
		return false;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	errno = EILSEQ;
	return status == 0;
}

/* What Outlook calls the folders that it uses itself. */
static struct span
known_name(struct span level)
{
	static const struct {
		struct span own, mailbox;
	} names[] = { { SPAN("Inbox"), SPAN("INBOX") }, { SPAN("Sent Items"), SPAN("Sent") },
		{ SPAN("Deleted Items"), SPAN("Trash") }, { SPAN("Junk E-mail"), SPAN("Junk") }, { SPAN("Junk Email"), SPAN("Junk") } };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (span_equals_nocase(level, names[i].own))
			return names[i].mailbox;
	}
	return level;
}

/* The levels of a path below the folder that stands for the whole file. */
static void
add_name(struct buffer *name, struct span path)
{
	path = span_from(path, 1);
	path = span_from(path, span_find(path, '/') + 1);
	while (path.length > 0) {
		size_t end = span_find(path, '/');
		struct span level = span_slice(path, 0, end);

		folder_name_add_text(name, name->length == 0 ? known_name(level) : level);
		path = span_from(path, end + 1);
	}
}

static void
add_entry(struct several *several, const FTSENT *entry, size_t root_length)
{
	size_t length = entry->fts_pathlen - (entry->fts_info == FTS_F ? (size_t)entry->fts_namelen + 1 : 0);
	const char *dot = strrchr(entry->fts_name, '.');
	struct buffer name = { 0 };

	add_name(&name, span_of(entry->fts_path + root_length, length - root_length));
	if (entry->fts_info == FTS_D && name.length > 0)
		several_add(several, entry->fts_path, buffer_span(&name), NULL);
	else if (entry->fts_info == FTS_F && dot != NULL && strcmp(dot, ".eml") == 0)
		several_add(several, entry->fts_path, buffer_span(&name), letter_open);
	else if (entry->fts_info == FTS_F)
		several_leave_out(several, entry->fts_path, dot != NULL && strcmp(dot, ".ics") == 0 ? "a calendar entry, no mail"
		    : dot != NULL && strcmp(dot, ".vcf") == 0 ? "an address, no mail" : "no mail");
	buffer_free(&name);
}

static struct source *
open_tree(const char *folder)
{
	struct several *several = several_new();
	char *path = memory_copy_string(folder);
	FTS *walk = walk_open_numbers(path);
	FTSENT *entry;

	while (walk != NULL && (entry = fts_read(walk)) != NULL) {
		if (entry->fts_level > 0)
			add_entry(several, entry, strlen(path));
	}
	walk_close(walk);
	free(path);
	buffer_add_string(&several_source(several)->what, "a file of Outlook, by readpst");
	return several_source(several);
}

static bool
is_pst(const char *path)
{
	FILE *file;
	struct stat facts;
	char magic[4];
	bool is_one;

	if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode) || (file = fopen(path, "re")) == NULL)
		return false;
	is_one = fread(magic, 1, sizeof magic, file) == sizeof magic && memcmp(magic, "!BDN", sizeof magic) == 0;
	fclose(file);
	return is_one;
}

struct source *
pst_open(const char *path)
{
	struct unpack unpack = { 0 };
	int error;

	if (!is_pst(path)) {
		errno = EBADMSG;
		return NULL;
	}
	if (unpack_begin(&unpack) && run_readpst(buffer_string(&unpack.directory), path))
		return unpacked_source(&unpack, open_tree(buffer_string(&unpack.directory)), path, "");
	error = errno;
	unpack_remove(&unpack);
	errno = error;
	return NULL;
}
