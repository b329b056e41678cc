/*
 * Secrets come by descriptors, never by arguments, which a list of processes shows.
 */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/order.h"
#include "../ctl/terminal.h"
#include "base/memory.h"

int
secret_read(const char *file, const char *who, struct buffer *secret_out)
{
	bool is_read;
	int descriptor;

	if (file == NULL || strcmp(file, "-") == 0)
		return terminal_secret(who, secret_out) ? EX_OK : EX_DATAERR;
	descriptor = open(file, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0) {
		complain("%s: %s", file, strerror(errno));
		return EX_NOINPUT;
	}
	is_read = terminal_read_line(descriptor, TERMINAL_SECRET_MAX, secret_out) && secret_out->length > 0;
	close(descriptor);
	if (!is_read)
		complain("%s: its first line is no password or token", file);
	return is_read ? EX_OK : EX_DATAERR;
}

