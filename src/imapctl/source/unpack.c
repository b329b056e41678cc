#include "unpack.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "walk.h"

bool
unpack_begin(struct unpack *unpack)
{
	const char *folder = secure_getenv("TMPDIR");

	if (unpack->directory.length > 0)
		return true;
	buffer_printf(&unpack->directory, "%s/imapctl-XXXXXX", folder == NULL ? "/var/tmp" : folder);
	buffer_string(&unpack->directory);
	if (mkdtemp((char *)unpack->directory.at) != NULL)
		return true;
	buffer_free(&unpack->directory);
	return false;
}

/* A name that stays below the folder, of levels that are names. */
static bool
is_inside(struct span name)
{
	if (name.length == 0 || name.at[0] == '/' || span_find(name, '\0') < name.length)
		return false;
	while (name.length > 0) {
		size_t end = span_find(name, '/');
		struct span level = span_slice(name, 0, end);

		if (span_equals(level, SPAN("..")) || level.length > 255)
			return false;
		name = span_from(name, end + 1);
	}
	return true;
}

/* Of a Takeout, which may hold all that Google knows, the mail. */
static bool
is_wanted(struct span name)
{
	struct span ending = SPAN(".mbox");

	return !span_starts_with(name, SPAN("Takeout/")) ||
	    (name.length > ending.length && span_equals_nocase(span_from(name, name.length - ending.length), ending));
}

/* Make the folders of a path below the unpacked one; the last level, too, if it ends in "/". */
static bool
make_folders(const struct unpack *unpack, struct buffer *path)
{
	char *text = memory_copy_string(buffer_string(path));
	bool is_made = true;

	for (char *slash = strchr(text + unpack->directory.length + 1, '/'); slash != NULL && is_made;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		is_made = mkdir(text, 0700) == 0 || errno == EEXIST;
		*slash = '/';
	}
	free(text);
	return is_made;
}

bool
unpack_file(struct unpack *unpack, struct span name, FILE **file_out)
{
	struct buffer path = { 0 };
	int descriptor = -1;

	*file_out = NULL;
	if (!is_inside(name) || !is_wanted(name))
		return true;
	if (!unpack_begin(unpack))
		return false;
	buffer_printf(&path, "%.*s/%.*s", SPAN_ARGS(buffer_span(&unpack->directory)), SPAN_ARGS(name));
	if (make_folders(unpack, &path))
		descriptor = open(buffer_string(&path), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (descriptor >= 0)
		*file_out = fdopen(descriptor, "w");
	unpack->files += *file_out != NULL;
	buffer_free(&path);
	return *file_out != NULL;
}

bool
unpack_folder(struct unpack *unpack, struct span name)
{
	struct buffer path = { 0 };
	bool is_made;

	if (!is_inside(name) || !is_wanted(name))
		return true;
	if (!unpack_begin(unpack))
		return false;
	buffer_printf(&path, "%.*s/%.*s/", SPAN_ARGS(buffer_span(&unpack->directory)), SPAN_ARGS(name));
	is_made = make_folders(unpack, &path);
	buffer_free(&path);
	return is_made;
}

bool
unpack_end_file(FILE *file, int64_t time_s)
{
	struct timespec times[] = { { .tv_sec = time_s }, { .tv_sec = time_s } };
	bool is_written = fflush(file) == 0;

	futimens(fileno(file), times);
	return fclose(file) == 0 && is_written;
}

void
unpack_remove(struct unpack *unpack)
{
	FTS *walk;
	FTSENT *entry;
	char *path;

	if (unpack->directory.length == 0)
		return;
	path = memory_copy_string(buffer_string(&unpack->directory));
	walk = walk_open(path);
	while (walk != NULL && (entry = fts_read(walk)) != NULL) {
		if (entry->fts_info == FTS_DP)
			rmdir(entry->fts_path);
		else if (entry->fts_info != FTS_D)
			unlink(entry->fts_path);
	}
	walk_close(walk);
	free(path);
	buffer_free(&unpack->directory);
}
