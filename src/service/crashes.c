/*
 * Reports of faults (base/crash.h) that this host has: the last ones are kept, and told of for a week.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "internal.h"

#define REPORTS_KEPT 10
#define TOLD_S	     (7 * 86400)
#define REPORT_MAX   (64 * 1024)	/* octets of one that are told */

struct reading {
	struct job job;
	struct service *service;	/* loop thread only, like the call */
	struct control_call *call;
	struct buffer text;
};

/* The time in the name of a report; 0: it is no report. */
static int64_t
time_in(const char *name)
{
	struct span digits = span_from_string(name);
	uint64_t seconds;

	if (!span_starts_with(digits, SPAN("crash-")) || digits.length < 11 ||
	    !span_equals(span_from(digits, digits.length - 4), SPAN(".txt")))
		return 0;
	digits = span_slice(digits, 6, digits.length - 10);
	return span_to_number(digits, INT64_MAX, &seconds) ? (int64_t)seconds : 0;
}

static int
newest_first(const void *a, const void *b)
{
	const int64_t *one = a, *other = b;

	return *one < *other ? 1 : *one > *other ? -1 : 0;
}

static char *
path_of(const char *folder, int64_t time_s)
{
	char *path;

	if (asprintf(&path, "%s/crash-%lld.txt", folder, (long long)time_s) < 0)
		abort();
	return path;
}

/* Their times, given, the newest first. */
static int64_t *
list_reports(const char *folder, size_t *count_out)
{
	DIR *listing = opendir(folder);
	int64_t *times = NULL, time_s;
	struct dirent *entry;

	*count_out = 0;
	while (listing != NULL && (entry = readdir(listing)) != NULL) {
		if ((time_s = time_in(entry->d_name)) == 0)
			continue;
		times = memory_resize(times, *count_out + 1, sizeof *times);
		times[(*count_out)++] = time_s;
	}
	if (listing != NULL)
		closedir(listing);
	if (*count_out > 0)
		qsort(times, *count_out, sizeof *times, newest_first);
	return times;
}

void
crashes_look(struct service *service)
{
	const char *folder = service->config->data_directory;
	size_t count;
	int64_t *times = list_reports(folder, &count);

	for (size_t i = 0; i < count; i++) {
		char *path = path_of(folder, times[i]);

		if (i >= REPORTS_KEPT)
			unlink(path);
		if (times[i] > clock_calendar_s() - TOLD_S)
			service->crashes.recent++;
		free(path);
	}
	if (count > 0) {
		service->crashes.last_s = times[0];
		service->crashes.path = path_of(folder, times[0]);
	}
	free(times);
}

bool
crashes_are_recent(const struct service *service)
{
	return service->crashes.recent > 0 && service->crashes.last_s > clock_calendar_s() - TOLD_S;
}

static void
read_report(struct job *job)
{
	struct reading *reading = CONTAINER_OF(job, struct reading, job);
	int file = open(reading->service->crashes.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t count = 1;

	while (file >= 0 && count > 0 && reading->text.length < REPORT_MAX) {
		count = read(file, buffer_reserve(&reading->text, 4096), 4096);
		if (count > 0)
			reading->text.length += (size_t)count;
	}
	if (file >= 0)
		close(file);
}

static void
on_report_read(struct job *job)
{
	struct reading *reading = CONTAINER_OF(job, struct reading, job);
	struct span rest = buffer_span(&reading->text);

	while (rest.length > 0) {
		size_t end = span_find(rest, '\n');

		control_reply(reading->call, span_slice(rest, 0, end));
		rest = span_from(rest, end + 1);
	}
	control_finish(reading->call, EX_OK, NULL);
	reading->service->jobs--;
	buffer_free(&reading->text);
	free(reading);
}

/* The last report, as it is; nothing when there is none. */
static void
on_crash(struct control_call *call, void *context)
{
	struct service *service = context;
	struct reading *reading;

	if (service->crashes.path == NULL) {
		control_finish(call, EX_OK, NULL);
		return;
	}
	reading = NEW(struct reading);
	reading->service = service;
	reading->call = call;
	reading->job.work = read_report;
	reading->job.done = on_report_read;
	service->jobs++;
	workers_submit(service->storage, &reading->job);
}

void
crashes_register(struct service *service)
{
	control_register(service->control, "crash", CONTROL_VIEW, on_crash, service);
}
