/*
 * Preloaded into imapd: while the file $DISK_SHIM exists, no file can be flushed whose path has the text that it holds; with
 * an empty one, none at all.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
is_meant(const char *switch_path, int descriptor)
{
	char text[PATH_MAX] = "", link[64], path[PATH_MAX] = "";
	int file = open(switch_path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return false;
	if (read(file, text, sizeof text - 1) < 0)
		text[0] = '\0';
	close(file);
	snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
	return readlink(link, path, sizeof path - 1) >= 0 && strstr(path, text) != NULL;
}

static int
flush(const char *name, int descriptor)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
	const char *path = getenv("DISK_SHIM");

	if (path != NULL && is_meant(path, descriptor)) {
		errno = EIO;
		return -1;
	}
	return real(descriptor);
}

int
fsync(int descriptor)
{
	return flush("fsync", descriptor);
}

int
fdatasync(int descriptor)
{
	return flush("fdatasync", descriptor);
}
