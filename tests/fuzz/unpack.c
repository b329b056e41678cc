/*
 * Archives of any octets: what is in them comes into one folder, and nothing is left when that is removed.
 */
#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/imapctl/source/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void
check(bool (*unpack)(struct unpack *unpack, const char *path), const char *path)
{
	struct unpack folder = { 0 };
	struct buffer name = { 0 };

	unpack(&folder, path);
	buffer_add_span(&name, buffer_span(&folder.directory));
	unpack_remove(&folder);
	assert(name.length == 0 || access(buffer_string(&name), F_OK) != 0);
	buffer_free(&name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	int descriptor = memfd_create("archive", MFD_CLOEXEC);
	char path[32];

	assert(write(descriptor, octets, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
	check(unpack_zip, path);
	check(unpack_tar, path);
	close(descriptor);
	return 0;
}
