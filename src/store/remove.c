/*
 * Removing a user's mail for good, and making the marks of files that are older than marks.  Worker threads.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"
#include "mark.h"
#include "store/mark.h"

static enum store_status
from_errno(void)
{
	return errno == ENOENT ? STORE_NOT_FOUND : errno == ENOSPC || errno == EDQUOT ? STORE_FULL : STORE_UNAVAILABLE;
}

/* What lies in the folder goes, whoever put it there; a folder in it stays, and with it all. */
static bool
empty_folder(DIR *folder)
{
	const struct dirent *entry;

	while ((entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(folder), entry->d_name, 0) != 0)
			return false;
	}
	return true;
}

static enum store_status
remove_folder(char *path)
{
	DIR *folder = opendir(path);
	bool is_empty;

	if (folder == NULL)
		return from_errno();
	is_empty = empty_folder(folder);
	closedir(folder);
	if (!is_empty || rmdir(path) != 0 || !store_sync_folder(dirname(path)))
		return from_errno() == STORE_FULL ? STORE_FULL : STORE_UNAVAILABLE;
	return STORE_OK;
}

enum store_status
store_remove(const char *path, const char *mark_path)
{
	char *copy = memory_copy_string(path);
	enum store_status status;

	assert_off_loop();
	status = remove_folder(dirname(copy));
	free(copy);
	/* The mark last: until then the user had mail that is gone, and nobody makes new. */
	if ((status == STORE_OK || status == STORE_NOT_FOUND) && unlink(mark_path) != 0 && errno != ENOENT)
		return STORE_UNAVAILABLE;
	return status;
}

/* A mark for the file of one user, without a flush of its own. */
static bool
make_mark(const char *data, const char *marks, const char *group, const char *id, uint64_t era)
{
	const struct mark_record record = { .era = era, .is_made = 1 };
	struct buffer path = { 0 };
	struct stat about;
	bool is_good = true;

	buffer_printf(&path, "%s/%s/%s/mail.db", data, group, id);
	if (stat(buffer_string(&path), &about) == 0 && about.st_size > 0) {
		buffer_clear(&path);
		buffer_printf(&path, "%s/%s/%s", marks, group, id);
		is_good = mark_write(buffer_string(&path), &record, false);
	}
	buffer_free(&path);
	return is_good;
}

static bool
make_group(const char *data, const char *marks, const char *group, uint64_t era)
{
	struct buffer path = { 0 };
	const struct dirent *entry;
	bool is_good = true;
	DIR *folder;

	buffer_printf(&path, "%s/%s", data, group);
	folder = opendir(buffer_string(&path));
	buffer_free(&path);
	if (folder == NULL)
		return errno == ENOTDIR;
	while (is_good && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != '.')
			is_good = make_mark(data, marks, group, entry->d_name, era);
	}
	closedir(folder);
	return is_good;
}

/* Made under another name, which it loses when it is whole: so a start that was cut short begins anew. */
static bool
make_marks(const char *data, const char *marks, uint64_t era)
{
	DIR *folder = opendir(data);
	const struct dirent *entry;
	bool is_good = mkdir(marks, 0700) == 0 || errno == EEXIST;

	if (folder == NULL)
		return is_good && errno == ENOENT;
	while (is_good && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] != '.')
			is_good = make_group(data, marks, entry->d_name, era);
	}
	is_good = is_good && syncfs(dirfd(folder)) == 0;
	closedir(folder);
	return is_good;
}

bool
store_marks_init(const char *data_directory, uint64_t era)
{
	struct buffer data = { 0 }, marks = { 0 }, made = { 0 };
	struct stat about;
	bool is_good;

	assert_off_loop();
	buffer_printf(&data, "%s/data", data_directory);
	buffer_printf(&marks, "%s/marks", data_directory);
	buffer_printf(&made, "%s/marks.new", data_directory);
	is_good = stat(buffer_string(&marks), &about) == 0 ||
	    (make_marks(buffer_string(&data), buffer_string(&made), era) &&
		rename(buffer_string(&made), buffer_string(&marks)) == 0 && store_sync_folder(data_directory));
	buffer_free(&data);
	buffer_free(&marks);
	buffer_free(&made);
	return is_good;
}
