#include "local_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Also for connecting: who has too many callers does not answer the door. */
void
local_socket_set_silence(int descriptor, unsigned silence_s)
{
	struct timeval time = { .tv_sec = silence_s };

	setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
	setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

int
local_socket_connect(const char *path, unsigned silence_s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int descriptor;

	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return -1;
	local_socket_set_silence(descriptor, silence_s);
	if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0) {
		int error = errno;

		close(descriptor);
		errno = error;
		return -1;
	}
	return descriptor;
}
