/*
 * The datagrams of sd_notify(3) without libsystemd.  A name that begins with '@' is an abstract one.
 */
#include "net/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/span.h"

bool
notify_is_wanted(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path != NULL && (*path == '/' || *path == '@');
}

void
notify_send(const char *lines)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length;
	int descriptor;

	if (!notify_is_wanted() || (length = strlen(path)) >= sizeof address.sun_path)
		return;
	memcpy(address.sun_path, path, length);
	if (*path == '@')
		address.sun_path[0] = '\0';
	descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0)
		return;
	sendto(descriptor, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	close(descriptor);
}

static bool
read_number(const char *name, uint64_t *number_out)
{
	const char *text = getenv(name);

	return text != NULL && span_to_number(span_from_string(text), UINT64_MAX, number_out);
}

uint64_t
notify_watchdog_us(void)
{
	uint64_t interval_us, pid;

	if (!read_number("WATCHDOG_USEC", &interval_us))
		return 0;
	if (read_number("WATCHDOG_PID", &pid) && pid != (uint64_t)getpid())
		return 0;	/* meant for our parent */
	return interval_us;
}
