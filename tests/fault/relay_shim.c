/*
 * Preloaded into imapd by test_relay_names.py: a name server that does not answer, and a disk that takes its time.  Who
 * looks up a name that ends in .silent, or opens $RELAY_SHIM_FILE while $RELAY_SHIM_IS_ON is there, writes a line to
 * $RELAY_SHIM_LOG and waits until somebody opens the fifo $RELAY_SHIM_GATE for writing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
wait_at_gate(const char *name)
{
	int file = open(getenv("RELAY_SHIM_LOG"), O_WRONLY | O_APPEND);

	dprintf(file, "%s\n", name);
	close(file);
	file = open(getenv("RELAY_SHIM_GATE"), O_RDONLY);
	close(file);
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	size_t length = strlen(node);
	bool is_name = hints == NULL || (hints->ai_flags & AI_NUMERICHOST) == 0;

	if (is_name && length > 7 && strcmp(node + length - 7, ".silent") == 0) {
		wait_at_gate(node);
		node = "localhost";
	}
	return ((int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))dlsym(RTLD_NEXT,
	    "getaddrinfo"))(node, service, hints, result);
}

static void
note_file(const char *path)
{
	if (strcmp(path, getenv("RELAY_SHIM_FILE")) == 0 && access(getenv("RELAY_SHIM_IS_ON"), F_OK) == 0)
		wait_at_gate(path);
}

FILE *
fopen(const char *path, const char *mode)
{
	note_file(path);
	return ((FILE *(*)(const char *, const char *))dlsym(RTLD_NEXT, "fopen"))(path, mode);
}

FILE *
fopen64(const char *path, const char *mode)
{
	note_file(path);
	return ((FILE *(*)(const char *, const char *))dlsym(RTLD_NEXT, "fopen64"))(path, mode);
}
