/*
 * Why a path cannot be used, in an operator's words: which part of it is not there, is of another kind, or is
 * closed to us.  Looks at files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "options.h"

static const char *
kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a folder";
	if (S_ISREG(mode))
		return "a file";
	return S_ISSOCK(mode) ? "a socket" : "neither a file nor a folder";
}

/* The beginning of a path that ends before its n-th slash, or all of it; given.  NULL: there are fewer. */
static char *
beginning(const char *path, unsigned n)
{
	const char *end = path;

	for (unsigned i = 0; i < n; i++) {
		if (*end == '\0')
			return NULL;
		end += 1 + strcspn(end + 1, "/");
	}
	return memory_copy_span(span_of(path, (size_t)(end - path)));
}

#define NAME_MIN  4	/* of two short names there is always one near the other, */
#define LONG_NAME 7	/* and of two that are not long one two slips away */

/* What is called nearly so in a folder, given; NULL: nothing is. */
static char *
near_name(const char *folder, const char *name)
{
	struct suggestion suggestion = { 0 };
	struct dirent *entry;
	char *best = NULL;
	DIR *listing = opendir(folder[0] == '\0' ? "/" : folder);

	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		const char *before = suggestion.best;

		if (strlen(name) >= NAME_MIN && strlen(entry->d_name) >= NAME_MIN)
			suggestion_consider(&suggestion, span_from_string(name), entry->d_name);
		if (suggestion.best == before)
			continue;
		free(best);
		suggestion.best = best = memory_copy_string(entry->d_name);
	}
	if (listing != NULL)
		closedir(listing);
	if (best != NULL && strlen(name) < LONG_NAME && suggestion.cost >= SUGGESTION_TWO_SLIPS) {
		free(best);
		best = NULL;
	}
	return best;
}

static void
explain_missing(const char *part, const char *folder, bool is_folder, struct buffer *reason_out)
{
	char target[PATH_MAX + 1], *near;
	ssize_t length = readlink(part, target, PATH_MAX);

	if (length >= 0) {
		buffer_printf(reason_out, "%s is a symbolic link to %.*s, which is not there", part, (int)length, target);
		return;
	}
	buffer_printf(reason_out, "there is no %s %s", is_folder ? "folder" : "file", part);
	near = near_name(folder, strrchr(part, '/') + 1);
	if (near != NULL)
		buffer_printf(reason_out, "; did you mean \"%s\"?", near);
	free(near);
}

/* One part of a path cannot be looked at. */
static void
explain_part(const char *part, const char *folder, bool is_folder, const char *who, int error,
    struct buffer *reason_out)
{
	switch (error) {
	case ENOENT:
		explain_missing(part, folder, is_folder, reason_out);
		break;
	case ENOTDIR:
		buffer_printf(reason_out, "%s is a file, and not a folder", folder);
		break;
	case EACCES:
		buffer_printf(reason_out, "%s may not enter the folder %s", who, folder);
		break;
	case ELOOP:
		buffer_printf(reason_out, "the symbolic link %s leads back to itself", part);
		break;
	case ENAMETOOLONG:
		buffer_add_string(reason_out, "the path is longer than paths may be");
		break;
	default:
		buffer_printf(reason_out, "%s: %s", part, strerror(error));
		break;
	}
}

static void
explain_path(const char *path, const struct file_use *use, struct buffer *reason_out)
{
	char *part = NULL, *folder = NULL;
	struct stat about;
	int error = errno;

	for (unsigned n = 1; (part = beginning(path, n)) != NULL; n++) {
		if (stat(part, &about) != 0)
			break;
		free(folder);
		folder = part;
	}
	if (part != NULL && stat(part, &about) != 0)
		error = errno;
	explain_part(part == NULL ? path : part, folder == NULL ? "/" : folder,
	    use->is_folder || (part != NULL && strlen(part) < strlen(path)), use->who, error, reason_out);
	free(part);
	free(folder);
}

static const char *
verb_of(int wish)
{
	return wish & W_OK ? "write" : "read";
}

bool
file_can_be_used(const char *path, const struct file_use *use, struct buffer *reason_out)
{
	struct stat about;

	if (stat(path, &about) != 0) {
		if (errno == EACCES && use->is_other)
			return true;
		explain_path(path, use, reason_out);
		return false;
	}
	if (use->is_folder ? !S_ISDIR(about.st_mode) : !S_ISREG(about.st_mode)) {
		buffer_printf(reason_out, "%s is %s, and not %s", path, kind_of(about.st_mode),
		    use->is_folder ? "a folder" : "a file");
		return false;
	}
	if (use->is_other || faccessat(AT_FDCWD, path, use->wish, AT_EACCESS) == 0)
		return true;
	if (errno == EROFS)
		buffer_printf(reason_out, "%s is on a file system that cannot be written to, or systemd's unit lacks "
		    "ReadWritePaths= for it", path);
	else
		buffer_printf(reason_out, "%s may not %s %s", use->who, verb_of(use->wish), path);
	return false;
}
