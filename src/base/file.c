/*
 * Writing on, where the system took less than it was given.
 */
#include "base/file.h"

#include <errno.h>
#include <unistd.h>

/* What a call has written is taken off.  False: errno says why. */
static bool
take(struct span *octets, ssize_t written)
{
	if (written < 0)
		return errno == EINTR;
	if (written == 0) {
		errno = ENOSPC;
		return false;
	}
	*octets = span_from(*octets, (size_t)written);
	return true;
}

bool
file_write(int descriptor, struct span octets)
{
	bool is_good = true;

	while (is_good && octets.length > 0)
		is_good = take(&octets, write(descriptor, octets.at, octets.length));
	return is_good;
}

bool
file_write_at(int descriptor, struct span octets, off_t at)
{
	size_t end = octets.length;
	bool is_good = true;

	while (is_good && octets.length > 0)
		is_good = take(&octets, pwrite(descriptor, octets.at, octets.length, at + (off_t)(end - octets.length)));
	return is_good;
}
