/*
 * What an operator may be told of a session: both roles fill it in, each as far as it knows, for the verbs who, kick
 * and their kind.  Loop thread.
 */
#ifndef CONTROL_SESSION_H
#define CONTROL_SESSION_H

#include "base/span.h"

/* All borrowed until the next turn; what is not known is empty, NULL or 0. */
struct session_facts {
	struct span sid;
	struct span user;		/* empty: nobody is logged in */
	struct span by;			/* who acts as the user; empty: the user */
	struct span claim;		/* the name that it logs in by, before that is proved: never told, it may be a password */
	const char *address;		/* of the client, numeric */
	uint64_t port;
	struct span client;		/* the values of its ID (RFC 2971), printable ASCII: imap/id.h */
	const char *relay;		/* the server of another kind that it is relayed to */
	const char *tls, *mechanism;
	const char *state;		/* in words: "authenticated" */
	struct span mailbox;		/* the selected one */
	const char *command;		/* under way, or the last one */
	bool is_busy;			/* it is under way */
	uint64_t began_us, active_us;	/* monotonic: of the login, or the connection; when the client sent something last */
	uint64_t in, out;		/* octets from and to the client, without TLS, as they are on the line */
	bool is_compressed;		/* by COMPRESS, RFC 4978 */
	uint64_t plain_in, plain_out;	/* octets of the protocol, which are more than those when they are compressed */
	bool is_at_cas, is_at_mailbox;	/* which roles know it */
};

/* Called for one session after the other, until it returns false. */
typedef bool session_each(const struct session_facts *facts, void *context);

/*
 * What a walk returns: the place of the session for which each returned false, to go on behind it in another turn,
 * or that there are no more.  It begins at 0.
 */
#define SESSION_WALK_END UINT64_MAX

/* Sessions that are sent away, some in each turn of the loop. */
struct session_kick {
	session_each *is_meant;		/* said so of this one */
	void *context;
	unsigned looks;			/* how many sessions may still be looked at in this turn */
	uint64_t count;			/* how many were sent away */
};

#endif
