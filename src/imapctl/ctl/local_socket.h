/*
 * Sockets that have a path, where a server of this host listens.  Blocking.
 */
#ifndef IMAPCTL_LOCAL_SOCKET_H
#define IMAPCTL_LOCAL_SOCKET_H

/*
 * Connect to one.
 *
 *	silence_s	how long it may take, and how long each reading and writing may afterwards; 0: for ever
 *
 * Gives a descriptor, or -1: errno says why, EAGAIN that nobody has taken the call, ENAMETOOLONG that no socket has such a
 * path.
 */
int local_socket_connect(const char *path, unsigned silence_s);

/* From now on it may take so long to read and to write; 0: for ever. */
void local_socket_set_silence(int descriptor, unsigned silence_s);

#endif
