/*
 * Unique names as https://cr.yp.to/proto/maildir.html and the programs make them: seconds, a dot, letters with
 * numbers (M microseconds, P process, Q delivery) or process_delivery, a dot, the host.  offlineimap writes
 * seconds_delivery.process.
 */
#include "maildir_list.h"

#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "links.h"
#include "maildir_uids.h"

/* cur/ or new/.  NULL: errno says why. */
static DIR *
open_part(const char *path, const char *part)
{
	struct buffer full = { 0 };
	struct stat facts;
	DIR *folder;

	buffer_printf(&full, "%s/%s", path, part);
	folder = opendir(buffer_string(&full));
	if (folder != NULL && (fstat(dirfd(folder), &facts) != 0 ||
	    !link_is_trusted(buffer_string(&full), &facts))) {
		int error = errno;

		closedir(folder);
		folder = NULL;
		errno = error;
	}
	buffer_free(&full);
	return folder;
}

/* The next file that is a message's, or NULL. */
static const char *
next_name(DIR *folder)
{
	struct dirent *entry;

	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != '.')
			return entry->d_name;
	}
	return NULL;
}

static uint64_t
count_in(const char *path, const char *part)
{
	DIR *folder = open_part(path, part);
	uint64_t count = 0;

	if (folder == NULL)
		return 0;
	while (next_name(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

uint64_t
maildir_count(const char *path)
{
	return count_in(path, "cur") + count_in(path, "new");
}

size_t
maildir_base_length(const char *name)
{
	const char *info = strstr(name, ":2,");

	if (info == NULL)
		info = strstr(name, "!2,");
	if (info == NULL)
		info = strstr(name, ";2,");
	return info == NULL ? strcspn(name, ":") : (size_t)(info - name);
}

/* Read a decimal number and move behind it; 0 when there is none. */
static uint64_t
take_number(const char **at)
{
	char *end;
	uint64_t number;

	if (!isdigit((unsigned char)**at))
		return 0;
	number = strtoull(*at, &end, 10);
	*at = end;
	return number;
}

/* One of `M1`, `P23`, `Q4`, `_5`, `678`, or a letter with a number in hexadecimal.  False: something else. */
static bool
take_part(const char **at, struct maildir_file *file)
{
	char letter = **at;

	if (isdigit((unsigned char)letter)) {
		file->process = take_number(at);
		return true;
	}
	if (letter == '\0' || strchr("MPQ_RIVX#", letter) == NULL)
		return false;
	++*at;
	if (letter == 'M')
		file->microsecond = take_number(at);
	else if (letter == 'P')
		file->process = take_number(at);
	else if (letter == 'Q' || letter == '_')
		file->delivery = take_number(at);
	else
		*at += strspn(*at, "0123456789abcdefABCDEF");
	return true;
}

static void
read_name(struct maildir_file *file)
{
	const char *at = file->name;

	file->second = take_number(&at);
	if (*at == '_' && isdigit((unsigned char)at[1])) {
		at++;
		file->delivery = take_number(&at);
	}
	if (*at++ != '.')
		return;
	while (take_part(&at, file))
		;
}

/* A name of another kind says nothing: the file's own time has to do. */
static void
read_time(struct maildir_file *file, DIR *folder)
{
	struct stat facts;

	if (fstatat(dirfd(folder), file->name, &facts, 0) == 0 && facts.st_mtime > 0)
		file->second = (uint64_t)facts.st_mtime;
}

static struct maildir_file *
add_file(struct maildir_list *list, const char *name)
{
	if (list->count == list->room) {
		list->room = list->room == 0 ? 64 : 2 * list->room;
		list->files = memory_resize(list->files, list->room, sizeof *list->files);
	}
	list->files[list->count] = (struct maildir_file){ .name = memory_copy_string(name), .uid = UINT64_MAX };
	return &list->files[list->count++];
}

/* Gives errno; what is not there has no messages. */
static int
list_part(struct maildir_list *list, const char *path, bool is_new)
{
	DIR *folder = open_part(path, is_new ? "new" : "cur");
	const char *name;

	if (folder == NULL)
		return errno == ENOENT ? 0 : errno;
	while ((name = next_name(folder)) != NULL) {
		struct maildir_file *file = add_file(list, name);

		file->is_new = is_new;
		if (isdigit((unsigned char)name[0]))
			read_name(file);
		else
			read_time(file, folder);
	}
	closedir(folder);
	return 0;
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
by_arrival(const void *left, const void *right)
{
	const struct maildir_file *a = left, *b = right;
	int order = compare_numbers(a->uid, b->uid);

	if (order == 0)
		order = compare_numbers(a->second, b->second);
	if (order == 0)
		order = compare_numbers(a->microsecond, b->microsecond);
	if (order == 0)
		order = compare_numbers(a->process, b->process);
	if (order == 0)
		order = compare_numbers(a->delivery, b->delivery);
	return order == 0 ? strverscmp(a->name, b->name) : order;
}

static void
find_uids(struct maildir_list *list, const char *path)
{
	struct map *uids = maildir_uids_read(path);

	for (size_t i = 0; uids != NULL && i < list->count; i++) {
		const char *name = list->files[i].name;
		uintptr_t uid = (uintptr_t)map_get(uids, span_of(name, maildir_base_length(name)));

		if (uid != 0)
			list->files[i].uid = uid;
	}
	map_free(&uids);
}

/* Moved from new/ to cur/ between the two listings? */
static bool
is_moved(const struct maildir_file *file, const struct maildir_file *next, const char *path)
{
	size_t length = maildir_base_length(next->name);
	struct buffer full = { 0 };
	bool is_there;

	if (!file->is_new || next->is_new || strlen(file->name) != length ||
	    memcmp(file->name, next->name, length) != 0)
		return false;
	buffer_printf(&full, "%s/new/%s", path, file->name);
	is_there = access(buffer_string(&full), F_OK) == 0;
	buffer_free(&full);
	return !is_there;
}

static void
drop_moved(struct maildir_list *list, const char *path)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (i + 1 < list->count && is_moved(&list->files[i], &list->files[i + 1], path))
			free(list->files[i].name);
		else
			list->files[kept++] = list->files[i];
	}
	list->count = kept;
}

void
maildir_list_read(struct maildir_list *list, const char *path)
{
	/* In this order: a message that is moved meanwhile is seen twice, not missed. */
	list->new_error = list_part(list, path, true);
	list->cur_error = list_part(list, path, false);
	find_uids(list, path);
	if (list->count > 0)
		qsort(list->files, list->count, sizeof *list->files, by_arrival);
	drop_moved(list, path);
}

bool
maildir_find_renamed(struct maildir_file *file, const char *path)
{
	size_t length = maildir_base_length(file->name);
	DIR *folder = open_part(path, "cur");
	const char *name;

	if (folder == NULL)
		return false;
	while ((name = next_name(folder)) != NULL &&
	    (maildir_base_length(name) != length || memcmp(name, file->name, length) != 0))
		;
	if (name != NULL) {
		free(file->name);
		file->name = memory_copy_string(name);
		file->is_new = false;
	}
	closedir(folder);
	return name != NULL;
}

void
maildir_list_free(struct maildir_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->files[i].name);
	free(list->files);
	*list = (struct maildir_list){ 0 };
}
