/*
 * What was asked of a service, kept over a restart in a small file of the data directory:
 *
 *	requested stopped
 *	since 1795467600
 *	by alice
 *
 * It is replaced as a whole, and by one worker at a time, so that the last request wins.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"

#define FILE_MAX 4096

static void
take_line(struct memo *memo, struct span line)
{
	size_t space = span_find(line, ' ');
	struct span key = span_slice(line, 0, space), value = span_from(line, space + 1);
	uint64_t number;

	if (span_equals(key, SPAN("requested"))) {
		memo->is_wanted = span_equals(value, SPAN("running"));
		memo->is_known = memo->is_wanted || span_equals(value, SPAN("stopped"));
	} else if (span_equals(key, SPAN("since")) && span_to_number(value, INT64_MAX, &number)) {
		memo->since_s = (int64_t)number;
	} else if (span_equals(key, SPAN("by"))) {
		snprintf(memo->asked_by, sizeof memo->asked_by, "%.*s", SPAN_ARGS(value));
	}
}

void
memo_read(struct memo *memo, const char *data_directory, const char *name)
{
	struct buffer path = { 0 };
	char text[FILE_MAX];
	struct span rest = { (const uint8_t *)text, 0 };
	int descriptor;
	ssize_t length;

	assert_off_loop();
	buffer_printf(&path, "%s/service-%s", data_directory, name);
	memo->path = memory_copy_string(buffer_string(&path));
	buffer_free(&path);
	snprintf(memo->asked_by, sizeof memo->asked_by, "%s", "configuration");
	descriptor = open(memo->path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return;
	length = read(descriptor, text, sizeof text);
	close(descriptor);
	rest.length = length < 0 ? 0 : (size_t)length;
	while (rest.length > 0) {
		size_t end = span_find(rest, '\n');

		take_line(memo, span_slice(rest, 0, end));
		rest = span_from(rest, end + 1);
	}
}

static bool
write_whole(const char *path, struct span text)
{
	int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool is_good;

	if (descriptor < 0)
		return false;
	is_good = file_write(descriptor, text) && fsync(descriptor) == 0;
	return close(descriptor) == 0 && is_good;
}

/* The name in the folder is flushed, too. */
static bool
flush_folder(const char *path)
{
	char *folder = memory_copy_string(path);
	int descriptor;
	bool is_good;

	*strrchr(folder, '/') = '\0';
	descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	is_good = descriptor >= 0 && fsync(descriptor) == 0;
	if (descriptor >= 0)
		close(descriptor);
	return is_good;
}

static void
work_write(struct job *job)
{
	struct memo *memo = CONTAINER_OF(job, struct memo, job);
	struct buffer fresh = { 0 };

	assert_off_loop();
	buffer_printf(&fresh, "%s.new", memo->path);
	if (!write_whole(buffer_string(&fresh), buffer_span(&memo->text)) ||
	    rename(buffer_string(&fresh), memo->path) != 0 || !flush_folder(memo->path))
		log_warning("service-state", log_text("path", memo->path), log_text("reason", strerror(errno)));
	buffer_free(&fresh);
}

static void
on_written(struct job *job)
{
	struct memo *memo = CONTAINER_OF(job, struct memo, job);
	struct role *role = CONTAINER_OF(memo, struct role, memo);

	role->service->jobs--;
	memo->is_writing = false;
	if (memo->is_stale)
		memo_write(role);
	else if (role_is_at_rest(role))
		requests_answer(role);
}

void
memo_write(struct role *role)
{
	struct memo *memo = &role->memo;

	memo->is_stale = memo->is_writing;
	if (memo->is_writing)
		return;
	memo->is_writing = true;
	buffer_clear(&memo->text);
	buffer_printf(&memo->text, "requested %s\nsince %lld\nby %s\n", memo->is_wanted ? "running" : "stopped",
	    (long long)memo->since_s, memo->asked_by);
	memo->job.work = work_write;
	memo->job.done = on_written;
	role->service->jobs++;
	workers_submit(role->service->storage, &memo->job);
}

void
memo_fini(struct memo *memo)
{
	free(memo->path);
	buffer_free(&memo->text);
}
