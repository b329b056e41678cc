#include "files.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

void
files_add_path(struct buffer *out, const char *folder, const char *name)
{
	buffer_printf(out, "%s/%s", folder, name);
}

static bool
make_one(const char *path)
{
	struct stat facts;

	if (mkdir(path, 0700) == 0)
		return true;
	if (errno != EEXIST || lstat(path, &facts) != 0)
		return false;
	errno = ENOTDIR;
	return S_ISDIR(facts.st_mode);
}

bool
files_make_folder(const char *top, const char *path)
{
	struct buffer full = { 0 };
	bool is_made = true;

	buffer_add_string(&full, top);
	while (is_made && *path != '\0') {
		size_t length = strcspn(path, "/");

		buffer_printf(&full, "/%.*s", (int)length, path);
		is_made = make_one(buffer_string(&full));
		path += length + (path[length] == '/');
	}
	buffer_free(&full);
	return is_made;
}

int
files_create(const char *path)
{
	if (unlink(path) != 0 && errno != ENOENT)
		return -1;
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Keeps the errno of what went wrong first. */
static bool
close_after(int descriptor, bool is_good)
{
	int error = errno;
	bool is_closed = close(descriptor) == 0;

	if (!is_good)
		errno = error;
	return is_good && is_closed;
}

/* Remove a file after a failure, whose errno stays. */
static void
remove_after(const char *path)
{
	int error = errno;

	unlink(path);
	errno = error;
}

bool
files_replace(const char *path, struct span octets)
{
	struct buffer other = { 0 };
	int descriptor;
	bool is_good;

	buffer_printf(&other, "%s.new", path);
	descriptor = files_create(buffer_string(&other));
	is_good = descriptor >= 0 &&
	    close_after(descriptor, file_write(descriptor, octets) && fsync(descriptor) == 0) &&
	    rename(buffer_string(&other), path) == 0;
	if (!is_good && descriptor >= 0)
		remove_after(buffer_string(&other));
	buffer_free(&other);
	return is_good;
}

/* Not every file system has room for dates before 1901 or after 2038. */
static bool
set_time(int descriptor, int64_t date_s)
{
	struct timespec times[2] = { { .tv_sec = date_s }, { .tv_sec = date_s } };
	struct stat facts;

	return futimens(descriptor, times) == 0 && fstat(descriptor, &facts) == 0 && facts.st_mtim.tv_sec == date_s;
}

bool
files_write_dated(const char *path, struct span octets, int64_t date_s, bool *is_dated_out)
{
	int descriptor = files_create(path);
	bool is_good;

	if (descriptor < 0)
		return false;
	is_good = file_write(descriptor, octets);
	*is_dated_out = is_good && set_time(descriptor, date_s);
	is_good = close_after(descriptor, is_good);
	if (!is_good)
		remove_after(path);
	return is_good;
}

bool
files_sync_all(const char *folder)
{
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return descriptor >= 0 && close_after(descriptor, syncfs(descriptor) == 0);
}

bool
files_sync_folder(const char *folder)
{
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return descriptor >= 0 && close_after(descriptor, fsync(descriptor) == 0);
}

void
files_remove(const char *folder, const char *const *names)
{
	struct buffer path = { 0 };

	for (; *names != NULL; names++) {
		buffer_clear(&path);
		files_add_path(&path, folder, *names);
		remove(buffer_string(&path));
	}
	buffer_free(&path);
}
