/*
 * A session at another IMAP server, where a user still lives who is to move here: src/link/README, "Somebody else's
 * server".  The cas logs in there with what its client has given, and joins the two streams.  Loop thread, but for what is
 * pure.
 */
#ifndef LINK_RELAY_H
#define LINK_RELAY_H

#include "link/link.h"

#define LINK_RELAY_TTL 5	/* how many servers may relay one login: as Dovecot's proxy has it */

/* Where such a user lives. */
struct link_home {
	bool is_tls_first;	/* imaps://; else imap://, which must become TLS before anything is said */
	char user[256];		/* what the user is called there; empty: as here */
	char host[256];		/* a name, or an address, an IPv6 one without brackets */
	uint16_t port;
};

/*
 * Read the home of such a user: imap://[USER@]HOST[:PORT], RFC 5092 without mailboxes.
 *
 * NULL: well.  Else a sentence that says what is wrong, static.  Pure.
 */
const char *link_home_read(struct span home, struct link_home *home_out);

/* Append "imaps://HOST:PORT", the server alone.  Pure. */
void link_home_write(const struct link_home *home, struct buffer *out);

/* What a login there takes; all is borrowed until return. */
struct link_relay_wish {
	const struct link_home *home;
	struct span user, password;	/* whom to log in when the home names nobody; 1 octet or more, without NUL */
	const struct link_facts *facts;
	unsigned ttl;			/* of LINK_RELAY_TTL what is left for the next servers */
	const char *ca_file;		/* authorities; NULL: those of the system */
	bool is_insecure;		/* believe any certificate; log in without TLS where none is offered */
	uint64_t timeout_ms;		/* for all of it */
	struct workers *names, *compute;	/* where names are looked up and certificates are read; where handshakes run */
};

struct link_relay;

/*
 * Log in.  Calls back exactly once, never before it returns, unless cancelled.  In the result:
 *
 *	LINK_OK		 capability: what the server offers now, without what only counts before login
 *	LINK_DENIED	 the password does not fit; text: what the server says of that which its user must know, or empty
 *	LINK_REFUSED	 the server does not let the user in for another reason, which text tells
 *	others		 reason: why, for the log
 */
struct link_relay *link_relay(struct link *link, const struct link_relay_wish *wish, link_connected *on_connected,
    void *context);

/* No callback will come.  Leaves NULL behind; accepts NULL. */
void link_relay_cancel(struct link_relay **relay);

/* Certificates of authorities are read anew by the next login. */
void link_relay_forget_authorities(struct link *link);

#endif
