/*
 * Preloaded into imapd: while the file $KILL_SHIM exists, calls that change something on the disk are counted, and at the
 * number that stands in it the process is killed before the call is made.  With 0 in it they are only counted, in
 * $KILL_SHIM.count.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static long count;

static void
note(void)
{
	const char *path = getenv("KILL_SHIM");
	char name[4096];
	long limit, now;
	FILE *file;

	if (path == NULL || access(path, F_OK) != 0)
		return;
	now = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
	if ((file = fopen(path, "r")) == NULL)
		return;
	if (fscanf(file, "%ld", &limit) != 1)
		limit = 0;
	fclose(file);
	if (limit > 0 && now >= limit)
		kill(getpid(), SIGKILL);
	if (limit == 0) {
		snprintf(name, sizeof name, "%s.count", path);
		if ((file = fopen(name, "w")) != NULL) {
			fprintf(file, "%ld", now);
			fclose(file);
		}
	}
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t
pwrite(int descriptor, const void *octets, size_t length, off_t offset)
{
	note();
	return REAL(pwrite)(descriptor, octets, length, offset);
}

ssize_t
pwrite64(int descriptor, const void *octets, size_t length, off64_t offset)
{
	note();
	return REAL(pwrite64)(descriptor, octets, length, offset);
}

int
ftruncate64(int descriptor, off64_t length)
{
	note();
	return REAL(ftruncate64)(descriptor, length);
}

int
fsync(int descriptor)
{
	note();
	return REAL(fsync)(descriptor);
}

int
fdatasync(int descriptor)
{
	note();
	return REAL(fdatasync)(descriptor);
}

int
rename(const char *from, const char *to)
{
	note();
	return REAL(rename)(from, to);
}

int
link(const char *from, const char *to)
{
	note();
	return REAL(link)(from, to);
}

int
unlink(const char *path)
{
	note();
	return REAL(unlink)(path);
}
