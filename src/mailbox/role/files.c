/*
 * Users' files as they lie in a data directory, whoever they belong to.  Worker threads.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buffer.h"
#include "base/thread.h"
#include "directory/directory.h"
#include "mailbox/mailbox.h"

bool
mailbox_is_id(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (strchr("0123456789abcdef", text.at[i]) == NULL || text.at[i] == '\0')
			return false;
	}
	return text.length == DIRECTORY_ID_LENGTH;
}

static uint64_t
size_of_folder(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	uint64_t size_octets = 0;
	struct stat about;

	if (folder == NULL)
		return 0;
	while ((entry = readdir(folder)) != NULL) {
		if (fstatat(dirfd(folder), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(about.st_mode))
			size_octets += (uint64_t)about.st_blocks * 512;
	}
	closedir(folder);
	return size_octets;
}

bool
mailbox_file(const char *data_directory, const char *mailbox_id, struct buffer *path_out, uint64_t *size_octets_out)
{
	struct stat about;

	assert_off_loop();
	buffer_clear(path_out);
	buffer_printf(path_out, "%s/data/%.2s/%s", data_directory, mailbox_id, mailbox_id);
	*size_octets_out = size_of_folder(buffer_string(path_out));
	return stat(buffer_string(path_out), &about) == 0;
}

static bool
walk_group(const char *path, mailbox_file_found *each, void *context)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	if (folder == NULL)
		return errno == ENOTDIR;
	while ((entry = readdir(folder)) != NULL) {
		if (mailbox_is_id(span_from_string(entry->d_name)))
			each(entry->d_name, context);
	}
	closedir(folder);
	return true;
}

bool
mailbox_files(const char *data_directory, mailbox_file_found *each, void *context)
{
	struct buffer path = { 0 };
	const struct dirent *entry;
	bool is_good = true;
	DIR *folder;

	assert_off_loop();
	buffer_printf(&path, "%s/data", data_directory);
	folder = opendir(buffer_string(&path));
	if (folder == NULL)
		is_good = errno == ENOENT;
	while (folder != NULL && is_good && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		buffer_clear(&path);
		buffer_printf(&path, "%s/data/%s", data_directory, entry->d_name);
		is_good = walk_group(buffer_string(&path), each, context);
	}
	if (folder != NULL)
		closedir(folder);
	buffer_free(&path);
	return is_good;
}
