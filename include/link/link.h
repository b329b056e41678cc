/*
 * The link between the client access role and the mailbox role, both ends.  It speaks IMAP: greeting,
 * ID with the facts of the client, AUTHENTICATE EXTERNAL with its user, and from then on octets that
 * the link never looks into (src/link/README).  Loop thread.
 *
 * In one process the link is a pair of streams; between hosts it is TCP with TLS from the first octet, with a
 * key that both ends have.  A client on a public port cannot reach it: only link_connect() and the ports of
 * link_listen() make a stream that link_serve()'s callback sees, the latter once the other end has proved
 * itself.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "base/span.h"

struct buffer;
struct loop;
struct stream;
struct tls_context;
struct workers;

struct link;
struct link_attempt;

struct link *link_new(struct loop *loop);

/* How patient the link between hosts is. */
struct link_patience {
	uint64_t connect_ms;	/* a login waits at most so long for a mailbox server */
	uint64_t silence_ms;	/* a mailbox server that was silent for so long is given up */
};
void link_set_patience(struct link *link, const struct link_patience *patience);

/*
 * Name a mailbox server on another host.  While link_on_lost() has somebody to tell, it is asked again and again
 * whether it is there.
 *
 *	name		what link_connect() calls it, and homes of users; copied
 *	address		"HOST:PORT", copied
 *	tls		the client's end, of this server alone: it remembers a session; held
 *	compute		where names are looked up and handshakes run
 */
void link_add_server(struct link *link, struct span name, const char *address, struct tls_context *tls,
    struct workers *compute);

/*
 * Name an address, copied, where other hosts shall reach this process's mailbox role, as link_serve() offers it.
 *
 *	tls	the server's end; held
 */
void link_add_port(struct link *link, const char *address, struct tls_context *tls, struct workers *compute);

/*
 * Bind the ports, all or none; those who come are accepted from the next turn on.  False: *error_out, given,
 * names the address and why.
 */
bool link_listen(struct link *link, char **error_out);

/* Close them again. */
void link_close_ports(struct link *link);

/* Walk the addresses listened on now; NULL past the end. */
const char *link_listener(const struct link *link, size_t index);

/* The server that a home means: the name itself; for an empty one this process if it has had a mailbox role to
 * offer, else the first server named.  Borrowed. */
struct span link_server_of(const struct link *link, struct span home);

/*
 * From now on find out whether the mailbox servers are there, and call back when one was silent for too long:
 * streams to it are of no use any more, though they look alive.  NULL: stop it.
 */
typedef void link_lost(struct span server, void *context);
void link_on_lost(struct link *link, link_lost *on_lost, void *context);

/* What is known of a mailbox server on another host. */
struct link_server_state {
	const char *name, *address;	/* borrowed */
	enum { LINK_SERVER_UNKNOWN, LINK_SERVER_UP, LINK_SERVER_DOWN } state;
	int64_t since_s;		/* calendar */
	const char *reason;		/* why it is down, else empty; borrowed */
	bool is_asked;			/* link_hurry() has had it asked, and it has not answered yet */
	uint64_t rtt_us;		/* how long its last answer took; 0: not known */
	uint64_t reconnects;		/* how often it was there again */
};

/* Walk the mailbox servers in the order of naming; false past the end. */
bool link_server_state(const struct link *link, size_t index, struct link_server_state *state_out);

/* Ask those that are not known to be up at once, while link_on_lost() has somebody to tell. */
void link_hurry(struct link *link);

/* Figures of the ports, since the start. */
struct link_figures {
	uint64_t accepted;	/* that have proved themselves */
	uint64_t resumed;	/* of them without public-key work */
	uint64_t refused;
};
void link_figures(const struct link *link, struct link_figures *figures_out);

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
	struct span client_id;		/* what the client says of itself in ID: printable ASCII, at most 1000 octets */
	struct span prover;		/* who has proved it, when that is not the user */
	bool is_master;			/* that one may be any user, also one who may not log in */
	struct span identity;		/* with a password alone: as whom the user wants to act, as the client says it */
	struct span return_word;	/* how the mailbox role may give the client back: link_give_back() */
	struct span return_capability;	/* "IMAP4rev1 ...", of which that client is to be told */
	bool may_carry;			/* link_hand_over() is understood */
};

enum link_status {
	LINK_OK,
	LINK_REFUSED,		/* the mailbox role answered NO: text says why */
	LINK_DENIED,		/* link_connect_with_password(): unknown user, or wrong password */
	LINK_UNREACHABLE,	/* no such server, role stopped, connection lost on the way */
	LINK_TIMEOUT,
	LINK_PROTOCOL,		/* what came is not what src/link/README says */
};

struct link_result {
	enum link_status status;
	struct stream *stream;	/* LINK_OK: given, with whatever came behind the OK still unread */
	struct span capability;	/* "IMAP4rev1 ...": what the OK's CAPABILITY code held, may be empty */
	struct span text;	/* LINK_REFUSED: the text after NO, response code included */
	struct span untagged;	/* link_relay(): lines for the client before its answer, with their ends */
	const char *reason;	/* link_relay(): why it failed, for the log */
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

/*
 * Ask that a session goes on which another mailbox server has handed over.
 *
 *	state	as it was said there; at most LINK_STATE_MAX
 */
#define LINK_STATE_MAX ((size_t)47 * 1024)	/* a line in base64 is one that the parser takes */
struct link_attempt *link_connect_carried(struct link *link, struct span server, struct span user, struct span state,
    const struct link_facts *facts, link_connected *on_connected, void *context);
#define LINK_CARRY_MECHANISM "X-IMAPD-CARRY"

/*
 * As link_connect(), for a cas that cannot tell who its client is: the mailbox server compares the password
 * with its own directory.
 *
 *	password	1 octet or more without NUL; not kept beyond the sending
 */
struct link_attempt *link_connect_with_password(struct link *link, struct span server, struct span user,
    struct span password, const struct link_facts *facts, link_connected *on_connected, void *context);

/*
 * The mailbox end: the client is nobody's any more (UNAUTHENTICATE, RFC 8437), and goes back to who has brought it.
 * The word is said, and then all that has come and still comes is sent back, until the other end has ended its side.
 *
 *	stream	taken
 *	word	as the facts had it
 */
void link_give_back(struct link *link, struct stream **stream, struct span word);

/*
 * The same when the session is to go on at another mailbox server.
 *
 *	state	what that one has to know, for link_connect_carried(); 1 octet or more
 */
void link_hand_over(struct link *link, struct stream **stream, struct span word, struct span state);

/*
 * The other end: what it finds behind the client's last octet in both cases; appends at most LINK_WORD_MAX.  One octet
 * follows: the last of the word, or LINK_CARRIED.  Behind the latter comes a line, the state in base64.
 */
#define LINK_WORD_MAX 64
#define LINK_CARRIED  'm'	/* ends no word, for those are hexadecimal */
void link_write_word(struct buffer *out, struct span word);

/* Forget it: no callback will come.  Leaves NULL behind; accepts NULL. */
void link_cancel(struct link_attempt **attempt);

#define LINK_USER_MAX 512

/* A word for the log. */
const char *link_status_name(enum link_status status);

#endif
