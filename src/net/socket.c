/*
 * Streams over sockets: all that is written in a turn leaves by one send, and a turn reads at most 64 KiB
 * of each socket.  Loop thread.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_SIZE  ((size_t)64 * 1024)
#define SEND_PARTS 64
#define USER_TIMEOUT_MS 300000

static void
on_ready(unsigned ready, void *context)
{
	struct stream *stream = context;

	if (ready & WATCH_READ)
		socket_receive(stream);
	stream_advance(stream);
}

static void
set_options(int descriptor)
{
	int one = 1, idle_s = 120, interval_s = 30, count = 4, user_timeout_ms = USER_TIMEOUT_MS;

	fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
	fcntl(descriptor, F_SETFD, FD_CLOEXEC);
	/* These fail on a Unix socket, where they mean nothing. */
	setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
	setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
	setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
	setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof user_timeout_ms);
}

void
stream_set_peer_timeout(struct stream *stream, unsigned silent_s, unsigned untaken_s)
{
	int interval_s = silent_s < 4 ? 1 : (int)silent_s / 4, idle_s = silent_s < 4 ? 1 : (int)silent_s / 2;
	int count = 2, untaken_ms = (int)untaken_s * 1000;

	if (stream->descriptor < 0)
		return;
	setsockopt(stream->descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	setsockopt(stream->descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
	setsockopt(stream->descriptor, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
	setsockopt(stream->descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &untaken_ms, sizeof untaken_ms);
}

struct stream *
stream_from_socket(struct loop *loop, int descriptor)
{
	struct stream *stream = stream_new(loop);

	set_options(descriptor);
	stream->descriptor = descriptor;
	address_describe(stream);
	watch_init(&stream->watch, loop, descriptor, on_ready, stream);
	stream_advance_later(stream);
	return stream;
}

void
stream_count_as(struct stream *stream, enum metric_listener listener)
{
	stream->counted_as = (uint8_t)(listener + 1);
}

static void
count_octets(const struct stream *stream, enum metric metric, ssize_t octets)
{
	if (stream->counted_as != 0)
		metric_add(metric, (size_t)stream->counted_as - 1, 0, (uint64_t)octets);
}

static void
note_moved(struct stream *stream)
{
	stream->leftover.moved_us = loop_now_us(stream->loop);
}

void
socket_receive(struct stream *stream)
{
	bool is_thrown_away = stream_is_lingering(stream);
	uint8_t octets[READ_SIZE];
	ssize_t n;

	if (!stream_wants_wire(stream) && !is_thrown_away)
		return;
	n = recv(stream->descriptor, octets, sizeof octets, 0);
	if (n > 0) {
		note_moved(stream);
		count_octets(stream, METRIC_RECEIVED, n);
	}
	if (n > 0 && !is_thrown_away) {
		stream->active_us = loop_now_us(stream->loop);
		evbuffer_add(stream_received(stream), octets, (size_t)n);
		if (stream->tls == NULL)
			stream_note_arrived(stream);
	} else if (n == 0) {
		stream_note_eof(stream);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		stream_note_end(stream, errno == ETIMEDOUT ? STREAM_TIMEOUT : STREAM_ERROR);
	}
}

void
stream_await_more(struct stream *stream)
{
	int one = 1;

	if (stream_output_length(stream) > 0)
		return;
	if (stream->peer != NULL)
		stream = splice_other(stream->peer);
	if (stream != NULL && stream->descriptor >= 0)
		setsockopt(stream->descriptor, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

void
socket_send(struct stream *stream)
{
	struct evbuffer *wire = stream_wire(stream);
	struct evbuffer_iovec parts[SEND_PARTS];
	struct msghdr message = { 0 };
	ssize_t n;
	int count;

	while (evbuffer_get_length(wire) > 0) {
		count = evbuffer_peek(wire, -1, NULL, parts, SEND_PARTS);
		/* evbuffer_iovec is struct iovec wherever there is one */
		message.msg_iov = parts;
		message.msg_iovlen = (size_t)(count < SEND_PARTS ? count : SEND_PARTS);
		n = sendmsg(stream->descriptor, &message, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			stream_note_end(stream, errno == ETIMEDOUT ? STREAM_TIMEOUT : STREAM_ERROR);
			evbuffer_drain(wire, evbuffer_get_length(wire));
			return;
		}
		note_moved(stream);
		count_octets(stream, METRIC_SENT, n);
		evbuffer_drain(wire, (size_t)n);
	}
}

void
socket_end_output(struct stream *stream)
{
	shutdown(stream->descriptor, SHUT_WR);
}

bool
stream_peer_credentials(const struct stream *stream, uid_t *uid_out, gid_t *gid_out, pid_t *pid_out)
{
	struct sockaddr_storage address;
	socklen_t address_length = sizeof address;
	struct ucred peer;
	socklen_t length = sizeof peer;

	if (stream->descriptor < 0 ||
	    getsockname(stream->descriptor, (struct sockaddr *)&address, &address_length) != 0 ||
	    address.ss_family != AF_UNIX ||
	    getsockopt(stream->descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
		return false;
	*uid_out = peer.uid;
	*gid_out = peer.gid;
	*pid_out = peer.pid;
	return true;
}
