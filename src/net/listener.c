/*
 * Listening sockets.  Accepts in bounded batches, and rests for a moment when the process has no
 * descriptors left, instead of spinning on a connection it cannot take; or uses the one it has kept for that.  Loop thread.
 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "base/log.h"
#include "base/memory.h"
#include "inherited.h"
#include "internal.h"

#define BATCH	   32		/* accepts in one turn */
#define BACKLOG	   1024
#define EXHAUSTED_MS 100
#define SPARE_MS     10		/* until it is tried again to have one, before others take what has become free */
#define TOLD_US	     (60 * UINT64_C(1000000))

struct listener {
	struct loop *loop;
	int descriptor;
	struct watch watch;
	struct timer rest;
	struct timer refill;		/* while there is no spare */
	int spare;			/* a descriptor that is given up for a connection; -1: none */
	bool is_short;			/* of descriptors, when it last accepted */
	listener_accepted *on_accepted;
	void *context;
	bool is_paused;
	bool is_accepting;		/* the callback may free the listener */
	bool is_dead;
	uint64_t told_us, suppressed;	/* when it was last logged that nobody can be taken on, or 0; rests since */
	char *path;			/* of a Unix socket, to be removed; or NULL */
	char address[128];
};

static void
watch_again(struct listener *listener)
{
	watch_set(&listener->watch,
	    listener->is_paused || timer_is_running(&listener->rest) ? 0 : WATCH_READ);
}

static void
on_rested(void *context)
{
	watch_again(context);
}

/* Once a minute: it may go on for as long as clients stay, who need not be friends. */
static void
complain(struct listener *listener, int error)
{
	uint64_t now_us = loop_now_us(listener->loop);

	if (listener->told_us != 0 && now_us - listener->told_us < TOLD_US) {
		listener->suppressed++;
		return;
	}
	log_error("accept-failed", log_text("address", listener->address), log_text("error", strerror(error)),
	    log_number("suppressed", (int64_t)listener->suppressed));
	listener->told_us = now_us;
	listener->suppressed = 0;
}

static void
rest(struct listener *listener, int error)
{
	complain(listener, error);
	timer_start_ms(&listener->rest, EXHAUSTED_MS);
	watch_again(listener);
}

static void
refill(void *context)
{
	struct listener *listener = context;

	listener->spare = fcntl(listener->descriptor, F_DUPFD_CLOEXEC, 0);
	if (listener->spare < 0)
		timer_start_ms(&listener->refill, SPARE_MS);
}

static bool
is_exhausted(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static int
accept_one(struct listener *listener, struct address *peer)
{
	return accept4(listener->descriptor, (struct sockaddr *)&peer->socket, &peer->length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* Who has run short takes one only where two are free: the other one is for who has given up its spare. */
static int
take_one(struct listener *listener, struct address *peer)
{
	int other = -1, descriptor = -1, error;

	if (!listener->is_short || (other = fcntl(listener->descriptor, F_DUPFD_CLOEXEC, 0)) >= 0)
		descriptor = accept_one(listener, peer);
	error = errno;
	if (other >= 0)
		close(other);
	if (descriptor < 0)
		listener->is_short = is_exhausted(error);
	errno = error;
	return descriptor;
}

static int
take_one_for_the_spare(struct listener *listener, struct address *peer)
{
	int descriptor;

	close(listener->spare);
	listener->spare = -1;
	descriptor = accept_one(listener, peer);
	refill(listener);
	return descriptor;
}

static void
accept_batch(struct listener *listener)
{
	bool is_last = false;

	for (int n = 0; n < BATCH && !is_last && !listener->is_dead && !listener->is_paused; n++) {
		struct address peer = { .length = sizeof peer.socket };
		int descriptor = take_one(listener, &peer);
		struct stream *stream;

		is_last = descriptor < 0 && is_exhausted(errno) && listener->spare >= 0;
		if (is_last)
			descriptor = take_one_for_the_spare(listener, &peer);
		if (descriptor < 0) {
			if (is_exhausted(errno))
				rest(listener, errno);
			return;
		}
		stream = stream_from_socket(listener->loop, descriptor);
		address_set_peer(stream, &peer);	/* one that has gone already has no name any more */
		listener->on_accepted(stream, listener->context);
	}
}

static void
destroy(struct listener *listener)
{
	free(listener->path);
	free(listener);
}

static void
on_ready(unsigned ready, void *context)
{
	struct listener *listener = context;

	(void)ready;
	listener->is_accepting = true;
	accept_batch(listener);
	listener->is_accepting = false;
	if (listener->is_dead)
		destroy(listener);
}

/* A socket file that nobody answers on is left over from a process that was killed. */
static bool
remove_stale(const struct address *address)
{
	const char *path = ((const struct sockaddr_un *)&address->socket)->sun_path;
	struct stat status;
	int probe, error;

	if (lstat(path, &status) != 0)
		return true;
	if (!S_ISSOCK(status.st_mode)) {
		errno = EEXIST;
		return false;
	}
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	error = connect(probe, (const struct sockaddr *)&address->socket, address->length) == 0 ? 0 :
	    errno;
	close(probe);
	if (error != ECONNREFUSED) {
		errno = EADDRINUSE;
		return false;
	}
	return unlink(path) == 0;
}

static bool
bind_socket(int descriptor, const struct address *address, mode_t mode)
{
	int one = 1, zero = 0;

	if (address->socket.ss_family != AF_UNIX) {
		setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
		if (address->socket.ss_family == AF_INET6)
			setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	} else {
		if (!remove_stale(address))
			return false;
		/* Before bind(): the file is never there with wider rights than asked for. */
		fchmod(descriptor, mode);
	}
	if (bind(descriptor, (const struct sockaddr *)&address->socket, address->length) != 0)
		return false;
	if (address->socket.ss_family == AF_UNIX &&
	    chmod(((const struct sockaddr_un *)&address->socket)->sun_path, mode) != 0)
		return false;
	return listen(descriptor, BACKLOG) == 0;
}

static int
open_socket(const char *text, mode_t mode, struct address *address_out, bool *is_inherited_out)
{
	int descriptor, error;

	if (!address_parse(text, address_out)) {
		errno = EINVAL;
		return -1;
	}
	descriptor = inherited_socket(address_out);
	*is_inherited_out = descriptor >= 0;
	if (*is_inherited_out)
		return descriptor;
	descriptor = socket(address_out->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return -1;
	if (!bind_socket(descriptor, address_out, mode)) {
		error = errno;
		close(descriptor);
		errno = error;
		return -1;
	}
	address_out->length = sizeof address_out->socket;
	getsockname(descriptor, (struct sockaddr *)&address_out->socket, &address_out->length);
	return descriptor;
}

static char *
error_text(const char *address, int error)
{
	bool is_port = error == EACCES && address[0] != '/';
	char text[512];

	snprintf(text, sizeof text, "%s: %s%s", address,
	    error == EINVAL ? "not an address to listen on" : strerror(error),
	    is_port ? "; ports below 1024 are for root and CAP_NET_BIND_SERVICE" : "");
	return memory_copy_string(text);
}

struct listener *
listener_new(struct loop *loop, const char *text, mode_t mode, listener_accepted *on_accepted,
    void *context, char **error_out)
{
	struct listener *listener;
	struct address address;
	bool is_inherited;
	int descriptor = open_socket(text, mode, &address, &is_inherited);

	if (descriptor < 0) {
		*error_out = error_text(text, errno);
		return NULL;
	}
	listener = NEW(struct listener);
	listener->loop = loop;
	listener->descriptor = descriptor;
	listener->spare = -1;
	listener->on_accepted = on_accepted;
	listener->context = context;
	if (*text == '/' && !is_inherited)
		listener->path = memory_copy_string(text);
	address_format(&address, listener->address, sizeof listener->address);
	timer_init(&listener->rest, loop, on_rested, listener);
	timer_init(&listener->refill, loop, refill, listener);
	watch_init(&listener->watch, loop, descriptor, on_ready, listener);
	watch_again(listener);
	return listener;
}

void
listener_keep_spare(struct listener *listener)
{
	refill(listener);
}

void
listener_pause(struct listener *listener)
{
	listener->is_paused = true;
	watch_again(listener);
}

void
listener_resume(struct listener *listener)
{
	listener->is_paused = false;
	watch_again(listener);
}

void
listener_free(struct listener **listener_pointer)
{
	struct listener *listener = *listener_pointer;

	*listener_pointer = NULL;
	if (listener == NULL)
		return;
	listener->is_dead = true;
	timer_stop(&listener->rest);
	timer_stop(&listener->refill);
	if (listener->spare >= 0)
		close(listener->spare);
	watch_fini(&listener->watch);
	close(listener->descriptor);
	if (listener->path != NULL)
		unlink(listener->path);
	if (!listener->is_accepting)
		destroy(listener);
}

const char *
listener_address(const struct listener *listener)
{
	return listener->address;
}
