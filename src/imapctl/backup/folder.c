#include "folder.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/interrupt.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/config.h"

#define NAME_OCTETS_MAX 200	/* of 255, with room for what stands behind it */
#define READ_OCTETS	(256 * 1024)

static bool
say(const struct folder *folder, const char *name)
{
	complain("%s/%s: %s", folder->path, name, strerror(errno));
	return false;
}

int
folder_open(struct folder *folder, const char *path)
{
	folder->path = path;
	folder->descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->descriptor >= 0)
		return EX_OK;
	complain("%s: %s", path, strerror(errno));
	return errno == EACCES ? EX_NOPERM : EX_NOINPUT;
}

void
folder_close(struct folder *folder)
{
	if (folder->descriptor >= 0)
		close(folder->descriptor);
	folder->descriptor = -1;
}

/* What the server would take for its own, or remove. */
static bool
is_within(const char *path, const char *data_directory)
{
	char folder[PATH_MAX], data[PATH_MAX];
	size_t length;

	if (realpath(path, folder) == NULL || realpath(data_directory, data) == NULL)
		return false;
	length = strlen(data);
	return strncmp(folder, data, length) == 0 && (folder[length] == '/' || folder[length] == '\0');
}

static int
check_place(const struct order *order, const char *path)
{
	struct config *config = order_find_server(order);
	bool is_inside;

	if (config == NULL)
		return EX_CONFIG;
	is_inside = is_within(path, config->data_directory);
	config_free(&config);
	if (is_inside)
		complain("%s lies in the data directory of the server: a backup belongs on another disk", path);
	return is_inside ? EX_USAGE : EX_OK;
}

/* The lock goes with the process. */
int
folder_open_for_writing(struct folder *folder, const struct order *order, const char *path)
{
	int code;

	folder->descriptor = -1;
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		complain("%s: %s", path, strerror(errno));
		return errno == EACCES ? EX_NOPERM : EX_CANTCREAT;
	}
	if ((code = check_place(order, path)) != EX_OK || (code = folder_open(folder, path)) != EX_OK)
		return code;
	if (flock(folder->descriptor, LOCK_EX | LOCK_NB) == 0)
		return EX_OK;
	if (errno == EWOULDBLOCK)
		complain("%s: another backup into this folder is under way", path);
	else
		complain("%s: %s", path, strerror(errno));
	return EX_TEMPFAIL;
}

static bool
is_plain(uint8_t octet, size_t place)
{
	return octet > ' ' && octet != 0x7f && strchr("/%\\\"'*?<>|:;&$`!(){}[]~#^", octet) == NULL && (octet != '.' || place > 0) &&
	    (octet != '-' || place > 0);
}

/* A long name is cut, and its digest says which it is. */
void
folder_file_name(struct span user, struct buffer *name_out)
{
	size_t begin = name_out->length;
	uint8_t digest[DIGEST_LENGTH];

	for (size_t i = 0; i < user.length; i++) {
		if (is_plain(user.at[i], i))
			buffer_add_octet(name_out, user.at[i]);
		else
			buffer_printf(name_out, "%%%02X", user.at[i]);
	}
	if (name_out->length - begin > NAME_OCTETS_MAX) {
		name_out->length = begin + NAME_OCTETS_MAX / 2;
		while (name_out->length > begin && (name_out->at[name_out->length] & 0xc0) == 0x80)
			name_out->length--;
		digest_sha256(user, digest);
		buffer_add_octet(name_out, '~');
		for (size_t i = 0; i < 16; i++)
			buffer_printf(name_out, "%02x", digest[i]);
	}
	buffer_add_string(name_out, ".db");
}

bool
folder_file_begin(struct folder_file *file, const struct folder *folder, struct span name)
{
	*file = (struct folder_file){ .folder = folder };
	buffer_add_span(&file->name, name);
	buffer_add_span(&file->partial, name);
	buffer_add_string(&file->partial, ".partial");
	unlinkat(folder->descriptor, buffer_string(&file->partial), 0);
	file->descriptor = openat(folder->descriptor, buffer_string(&file->partial),
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return file->descriptor >= 0 || say(folder, buffer_string(&file->partial));
}

bool
folder_file_write(struct folder_file *file, uint64_t offset, struct span octets)
{
	return file_write_at(file->descriptor, octets, (off_t)offset) || say(file->folder, buffer_string(&file->partial));
}

bool
folder_file_finish(struct folder_file *file, uint64_t size)
{
	return (ftruncate(file->descriptor, (off_t)size) == 0 && fsync(file->descriptor) == 0) ||
	    say(file->folder, buffer_string(&file->partial));
}

static void
forget(struct folder_file *file)
{
	if (file->descriptor >= 0)
		close(file->descriptor);
	file->descriptor = -1;
	buffer_free(&file->name);
	buffer_free(&file->partial);
}

bool
folder_file_keep(struct folder_file *file)
{
	int folder = file->folder->descriptor;

	if (renameat(folder, buffer_string(&file->partial), folder, buffer_string(&file->name)) != 0 || fsync(folder) != 0)
		return say(file->folder, buffer_string(&file->name));
	forget(file);
	return true;
}

void
folder_file_drop(struct folder_file *file)
{
	if (file->descriptor >= 0)
		unlinkat(file->folder->descriptor, buffer_string(&file->partial), 0);
	forget(file);
}

int
folder_read(const struct folder *folder, struct span name)
{
	char *copy = memory_copy_span(name);
	struct stat about;
	int descriptor = openat(folder->descriptor, copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	free(copy);
	if (descriptor >= 0 && (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode))) {
		close(descriptor);
		errno = EINVAL;
		return -1;
	}
	return descriptor;
}

int
folder_read_user(const struct folder *folder, struct span name)
{
	int descriptor = folder_read(folder, name);
	struct buffer partial = { 0 };

	if (descriptor >= 0 || errno != ENOENT)
		return descriptor;
	buffer_printf(&partial, "%.*s.partial", SPAN_ARGS(name));
	descriptor = folder_read(folder, buffer_span(&partial));
	buffer_free(&partial);
	return descriptor;
}

bool
folder_digest(int descriptor, uint64_t *size_out, char digest_out[FOLDER_DIGEST_SIZE])
{
	uint8_t *octets = memory_new(READ_OCTETS), sum[DIGEST_LENGTH];
	struct digest *digest = digest_new();
	uint64_t size = 0;
	ssize_t got;

	while ((got = pread(descriptor, octets, READ_OCTETS, (off_t)size)) > 0 && !interrupt_came()) {
		digest_add(digest, span_of(octets, (size_t)got));
		size += (uint64_t)got;
	}
	digest_finish(&digest, sum);
	free(octets);
	for (size_t i = 0; i < DIGEST_LENGTH; i++)
		snprintf(digest_out + 2 * i, 3, "%02x", sum[i]);
	*size_out = size;
	if (got > 0)
		errno = EINTR;
	return got == 0;
}
