/*
 * The link between the client access role and the mailbox role, both ends.  It speaks IMAP: greeting,
 * ID with the facts of the client, AUTHENTICATE EXTERNAL with its user, and from then on octets that
 * the link never looks into (src/link/README).  Loop thread.
 *
 * In one process the link is a pair of streams.  A client on a public port cannot reach it: only
 * link_connect() makes a stream that link_serve()'s callback sees.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "base/span.h"

struct loop;
struct stream;

struct link;
struct link_attempt;

struct link *link_new(struct loop *loop);

/* No attempt may be under way; established streams belong to their owners and stay. */
void link_free(struct link **link);

/*
 * A link has arrived at the mailbox end: nothing was read from the stream and nothing written.
 *
 *	stream	given; the mailbox role greets, and believes ID and AUTHENTICATE EXTERNAL on it
 */
typedef void link_arrived(struct stream *stream, void *context);

/* Offer this process's mailbox role to link_connect(); NULL withdraws it (role stopped or draining). */
void link_serve(struct link *link, link_arrived *on_arrived, void *context);

/* What the cas knows of its client.  Absent texts are empty spans; borrowed until return. */
struct link_facts {
	struct span session_id;		/* names the session in both logs */
	struct span address;		/* of the client, without port */
	uint16_t port;
	struct span tls_version;	/* "TLSv1.3"; empty: no TLS */
	struct span tls_cipher;
};

enum link_status {
	LINK_OK,
	LINK_REFUSED,		/* the mailbox role answered NO: text says why */
	LINK_UNREACHABLE,	/* no such server, role stopped, connection lost on the way */
	LINK_TIMEOUT,
	LINK_PROTOCOL,		/* what came is not what src/link/README says */
};

struct link_result {
	enum link_status status;
	struct stream *stream;	/* LINK_OK: given, with whatever came behind the OK still unread */
	struct span capability;	/* "IMAP4rev1 ...": what the OK's CAPABILITY code held, may be empty */
	struct span text;	/* LINK_REFUSED: the text after NO, response code included */
};

/* Spans in the result are borrowed until return. */
typedef void link_connected(const struct link_result *result, void *context);

/*
 * Ask for a session of user on a mailbox server.
 *
 *	server	its name in the configuration; empty: the mailbox role of this process
 *	user	canonical name, 1 to LINK_USER_MAX octets without NUL
 *
 * Calls back exactly once, never before it returns, unless cancelled.
 */
struct link_attempt *link_connect(struct link *link, struct span server, struct span user,
    const struct link_facts *facts, link_connected *on_connected, void *context);

/* Forget it: no callback will come.  Leaves NULL behind; accepts NULL. */
void link_cancel(struct link_attempt **attempt);

#define LINK_USER_MAX 512

/* A word for the log. */
const char *link_status_name(enum link_status status);

#endif
