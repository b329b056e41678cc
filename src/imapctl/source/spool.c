#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

static int
open_nameless(void)
{
	const char *folder = secure_getenv("TMPDIR");
	int descriptor = open(folder == NULL ? "/var/tmp" : folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *file;

	if (descriptor >= 0 || (file = tmpfile()) == NULL)	/* not every file system has files without names */
		return descriptor;
	descriptor = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);
	fclose(file);
	return descriptor;
}

static bool
copy(FILE *from, int to, uint64_t octets_max)
{
	char piece[65536];
	size_t length;

	while ((length = fread(piece, 1, sizeof piece, from)) > 0) {
		if (length > octets_max) {
			errno = EFBIG;
			return false;
		}
		octets_max -= length;
		if (!file_write(to, span_of(piece, length)))
			return false;
	}
	return !ferror(from);
}

int
spool_copy(FILE *from, uint64_t octets_max)
{
	int to = open_nameless(), error;

	if (to < 0 || copy(from, to, octets_max))
		return to;
	error = errno;
	close(to);
	errno = error;
	return -1;
}
