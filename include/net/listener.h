/*
 * A place to listen at, TCP or in the file system.  Loop thread.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <sys/types.h>

struct listener;
struct loop;
struct stream;

/* Somebody has connected.  The stream is given. */
typedef void listener_accepted(struct stream *stream, void *context);

/*
 * Bind and listen, or take over what the service manager listens on for us (sd_listen_fds(3)); accepts
 * from the next turn on.
 *
 *	address	"ADDRESS:PORT", "[ADDRESS]:PORT", or the path of a Unix socket (begins with '/')
 *	mode	of the Unix socket's file; a stale socket there is replaced, a live one is not
 *
 * NULL: *error_out, given, says why.
 */
struct listener *listener_new(struct loop *loop, const char *address, mode_t mode,
    listener_accepted *on_accepted, void *context, char **error_out);

/*
 * Keep one descriptor back, so that somebody is taken on when the process has none left: one at a time then, and the
 * next when there is one to keep back again.
 */
void listener_keep_spare(struct listener *listener);

/* Stop and start accepting; who connects meanwhile waits in the kernel. */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);

/* Closes; removes a Unix socket's file.  Accepts NULL, leaves NULL behind. */
void listener_free(struct listener **listener);

/* Where it really listens: "127.0.0.1:40123" when port 0 was asked for.  Lives as long as the listener. */
const char *listener_address(const struct listener *listener);

#endif
