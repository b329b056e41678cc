/*
 * Whether a folder is one for mail, before anything is written into it.  Looks at files.
 */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

/* Those of hier(7), in which others keep what is theirs; below them there may be one for mail. */
static const char *const system_folders[] = { "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/proc",
	"/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/local", "/var", "/var/cache", "/var/lib", "/var/log", "/var/mail",
	"/var/run", "/var/spool", "/var/spool/mail", "/var/tmp" };

bool
folder_is_for_mail(const char *path, struct buffer *reason_out)
{
	char *real = realpath(path, NULL);
	const char *name = real != NULL ? real : path;
	bool is_good = strncmp(name, "/proc/", 6) != 0 && strncmp(name, "/sys/", 5) != 0;

	for (size_t i = 0; i < COUNT_OF(system_folders); i++)
		is_good = is_good && strcmp(name, system_folders[i]) != 0;
	if (!is_good)
		buffer_printf(reason_out, "%s is a folder of the system; mail needs one of its own, such as /var/lib/imapd", path);
	free(real);
	return is_good;
}

static bool
is_own(const char *name)
{
	static const char *const own[] = { "data", "directory.db", "lock", "marks", "restore", "auth-secret" };

	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	return strncmp(name, "service-", 8) == 0;
}

/* What a file system has of its own, and what is hidden, tells nothing. */
static bool
is_foreign(const char *name)
{
	return name[0] != '.' && strcmp(name, "lost+found") != 0;
}

char *
folder_find_foreign(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	char *found = NULL;
	bool has_own = false;

	while (folder != NULL && !has_own && (entry = readdir(folder)) != NULL) {
		has_own = is_own(entry->d_name);
		if (found == NULL && is_foreign(entry->d_name))
			found = memory_copy_string(entry->d_name);
	}
	if (folder != NULL)
		closedir(folder);
	if (has_own) {
		free(found);
		found = NULL;
	}
	return found;
}
