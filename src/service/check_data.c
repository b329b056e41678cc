/*
 * Whether the data directory is one that we can begin with: nobody else uses it, and its directory of users is a
 * database.  Looks into /proc; nothing is locked, so that no server that starts meanwhile is kept out.
 */
#include "check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/memory.h"
#include "directory/directory.h"

#define MAGIC "SQLite format 3"	/* and a NUL: sqlite.org/fileformat2.html section 1.3 */

static char *
path_of(const struct check *check, const char *name)
{
	struct buffer path = { 0 };
	char *copy;

	buffer_printf(&path, "%s/%s", check->config->data_directory, name);
	copy = memory_copy_string(buffer_string(&path));
	buffer_free(&path);
	return copy;
}

/* Whether a line of proc_locks(5) is a lock on the file, and who holds it. */
static bool
is_lock(const char *line, const struct stat *file, pid_t *pid_out)
{
	unsigned device_major, device_minor;
	unsigned long inode;
	int pid;

	if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%lu", &pid, &device_major, &device_minor, &inode) != 4 ||
	    major(file->st_dev) != device_major || minor(file->st_dev) != device_minor || file->st_ino != inode)
		return false;
	*pid_out = pid;
	return true;
}

/* The process that has locked a file; 0: nobody, as far as can be seen. */
static pid_t
find_locker(const char *path)
{
	FILE *locks = fopen("/proc/locks", "re");
	struct stat file;
	char line[200];
	pid_t pid = 0;

	if (locks != NULL && stat(path, &file) == 0)
		while (fgets(line, sizeof line, locks) != NULL && !is_lock(line, &file, &pid))
			continue;
	if (locks != NULL)
		fclose(locks);
	return pid;
}

/* The server that answers to imapctl may have it: it is the one that will be restarted. */
static void
check_lock(const struct check *check)
{
	char *path = path_of(check, "lock");
	pid_t pid = find_locker(path);

	if (pid > 0 && pid != check->server.pid)
		config_complain(check->problems, CONFIG_WRONG, config_place(check->config, "data-directory"), 1,
		    "data-directory: another imapd, pid %d, uses %s; two processes on one host need a control-socket and "
		    "a data-directory each", (int)pid, check->config->data_directory);
	free(path);
}

#define LOOKED_AT_MAX 200	/* users' files: enough to see that a later version was here */

/* The files of users lie two folders below: data/f7/f7feabb7.../mail.db. */
static void
look_below(const char *path, unsigned depth, unsigned *left, unsigned *found_out, char **first_out)
{
	DIR *folder = depth > 0 ? opendir(path) : NULL;
	struct dirent *entry;

	if (depth == 0 && *left > 0) {
		struct buffer file = { 0 };

		--*left;
		buffer_printf(&file, "%s/mail.db", path);
		if (directory_file_is_too_new(buffer_string(&file), "mail") && (*found_out)++ == 0)
			*first_out = memory_copy_string(buffer_string(&file));
		buffer_free(&file);
	}
	while (folder != NULL && *left > 0 && (entry = readdir(folder)) != NULL) {
		struct buffer inner = { 0 };

		buffer_printf(&inner, "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			look_below(buffer_string(&inner), depth - 1, left, found_out, first_out);
		buffer_free(&inner);
	}
	if (folder != NULL)
		closedir(folder);
}

static void
complain_of_version(const struct check *check, const char *path)
{
	config_complain(check->problems, CONFIG_WRONG, config_place(check->config, "data-directory"), 1,
	    "data-directory: %s was written by a later version of imapd, which this one cannot read; install that version again, "
	    "or restore a backup from before", path);
}

/* After a step back to an older version of this program. */
static void
check_versions(const struct check *check)
{
	char *directory = path_of(check, "directory.db"), *data = path_of(check, "data"), *first = NULL;
	unsigned left = LOOKED_AT_MAX, found = 0;

	if (directory_file_is_too_new(directory, "directory"))
		complain_of_version(check, directory);
	if (check->config->role & CONFIG_ROLE_MAILBOX)
		look_below(data, 2, &left, &found, &first);
	if (found > 0)
		complain_of_version(check, first);
	free(first);
	free(data);
	free(directory);
}

/* An empty file becomes a database. */
static void
check_directory(const struct check *check)
{
	char *path = path_of(check, "directory.db"), begin[sizeof MAGIC] = "";
	FILE *file = fopen(path, "re");
	size_t length = file == NULL ? 0 : fread(begin, 1, sizeof begin, file);

	if (length > 0 && (length < sizeof begin || memcmp(begin, MAGIC, sizeof MAGIC) != 0))
		config_complain(check->problems, CONFIG_WRONG, config_place(check->config, "data-directory"), 1,
		    "data-directory: %s is damaged, and no database", path);
	if (file != NULL)
		fclose(file);
	free(path);
}

void
check_data(const struct check *check)
{
	if (!config_is_usable(check->config, "data-directory"))
		return;
	if (check->config->role & CONFIG_ROLE_MAILBOX)
		check_lock(check);
	check_directory(check);
	check_versions(check);
}
