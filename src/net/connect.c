/*
 * Connecting: a name is looked up by a worker, the first of its addresses that answers is taken.  What
 * finishes at once is still told in a later turn.  Loop thread.
 */
#include "net/connect.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "address.h"
#include "base/memory.h"
#include "base/thread.h"
#include "internal.h"
#include "loop/job.h"

#define ADDRESSES_MAX 8

/* Outlives its connector when that is cancelled: the worker still looks at it. */
struct lookup {
	struct job job;
	struct connector *connector;		/* loop thread only; NULL: cancelled */
	atomic_bool is_cancelled;		/* nobody is asked any more, for many may wait behind it */
	struct { char host[256], port[32]; } in;
	struct { struct address at[ADDRESSES_MAX]; size_t count; int error; } out;
};

struct connector {
	struct loop *loop;
	net_connected *on_connected;
	void *context;
	struct address addresses[ADDRESSES_MAX];
	size_t count, next;
	int descriptor;
	struct watch watch;
	struct timer timeout;
	struct deferred start;
	struct lookup *lookup;
	const char *error;
};

static void
work_lookup(struct job *job)
{
	struct lookup *lookup = CONTAINER_OF(job, struct lookup, job);
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *found = NULL;

	assert_off_loop();
	if (atomic_load(&lookup->is_cancelled))
		return;
	lookup->out.error = getaddrinfo(lookup->in.host, lookup->in.port, &hints, &found);
	if (lookup->out.error != 0)
		return;
	for (struct addrinfo *a = found; a != NULL && lookup->out.count < ADDRESSES_MAX; a = a->ai_next) {
		struct address *address = &lookup->out.at[lookup->out.count++];

		memcpy(&address->socket, a->ai_addr, a->ai_addrlen);
		address->length = a->ai_addrlen;
	}
	freeaddrinfo(found);
}

static void
close_socket(struct connector *connector)
{
	watch_fini(&connector->watch);
	if (connector->descriptor >= 0)
		close(connector->descriptor);
	connector->descriptor = -1;
}

static void
finish(struct connector *connector, struct stream *stream, const char *error)
{
	net_connected *on_connected = connector->on_connected;
	void *context = connector->context;

	net_connect_cancel(&connector);
	on_connected(stream, error, context);
}

static void try_next(struct connector *connector);

static void
on_ready(unsigned ready, void *context)
{
	struct connector *connector = context;
	int descriptor = connector->descriptor, error = 0;
	socklen_t length = sizeof error;

	(void)ready;
	getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error != 0) {
		connector->error = strerror(error);
		close_socket(connector);
		try_next(connector);
		return;
	}
	watch_fini(&connector->watch);
	connector->descriptor = -1;
	finish(connector, stream_from_socket(connector->loop, descriptor), NULL);
}

/* True: a connection is on its way. */
static bool
start_socket(struct connector *connector, const struct address *address)
{
	connector->descriptor = socket(address->socket.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connector->descriptor < 0 ||
	    (connect(connector->descriptor, (const struct sockaddr *)&address->socket,
		 address->length) != 0 && errno != EINPROGRESS)) {
		connector->error = strerror(errno);
		close_socket(connector);
		return false;
	}
	watch_init(&connector->watch, connector->loop, connector->descriptor, on_ready, connector);
	watch_set(&connector->watch, WATCH_WRITE);
	return true;
}

static void
try_next(struct connector *connector)
{
	while (connector->next < connector->count) {
		if (start_socket(connector, &connector->addresses[connector->next++]))
			return;
	}
	finish(connector, NULL, connector->error);
}

static void
on_start(void *context)
{
	try_next(context);
}

static void
on_looked_up(struct job *job)
{
	struct lookup *lookup = CONTAINER_OF(job, struct lookup, job);
	struct connector *connector = lookup->connector;

	if (connector != NULL) {
		connector->lookup = NULL;
		connector->count = lookup->out.count;
		memcpy(connector->addresses, lookup->out.at, sizeof connector->addresses);
		if (lookup->out.error != 0)
			connector->error = gai_strerror(lookup->out.error);
	}
	free(lookup);
	if (connector != NULL)
		try_next(connector);
}

static void
on_timeout(void *context)
{
	finish(context, NULL, "timed out");
}

/* True: the name is being looked up. */
static bool
look_up(struct connector *connector, struct workers *workers, const char *text)
{
	struct lookup *lookup = NEW(struct lookup);

	if (workers == NULL || *text == '/' ||
	    !address_split(text, lookup->in.host, sizeof lookup->in.host, lookup->in.port,
		sizeof lookup->in.port)) {
		free(lookup);
		return false;
	}
	connector->lookup = lookup;
	lookup->connector = connector;
	lookup->job.work = work_lookup;
	lookup->job.done = on_looked_up;
	workers_submit(workers, &lookup->job);
	return true;
}

struct connector *
net_connect(struct loop *loop, struct workers *workers, const char *address, uint64_t timeout_ms,
    net_connected *on_connected, void *context)
{
	struct connector *connector = NEW(struct connector);

	connector->loop = loop;
	connector->on_connected = on_connected;
	connector->context = context;
	connector->descriptor = -1;
	connector->error = "not an address";
	deferred_init(&connector->start, on_start, connector);
	timer_init(&connector->timeout, loop, on_timeout, connector);
	timer_start_ms(&connector->timeout, timeout_ms);
	if (address_parse(address, &connector->addresses[0]))
		connector->count = 1;
	else if (look_up(connector, workers, address))
		return connector;
	deferred_schedule(loop, &connector->start);
	return connector;
}

void
net_connect_cancel(struct connector **connector_pointer)
{
	struct connector *connector = *connector_pointer;

	*connector_pointer = NULL;
	if (connector == NULL)
		return;
	if (connector->lookup != NULL) {
		atomic_store(&connector->lookup->is_cancelled, true);
		connector->lookup->connector = NULL;
	}
	deferred_cancel(&connector->start);
	timer_stop(&connector->timeout);
	close_socket(connector);
	free(connector);
}
