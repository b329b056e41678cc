/*
 * Files named as Exchange Server names them, IMAP4YYYYMMDD-N.LOG, each with its header.  Worker.
 */
#include "protocol_file.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

#define ROOM_MIN (64 * 1024)	/* octets */
#define FIELDS "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid"

/* One that is there already. */
struct found {
	char name[40];
	unsigned day, number;
	uint64_t size;
	int64_t modified_s;
};

void
protocol_file_init(struct protocol_file *file, const char *folder, uint64_t size_max, uint64_t time_max_s)
{
	*file = (struct protocol_file){ .folder = folder, .size_max = size_max, .time_max_s = time_max_s, .descriptor = -1 };
}

void
protocol_file_close(struct protocol_file *file)
{
	if (file->descriptor >= 0)
		close(file->descriptor);
	file->descriptor = -1;
}

/* "IMAP420261129-12.LOG" */
static bool
read_name(const char *name, unsigned *day_out, unsigned *number_out)
{
	int end = 0;

	return sscanf(name, "IMAP4%8u-%9u.LOG%n", day_out, number_out, &end) == 2 && end > 0 && name[end] == '\0' &&
	    strlen(name) < sizeof ((struct found *)NULL)->name;
}

static int
compare(const void *a, const void *b)
{
	const struct found *one = a, *other = b;

	if (one->day != other->day)
		return one->day < other->day ? -1 : 1;
	return one->number < other->number ? -1 : one->number > other->number;
}

/* All files of the log in the folder, the oldest first; given. */
static struct found *
list_files(int folder, size_t *count_out)
{
	struct found *found = NULL;
	size_t count = 0, room = 0;
	DIR *directory = fdopendir(dup(folder));
	struct dirent *entry;
	struct stat about;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		struct found one;

		if (!read_name(entry->d_name, &one.day, &one.number) ||
		    fstatat(folder, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		snprintf(one.name, sizeof one.name, "%.39s", entry->d_name);
		one.size = (uint64_t)about.st_size;
		one.modified_s = about.st_mtime;
		if (count == room)
			found = memory_resize(found, room = room * 2 + 16, sizeof *found);
		found[count++] = one;
	}
	if (directory != NULL)
		closedir(directory);
	if (count > 0)
		qsort(found, count, sizeof *found, compare);
	*count_out = count;
	return found;
}

/* What is too old, and the oldest of what is too much; there is to be room for another file. */
static void
remove_old(const struct protocol_file *file, int folder, const struct found *found, size_t count)
{
	int64_t since_s = clock_calendar_s() - (int64_t)file->time_max_s;
	uint64_t total = PROTOCOL_FILE_MAX;

	for (size_t i = count; i > 0; i--) {
		total += found[i - 1].size;
		if (total > file->size_max || found[i - 1].modified_s < since_s)
			unlinkat(folder, found[i - 1].name, 0);
	}
}

static bool
write_header(struct protocol_file *file)
{
	struct buffer header = { 0 };
	char time[LOG_PREFIX_SIZE];
	bool is_good;

	log_time(time);
	time[strcspn(time, " ")] = '\0';
	buffer_printf(&header, "#Software: imapd\n#Version: %s\n#Log-type: IMAP4 Log\n#Date: %s\n#Fields: " FIELDS "\n", VERSION, time);
	is_good = file_write(file->descriptor, buffer_span(&header));
	file->size = header.length;
	buffer_free(&header);
	return is_good;
}

static void
name_day(char day[9])
{
	time_t now_s = (time_t)clock_calendar_s();
	struct tm parts;

	gmtime_r(&now_s, &parts);
	strftime(day, 9, "%Y%m%d", &parts);
}

/* A file without its whole header is of no use to anybody, and on a full disk there would be one for each try. */
static bool
begin_file(struct protocol_file *file, int folder, const char *name)
{
	int error;

	file->descriptor = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
	if (file->descriptor < 0)
		return false;
	if (write_header(file))
		return true;
	error = errno;
	unlinkat(folder, name, 0);
	protocol_file_close(file);
	errno = error;
	return false;
}

/* The next number of the day: a file that somebody may be reading already is not written to by another process. */
static bool
open_next(struct protocol_file *file, int folder)
{
	unsigned number = 1;
	size_t count;
	struct found *found = list_files(folder, &count);
	char name[40];

	name_day(file->day);
	for (size_t i = 0; i < count; i++) {
		if (found[i].day == (unsigned)atoi(file->day) && found[i].number >= number)
			number = found[i].number + 1;
	}
	snprintf(name, sizeof name, "IMAP4%s-%u.LOG", file->day, number);
	remove_old(file, folder, found, count);
	free(found);
	return begin_file(file, folder, name);
}

static bool
open_file(struct protocol_file *file)
{
	int folder, error;
	bool is_good;

	if (mkdir(file->folder, 0750) != 0 && errno != EEXIST)
		return false;
	if ((folder = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return false;
	is_good = open_next(file, folder);
	error = errno;
	close(folder);
	errno = error;
	return is_good;
}

/* Write all or nothing: what a full disk has taken of it is taken back. */
static bool
append(struct protocol_file *file, struct span lines)
{
	int error;

	if (file_write(file->descriptor, lines)) {
		file->size += lines.length;
		return true;
	}
	error = errno;
	if (ftruncate(file->descriptor, (off_t)file->size) != 0)
		protocol_file_close(file);
	errno = error;
	return false;
}

/* A disk that was full has room again when it has some: of short lines one might fit now and then, and the next does not. */
static bool
has_room(const struct protocol_file *file)
{
	struct statvfs about;

	return !file->is_full || statvfs(file->folder, &about) != 0 || (uint64_t)about.f_bavail * about.f_frsize >= ROOM_MIN;
}

bool
protocol_file_write(struct protocol_file *file, struct span lines)
{
	char today[9];

	if (!has_room(file)) {
		errno = ENOSPC;
		return false;
	}
	name_day(today);
	if (file->size >= PROTOCOL_FILE_MAX || strcmp(today, file->day) != 0)
		protocol_file_close(file);
	if ((file->descriptor < 0 && !open_file(file)) || !append(file, lines)) {
		file->is_full = errno == ENOSPC;
		return false;
	}
	file->is_full = false;
	return true;
}
