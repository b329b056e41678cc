/*
 * The sockets of systemd's socket units: descriptors from 3 on, as many as LISTEN_FDS says, if LISTEN_PID is
 * this process.
 */
#include "inherited.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/span.h"

#define FIRST	  3
#define COUNT_MAX 64

static uint64_t
number_of(const char *name, uint64_t max)
{
	const char *text = getenv(name);
	uint64_t number = 0;

	if (text != NULL)
		span_to_number(span_from_string(text), max, &number);
	return number;
}

static bool
is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	switch (a->ss_family) {
	case AF_INET:
		return a4->sin_port == b4->sin_port && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	case AF_INET6:
		return a6->sin6_port == b6->sin6_port &&
		    memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof a6->sin6_addr) == 0;
	case AF_UNIX:
		return strcmp(((const struct sockaddr_un *)a)->sun_path,
			   ((const struct sockaddr_un *)b)->sun_path) == 0;
	default:
		return false;
	}
}

/* Children must not get the originals, and accepting must not block. */
static int
duplicate(int descriptor)
{
	int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST);

	fcntl(descriptor, F_SETFD, FD_CLOEXEC);
	if (copy >= 0)
		fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK);
	return copy;
}

int
inherited_socket(const struct address *address)
{
	int count = (int)number_of("LISTEN_FDS", COUNT_MAX);

	if (number_of("LISTEN_PID", UINT32_MAX) != (uint64_t)getpid())
		return -1;
	for (int descriptor = FIRST; descriptor < FIRST + count; descriptor++) {
		struct sockaddr_storage bound = { 0 };
		socklen_t length = sizeof bound;

		if (getsockname(descriptor, (struct sockaddr *)&bound, &length) == 0 &&
		    is_same(&bound, &address->socket))
			return duplicate(descriptor);
	}
	return -1;
}
