/*
 * The era of a data directory: three facts in its lock's file, which say after a start whether what was written
 * without a flush is still there.  It is, when the last process ended in order, or when it died and the machine
 * did not; and when the file is the one it was written to, and no copy.  Worker threads.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/thread.h"
#include "store/mark.h"

#define TEXT_MAX 512
#define BOOT_MAX 64

struct era {
	uint64_t number, inode;
	char boot[BOOT_MAX];		/* of the machine's run */
	char state[16];			/* running or stopped */
};

/* Where the system has no name for its run, each is another one. */
static void
read_boot(char boot[BOOT_MAX])
{
	int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length = descriptor < 0 ? -1 : read(descriptor, boot, BOOT_MAX - 1);

	if (descriptor >= 0)
		close(descriptor);
	boot[length < 0 ? 0 : length] = '\0';
	boot[strcspn(boot, "\r\n ")] = '\0';
	if (boot[0] == '\0')
		random_hex(boot, 32);
}

/* False: there is none, or another program has written there. */
static bool
read_era(int descriptor, struct era *era_out)
{
	char text[TEXT_MAX];
	ssize_t length = pread(descriptor, text, sizeof text - 1, 0);

	if (length <= 0)
		return false;
	text[length] = '\0';
	return sscanf(text, "era %" SCNu64 "\ninode %" SCNu64 "\nboot %63s\nstate %15s\n", &era_out->number,
	    &era_out->inode, era_out->boot, era_out->state) == 4;
}

static bool
write_era(int descriptor, const struct era *era)
{
	char text[TEXT_MAX];
	int length = snprintf(text, sizeof text, "era %" PRIu64 "\ninode %" PRIu64 "\nboot %s\nstate %s\n",
	    era->number, era->inode, era->boot, era->state);

	return pwrite(descriptor, text, (size_t)length, 0) == length && ftruncate(descriptor, length) == 0 &&
	    fsync(descriptor) == 0;
}

bool
store_era_begin(int descriptor, uint64_t *era_out)
{
	struct era last, now = { .state = "running" };
	struct stat about;
	bool is_same;

	assert_off_loop();
	if (fstat(descriptor, &about) != 0)
		return false;
	read_boot(now.boot);
	now.inode = about.st_ino;
	is_same = read_era(descriptor, &last) && last.inode == now.inode &&
	    (strcmp(last.state, "stopped") == 0 || strcmp(last.boot, now.boot) == 0);
	if (is_same)
		now.number = last.number;
	else
		random_fill(&now.number, sizeof now.number);
	if (!write_era(descriptor, &now))
		return false;
	*era_out = now.number;
	return true;
}

bool
store_era_end(int descriptor)
{
	struct era era;

	assert_off_loop();
	if (!read_era(descriptor, &era)) {
		errno = EINVAL;
		return false;
	}
	snprintf(era.state, sizeof era.state, "stopped");
	return write_era(descriptor, &era);
}
