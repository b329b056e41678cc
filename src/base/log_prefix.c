/*
 * What stands in front of a line of the log.  Needs no memory.  Any thread.
 */
#include <sys/stat.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* Of syslog(3), as sd-daemon(3) wants them. */
static const int priorities[] = {
	[LOG_LEVEL_ERROR] = 3,
	[LOG_LEVEL_WARNING] = 4,
	[LOG_LEVEL_INFO] = 6,
	[LOG_LEVEL_DEBUG] = 7,
};

static bool is_journal;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* JOURNAL_STREAM of systemd.exec(5) is the device and the inode of what was the journal when we were started. */
static void
look_at_stderr(void)
{
	const char *journal = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat about;

	if (journal == NULL || fstat(STDERR_FILENO, &about) != 0)
		return;
	snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)about.st_dev, (unsigned long long)about.st_ino);
	is_journal = strcmp(journal, own) == 0;
}

bool
log_is_journal(void)
{
	pthread_once(&once, look_at_stderr);
	return is_journal;
}

void
log_time(char out[LOG_PREFIX_SIZE])
{
	int64_t now_us = clock_calendar_us();
	time_t now_s = (time_t)(now_us / 1000000);
	struct tm parts;
	size_t length;

	gmtime_r(&now_s, &parts);
	length = strftime(out, LOG_PREFIX_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(out + length, LOG_PREFIX_SIZE - length, ".%03uZ ", (unsigned)(now_us / 1000 % 1000));
}

void
log_prefix(enum log_level level, char out[LOG_PREFIX_SIZE])
{
	if (log_is_journal())
		snprintf(out, LOG_PREFIX_SIZE, "<%d>", priorities[level]);
	else
		log_time(out);
}
