#include "links.h"

#include <errno.h>
#include <unistd.h>

bool
link_is_trusted(const char *path, const struct stat *target)
{
	struct stat link;

	if (lstat(path, &link) != 0)
		return false;
	errno = S_ISLNK(link.st_mode) ? EPERM : ENOENT;
	if (!S_ISLNK(link.st_mode))
		return link.st_dev == target->st_dev && link.st_ino == target->st_ino;
	return link.st_uid == target->st_uid || link.st_uid == 0 || link.st_uid == geteuid();
}
