/*
 * Whether the data directory is one that we can begin with: nobody else uses it, and its directory of users is a
 * database.  Looks into /proc; nothing is locked, so that no server that starts meanwhile is kept out.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/memory.h"

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
}
