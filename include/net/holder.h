/*
 * Whether one could listen at an address, and who does so already.  Looks into /proc; blocks for a moment: a
 * worker, or before the loop runs.
 */
#ifndef NET_HOLDER_H
#define NET_HOLDER_H

#include <stdbool.h>
#include <sys/types.h>

struct holder {
	pid_t pid;		/* 0: it cannot be seen from here */
	uid_t uid;
	char name[32];		/* of the program; empty without pid */
};

/*
 * Listen for a moment, where listener_new() would.  0, or the error: EADDRINUSE, EADDRNOTAVAIL for an address that
 * this host does not have, EAFNOSUPPORT, EACCES, EINVAL for no address.  Nobody is harmed: nothing is bound
 * beside a socket that listens, and a Unix socket is only connected to.  What systemd has handed over is free.
 */
int holder_try(const char *address);

/*
 * Find who listens at an address, or in its way.
 *
 *	ours	processes of which one is believed to be it, when several are: the first that has the socket
 *
 * False: nobody was found.
 */
bool holder_find(const char *address, const pid_t *ours, size_t count, struct holder *holder_out);

#endif
