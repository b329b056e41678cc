/*
 * A connected socket, with TLS and DEFLATE on it where there are any.  Blocking, with a time-out.
 */
#ifndef IMAPCTL_CONNECTION_H
#define IMAPCTL_CONNECTION_H

#include "base/buffer.h"

struct connection;

#define CONNECTION_TIMEOUT_S 300

/* How to come to a server; the strings are borrowed as long as the connection lives. */
struct connection_settings {
	const char *host;
	uint16_t port;
	bool is_insecure;	/* certificates are not looked at */
	const char *ca_file;	/* PEM; NULL: the authorities of the system */
	unsigned timeout_s;	/* how long the server may be silent; 0: CONNECTION_TIMEOUT_S */
};

/*
 * Connect to the first of the host's addresses that answers; no TLS yet.
 *
 * Gives an exit code (sysexits.h): 0, or trouble_out has a sentence, and connection_out is untouched.
 */
int connection_open(const struct connection_settings *settings, struct connection **connection_out, struct buffer *trouble_out);

/*
 * Take a connected socket: no TLS will be spoken on it.
 *
 *	timeout_s	0: CONNECTION_TIMEOUT_S
 */
struct connection *connection_of(int descriptor, unsigned timeout_s);

/* Accepts NULL, leaves NULL behind. */
void connection_free(struct connection **connection);

/*
 * Speak TLS from now on: 1.2 or better.  The certificate is checked against the authorities and the host's name unless
 * is_insecure.
 *
 * Gives an exit code as above; the sentence says what the certificate lacks and which option mends it.
 */
int connection_start_tls(struct connection *connection, struct buffer *trouble_out);
bool connection_is_tls(const struct connection *connection);

/* What authentication can be bound to: tls-server-end-point (RFC 5929 section 4); empty without TLS.  Borrowed. */
struct span connection_end_point(const struct connection *connection);

/*
 * Both directions are compressed from now on (RFC 4978).
 *
 *	in	what has come already
 */
void connection_start_deflate(struct connection *connection, struct span in);

/* How long the other end may be silent, in seconds. */
void connection_set_timeout(struct connection *connection, unsigned timeout_s);
unsigned connection_timeout(const struct connection *connection);

/* What is waited for. */
struct connection_wait {
	struct connection *connection;
	struct span out;	/* to be sent */
	bool is_ready;		/* set by connection_wait() */
	short events;		/* of poll(2), set by connection_wait() */
};

/*
 * Wait until it is ready.  False: it is not, after the time-out; or a signal came, and a server elsewhere (ctl/interrupt.h)
 * was silent.
 */
bool connection_wait(struct connection_wait *wait);

/*
 * Of one that is ready, write what the socket takes of out, and append what comes to in: at most some hundred KiB.
 *
 *	*sent_out	octets at the front of out that need not be offered again
 *
 * False: it is over; *why_out is a sentence, borrowed as long as the connection.
 */
bool connection_move(const struct connection_wait *wait, size_t *sent_out, struct buffer *in, const char **why_out);

#endif
