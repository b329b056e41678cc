/*
 * What a cas says to an IMAP server that knows nothing of it, and what it makes of the answers, until its user is logged
 * in.  One command at a time: not every server takes more.  Pure.
 */
#ifndef DIALOG_H
#define DIALOG_H

#include "base/buffer.h"
#include "link/relay.h"

enum dialog_event {
	DIALOG_MORE,		/* send what is in out, and read the next line */
	DIALOG_START_TLS,	/* nothing more is said in plaintext; then dialog_secured() */
	DIALOG_OVER,		/* status says how */
};

enum dialog_step { DIALOG_GREETING, DIALOG_CAPABILITY, DIALOG_STARTTLS, DIALOG_ID, DIALOG_LOGIN, DIALOG_OFFER };

struct dialog {
	enum dialog_step step;
	bool is_secure;			/* TLS is on */
	bool is_insecure;		/* and need not be */
	bool has_capability, has_said_id;
	unsigned commands;		/* said so far: the tag of the last one */
	struct buffer id;		/* the ID command, without its tag */
	struct buffer user, password;
	struct buffer parts[3];		/* of a command that goes on when the server says +; the last ends it */
	unsigned part, part_count;
	struct buffer out;		/* to be sent; may hold the password */
	struct buffer capability;	/* as the server has said it last */
	struct buffer untagged;		/* alerts, each with its line end */
	enum link_status status;
	struct buffer text, reason;	/* as in struct link_result */
};

/* Borrows wish until return. */
void dialog_init(struct dialog *dialog, const struct link_relay_wish *wish);

/* Wipes what it knows. */
void dialog_fini(struct dialog *dialog);

/* Drop what was sent; it is wiped. */
void dialog_sent(struct dialog *dialog);

/* Read one line without its end. */
enum dialog_event dialog_read(struct dialog *dialog, struct span line);

/* TLS is begun behind STARTTLS: go on. */
enum dialog_event dialog_secured(struct dialog *dialog);

/* Append what a client may be told of a server's capabilities: not what is about logging in or cannot come back from there. */
void dialog_write_offer(struct span capability, struct buffer *out);

#endif
