/*
 * Folders whose names are on the disk before anything in them is promised.  Worker threads.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "internal.h"

bool
store_sync_folder(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced = folder >= 0 && fsync(folder) == 0;

	if (folder >= 0)
		close(folder);
	return is_synced;
}

bool
store_make_folder_of(const char *path)
{
	char *copy = memory_copy_string(path), *folder = dirname(copy);
	bool is_made = mkdir(folder, 0700) == 0;
	bool is_there = is_made || errno == EEXIST;

	/*
	 * dirname() a second time cuts the same memory shorter: the parent, which names the
	 * folder.
	 */
	if (is_made)
		is_there = store_sync_folder(dirname(folder));
	free(copy);
	return is_there;
}

bool
store_sync_folder_of(const char *path)
{
	char *copy = memory_copy_string(path);
	bool is_synced = store_sync_folder(dirname(copy));

	free(copy);
	return is_synced;
}
