/*
 * Reading lines by read(2), so that no other copy of them is left.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define ROOM (2 * LINES_OCTETS_MAX)

bool
roster_file_open(struct roster_file *file, const char *path)
{
	struct stat facts;

	*file = (struct roster_file){ .descriptor = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC) };
	if (file->descriptor < 0)
		return false;
	if (fstat(file->descriptor, &facts) == 0 && S_ISDIR(facts.st_mode)) {
		close(file->descriptor);
		errno = EISDIR;
		return false;
	}
	file->octets = memory_new(ROOM);
	return true;
}

void
roster_file_close(struct roster_file *file)
{
	memory_wipe(file->octets, ROOM);
	free(file->octets);
	close(file->descriptor);
}

/* Read on behind what is there, which is moved to the front. */
static void
fill(struct roster_file *file)
{
	ssize_t got;

	memmove(file->octets, file->octets + file->begin, file->end - file->begin);
	file->end -= file->begin;
	file->begin = 0;
	do
		got = read(file->descriptor, file->octets + file->end, ROOM - file->end);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		file->error = errno;
	if (got <= 0)
		file->is_at_end = true;
	else
		file->end += (size_t)got;
}

static struct span
unread(const struct roster_file *file)
{
	return span_of(file->octets + file->begin, file->end - file->begin);
}

/* Up to a line end, the end, or as many octets as a line may have; the end of the line is past it then. */
static struct span
take(struct roster_file *file)
{
	struct span rest = unread(file), line;
	size_t end = span_find(rest, '\n');

	while (end == rest.length && !file->is_at_end && rest.length <= LINES_OCTETS_MAX) {
		fill(file);
		rest = unread(file);
		end = span_find(rest, '\n');
	}
	line = span_slice(rest, 0, end);
	file->begin += end < rest.length ? end + 1 : end;
	file->is_cut = end > LINES_OCTETS_MAX;
	while (end == rest.length && !file->is_at_end) {	/* the rest of a line that is too long */
		file->begin = file->end = 0;
		fill(file);
		rest = unread(file);
		end = span_find(rest, '\n');
		file->begin += end < rest.length ? end + 1 : end;
	}
	return line;
}

bool
roster_file_next(struct roster_file *file, struct span *line_out)
{
	static const struct span mark = SPAN("\xef\xbb\xbf");
	struct span line;

	if (unread(file).length == 0 && !file->is_at_end)
		fill(file);
	if (unread(file).length == 0 || file->error != 0)
		return false;
	line = span_without_line_end(take(file));
	if (file->number++ == 0 && span_starts_with(line, mark))
		line = span_from(line, mark.length);
	*line_out = line;
	return file->error == 0;
}
