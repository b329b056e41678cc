/*
 * The files of a configuration, read.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

#define FILE_SIZE_MAX (1 << 20)

/* A pipe without a writer would keep us waiting in open(). */
bool
config_read_file(void *context, const char *path, struct buffer *text_out, struct config_file_id *id_out,
    const char **reason_out)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t count = -1;
	struct stat about;

	(void)context;
	if (file >= 0 && fstat(file, &about) == 0) {
		*id_out = (struct config_file_id){ about.st_dev, about.st_ino };
		fcntl(file, F_SETFL, fcntl(file, F_GETFL) & ~O_NONBLOCK);
	}
	while (file >= 0 && text_out->length <= FILE_SIZE_MAX) {
		count = read(file, buffer_reserve(text_out, 4096), 4096);
		if (count <= 0)
			break;
		text_out->length += (size_t)count;
	}
	if (count < 0)
		*reason_out = strerror(errno);
	else if (count > 0)
		*reason_out = "longer than 1 MiB";
	if (file >= 0)
		close(file);
	return count == 0;
}
