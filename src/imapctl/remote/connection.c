/*
 * From a name to a socket, and octets between buffers and the socket: out, DEFLATE, TLS, wire, and back.
 */
#include "connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "../ctl/interrupt.h"
#include "base/memory.h"
#include "connection_deflate.h"
#include "connection_tls.h"

#define CONNECT_TIMEOUT_S 30		/* for each address, unless another time was asked for */
#define PIECE_OCTETS 65536
#define INFLATED_OCTETS_MAX ((size_t)256 * 1024)	/* of one step */

struct connection {
	int descriptor;
	struct connection_settings settings;		/* zeroed: it was connected by somebody else */
	unsigned timeout_s;
	struct connection_tls *tls;		/* NULL: none */
	struct connection_deflate *deflate;	/* NULL: none */
	struct buffer wire_in, wire_out;	/* with TLS or DEFLATE */
	struct buffer packed_in, packed_out;	/* with both */
	bool has_more;				/* what has come is not all unwrapped */
	bool has_ended;				/* the socket or TLS has said so */
	struct buffer why;
};

struct connection *
connection_of(int descriptor, unsigned timeout_s)
{
	struct connection *connection = NEW(struct connection);

	fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
	connection->descriptor = descriptor;
	connection->timeout_s = timeout_s == 0 ? CONNECTION_TIMEOUT_S : timeout_s;
	return connection;
}

void
connection_free(struct connection **connection_pointer)
{
	struct connection *connection = *connection_pointer;

	if (connection == NULL)
		return;
	*connection_pointer = NULL;
	if (connection->tls != NULL && !connection->has_ended) {
		connection_tls_end(connection->tls, &connection->wire_out);
		send(connection->descriptor, connection->wire_out.at, connection->wire_out.length, MSG_NOSIGNAL);
	}
	close(connection->descriptor);
	connection_tls_free(&connection->tls);
	connection_deflate_free(&connection->deflate);
	buffer_free(&connection->wire_in);
	buffer_free(&connection->wire_out);
	buffer_free(&connection->packed_in);
	buffer_free(&connection->packed_out);
	buffer_free(&connection->why);
	free(connection);
}

/* Wait for connect(2) to be done; returns 0 or an errno. */
static int
await_connect(int descriptor, unsigned timeout_s)
{
	struct pollfd wait = { .fd = descriptor, .events = POLLOUT };
	socklen_t length = sizeof(int);
	int ready, error = 0;

	ready = interrupt_poll(&wait, (int)timeout_s * 1000);
	if (ready <= 0)
		return ready < 0 ? errno : interrupt_came() ? EINTR : ETIMEDOUT;
	return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0 ? errno : error;
}

/* Dead servers are found out by the kernel, too; commands leave when they are written. */
static void
set_options(int descriptor)
{
	int on = 1;

	setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* A socket, or -1 and errno. */
static int
connect_to(const struct addrinfo *address, unsigned timeout_s)
{
	int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;

	if (descriptor < 0)
		return -1;
	if (connect(descriptor, address->ai_addr, address->ai_addrlen) != 0)
		error = errno == EINPROGRESS ? await_connect(descriptor, timeout_s) : errno;
	if (error != 0) {
		close(descriptor);
		errno = error;
		return -1;
	}
	set_options(descriptor);
	return descriptor;
}

static int
explain_lookup(int error, const char *host, struct buffer *trouble_out)
{
	buffer_printf(trouble_out, "%s: %s", host, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
	return error == EAI_AGAIN ? EX_TEMPFAIL : EX_NOHOST;
}

static int
explain_connect(int error, const struct connection_settings *settings, struct buffer *trouble_out)
{
	if (error == ECONNREFUSED)
		buffer_printf(trouble_out, "nobody listens on port %u of %s", settings->port, settings->host);
	else
		buffer_printf(trouble_out, "no connection to port %u of %s: %s", settings->port, settings->host, strerror(error));
	return error == ETIMEDOUT ? EX_TEMPFAIL : EX_UNAVAILABLE;
}

int
connection_open(const struct connection_settings *settings, struct connection **connection_out, struct buffer *trouble_out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *addresses;
	unsigned timeout_s = settings->timeout_s == 0 ? CONNECT_TIMEOUT_S : settings->timeout_s;
	int descriptor = -1, error;
	char port[8];

	snprintf(port, sizeof port, "%u", settings->port);
	if ((error = getaddrinfo(settings->host, port, &hints, &addresses)) != 0)
		return explain_lookup(error, settings->host, trouble_out);
	for (const struct addrinfo *address = addresses; address != NULL && descriptor < 0; address = address->ai_next)
		descriptor = connect_to(address, timeout_s);
	error = errno;
	freeaddrinfo(addresses);
	if (descriptor < 0)
		return explain_connect(error, settings, trouble_out);
	*connection_out = connection_of(descriptor, settings->timeout_s);
	(*connection_out)->settings = *settings;
	return EX_OK;
}

static bool
give_up(struct connection *connection, const char *why, const char **why_out)
{
	buffer_clear(&connection->why);
	buffer_add_string(&connection->why, why);
	*why_out = buffer_string(&connection->why);
	return false;
}

static bool
is_bare(const struct connection *connection)
{
	return connection->tls == NULL && connection->deflate == NULL;
}

/* The server here answers soon, and what it has taken is to be counted: a signal ends the call, and the next goes on. */
static int
wait_ready(const struct connection *connection, struct pollfd *polled)
{
	int timeout_ms = connection->has_more ? 0 : (int)connection->timeout_s * 1000;

	return connection->settings.host == NULL ? poll(polled, 1, timeout_ms) : interrupt_poll(polled, timeout_ms);
}

bool
connection_wait(struct connection_wait *wait)
{
	struct connection *connection = wait->connection;
	struct pollfd polled = { .fd = connection->descriptor, .events = POLLIN };
	int ready;

	if (wait->out.length > 0 || connection->wire_out.length > 0)
		polled.events |= POLLOUT;
	ready = wait_ready(connection, &polled);
	wait->events = ready > 0 ? polled.revents : 0;
	wait->is_ready = ready > 0 || connection->has_more;
	return wait->is_ready || (ready < 0 && errno == EINTR);
}

/* Send from the front of a buffer or a span; false when the connection is lost. */
static bool
send_some(struct connection *connection, struct span octets, size_t *sent_out, const char **why_out)
{
	ssize_t sent = send(connection->descriptor, octets.at, octets.length, MSG_NOSIGNAL);

	*sent_out = sent < 0 ? 0 : (size_t)sent;
	return sent >= 0 || errno == EAGAIN || errno == EINTR || give_up(connection, strerror(errno), why_out);
}

/* Turn some of out into what goes over the wire. */
static bool
wrap(struct connection *connection, struct span plain, const char **why_out)
{
	struct buffer *packed = connection->tls != NULL ? &connection->packed_out : &connection->wire_out;

	if (connection->deflate != NULL)
		connection_deflate_pack(connection->deflate, plain, packed);
	if (connection->tls == NULL)
		return true;
	if (connection->deflate != NULL)
		plain = buffer_span(packed);
	if (connection_tls_encrypt(connection->tls, plain, &connection->wire_out) != CONNECTION_TLS_GOOD) {
		buffer_clear(&connection->why);
		connection_tls_explain(connection->tls, &connection->why);
		*why_out = buffer_string(&connection->why);
		return false;
	}
	buffer_clear(&connection->packed_out);
	return true;
}

static bool
transmit(struct connection *connection, struct span out, size_t *sent_out, const char **why_out)
{
	size_t sent;

	if (is_bare(connection))
		return out.length == 0 || send_some(connection, out, sent_out, why_out);
	if (out.length > 0 && connection->wire_out.length < PIECE_OCTETS) {
		out = span_slice(out, 0, PIECE_OCTETS);
		if (!wrap(connection, out, why_out))
			return false;
		*sent_out = out.length;
	}
	if (connection->wire_out.length == 0)
		return true;
	if (!send_some(connection, buffer_span(&connection->wire_out), &sent, why_out))
		return false;
	buffer_consume(&connection->wire_out, sent);
	return true;
}

/* Turn what came over the wire into plain octets. */
static bool
unwrap(struct connection *connection, struct buffer *in, const char **why_out)
{
	struct buffer *packed = connection->tls != NULL ? &connection->packed_in : &connection->wire_in;
	struct buffer *plain = connection->deflate != NULL ? packed : in;
	enum connection_tls_result result = CONNECTION_TLS_WAITS;

	connection->has_more = false;
	if (connection->tls != NULL)
		result = connection_tls_decrypt(connection->tls, &connection->wire_in, plain);
	if (result == CONNECTION_TLS_BROKEN) {
		buffer_clear(&connection->why);
		connection_tls_explain(connection->tls, &connection->why);
		*why_out = buffer_string(&connection->why);
		return false;
	}
	if (result == CONNECTION_TLS_ENDED)
		connection->has_ended = true;
	if (connection->deflate != NULL && !connection_deflate_unpack(connection->deflate, packed, INFLATED_OCTETS_MAX, in,
		&connection->has_more))
		return give_up(connection, "what the server sends is not compressed as was agreed on", why_out);
	return true;
}

/*
 * Acknowledge at once what has come: a server that writes a reply in two pieces (Cyrus) and has not turned Nagle's
 * algorithm off keeps the second until then, 40 ms for each command.  Does nothing on other sockets than TCP's.
 */
static void
hurry(const struct connection *connection)
{
	int on = 1;

	if (connection->settings.host != NULL)
		setsockopt(connection->descriptor, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static bool
receive(struct connection *connection, struct buffer *in, const char **why_out)
{
	struct buffer *wire = is_bare(connection) ? in : &connection->wire_in;
	ssize_t got = recv(connection->descriptor, buffer_reserve(wire, PIECE_OCTETS), PIECE_OCTETS, 0);

	if (got < 0 && errno != EAGAIN && errno != EINTR)
		return give_up(connection, strerror(errno), why_out);
	if (got == 0)
		connection->has_ended = true;
	if (got > 0)
		wire->length += (size_t)got;
	hurry(connection);
	return true;
}

bool
connection_move(const struct connection_wait *wait, size_t *sent_out, struct buffer *in, const char **why_out)
{
	struct connection *connection = wait->connection;
	size_t before = in->length;

	*sent_out = 0;
	if ((wait->events & POLLOUT) != 0 && !transmit(connection, wait->out, sent_out, why_out))
		return false;
	if ((wait->events & (POLLIN | POLLHUP | POLLERR)) != 0 && !connection->has_more && !receive(connection, in, why_out))
		return false;
	if (!is_bare(connection) && (connection->wire_in.length > 0 || connection->has_more) && !unwrap(connection, in, why_out))
		return false;
	/* What came before the end is still looked at. */
	return !connection->has_ended || in->length > before || connection->has_more ||
	    give_up(connection, "the server ended the connection", why_out);
}

/* Send what TLS has written, and wait for more; false when the connection is lost. */
static bool
turn_around(struct connection *connection, const char **why_out)
{
	struct connection_wait wait = { .connection = connection };
	size_t sent;

	if (!connection_wait(&wait))
		return give_up(connection, "the server does not answer", why_out);
	if ((wait.events & POLLOUT) != 0 && !transmit(connection, wait.out, &sent, why_out))
		return false;
	if ((wait.events & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive(connection, NULL, why_out))
		return false;
	return !connection->has_ended || give_up(connection, "the server ended the connection during the handshake of TLS", why_out);
}

int
connection_start_tls(struct connection *connection, struct buffer *trouble_out)
{
	const struct connection_settings *settings = &connection->settings;
	enum connection_tls_result result;
	const char *why;

	connection->tls = connection_tls_new(settings->host, settings->ca_file, settings->is_insecure, trouble_out);
	if (connection->tls == NULL)
		return EX_NOINPUT;
	while ((result = connection_tls_shake(connection->tls, &connection->wire_in, &connection->wire_out)) ==
	    CONNECTION_TLS_WAITS) {
		if (!turn_around(connection, &why)) {
			buffer_printf(trouble_out, "%s: %s", settings->host, why);
			return EX_PROTOCOL;
		}
	}
	/* The greeting may have come with the end of the handshake. */
	connection->has_more = connection->wire_in.length > 0;
	if (result == CONNECTION_TLS_GOOD)
		return EX_OK;
	buffer_printf(trouble_out, "%s: ", settings->host);
	connection_tls_explain(connection->tls, trouble_out);
	return EX_PROTOCOL;
}

void
connection_set_timeout(struct connection *connection, unsigned timeout_s)
{
	connection->timeout_s = timeout_s;
}

unsigned
connection_timeout(const struct connection *connection)
{
	return connection->timeout_s;
}

bool
connection_is_tls(const struct connection *connection)
{
	return connection->tls != NULL;
}

struct span
connection_end_point(const struct connection *connection)
{
	return connection->tls == NULL ? (struct span){ NULL, 0 } : connection_tls_end_point(connection->tls);
}

void
connection_start_deflate(struct connection *connection, struct span in)
{
	connection->deflate = connection_deflate_new();
	buffer_add_span(connection->tls != NULL ? &connection->packed_in : &connection->wire_in, in);
	connection->has_more = in.length > 0;
}
