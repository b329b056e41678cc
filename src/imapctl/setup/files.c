/*
 * Files as setup writes them: whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../ctl/order.h"
#include "base/file.h"
#include "step.h"

#define FILE_MAX ((size_t)1 << 20)

/* Under another name, with its rights from the beginning: a key is never there for others. */
static bool
write_draft(const struct setup *setup, const char *draft, struct span text, uid_t owner, gid_t group, mode_t mode)
{
	int file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool is_good;

	if (file < 0)
		return false;
	is_good = file_write(file, text) && (!setup->is_root || fchown(file, owner, group) == 0) &&
	    fchmod(file, mode) == 0 && fsync(file) == 0;
	return close(file) == 0 && is_good;
}

static void
flush_folder(const char *path)
{
	char folder[4096];
	int descriptor;

	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path) + 1, path);
	if ((descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return;
	fsync(descriptor);
	close(descriptor);
}

bool
setup_put(struct setup *setup, const char *path, struct span text, uid_t owner, gid_t group, mode_t mode)
{
	struct buffer draft = { 0 };
	bool is_good;

	buffer_printf(&draft, "%s.setup", path);
	unlink(buffer_string(&draft));	/* of a run that was interrupted */
	is_good = write_draft(setup, buffer_string(&draft), text, owner, group, mode) &&
	    rename(buffer_string(&draft), path) == 0;
	if (is_good)
		flush_folder(path);
	else
		complain("%s: %s", path, strerror(errno));
	unlink(buffer_string(&draft));
	buffer_free(&draft);
	return is_good;
}

bool
setup_get(const char *path, struct buffer *text_out)
{
	FILE *file = fopen(path, "re");
	struct stat about;
	size_t got = 1;

	if (file == NULL)
		return false;
	errno = EINVAL;
	if (fstat(fileno(file), &about) != 0 || !S_ISREG(about.st_mode)) {
		fclose(file);
		return false;
	}
	while (got > 0 && text_out->length <= FILE_MAX) {
		got = fread(buffer_reserve(text_out, 4096), 1, 4096, file);
		text_out->length += got;
	}
	fclose(file);
	return text_out->length <= FILE_MAX;
}
