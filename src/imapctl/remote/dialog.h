/*
 * A client's side of an IMAP connection: commands go out while replies come in.  Blocking.
 */
#ifndef IMAPCTL_DIALOG_H
#define IMAPCTL_DIALOG_H

#include "connection.h"
#include "imap/reply.h"

struct dialog;

/*
 * One reply with its literals, without the last line end; borrowed until return.  False: it makes no sense,
 * and dialog_lose() was called.
 */
typedef bool dialog_listener(struct span reply, void *context);

/*
 * Who takes long literals.  Of a literal that was taken the reply keeps the announcement alone; dialog_text() says where.
 */
struct dialog_taker {
	uint64_t kept_octets;	/* literals up to this size stay in their reply */
	/* The reply as far as it has come, with the announcement and its line end; the octets follow.  Nobody takes
	 * them: on_octets is NULL, and they are dropped. */
	void (*on_literal)(struct span so_far, uint64_t size, void *context);
	/* A part of it.  False: as for a listener. */
	bool (*on_octets)(struct span octets, void *context);
	void *context;
};

/* Takes a connection. */
struct dialog *dialog_new(struct connection *connection);

/* Accepts NULL, leaves NULL behind. */
void dialog_free(struct dialog **dialog);

/* Borrowed from the dialog. */
struct connection *dialog_connection(struct dialog *dialog);

/* Who is told of replies that begin with an octet: that of their tag, `*` or `+`.  NULL: nobody. */
void dialog_listen(struct dialog *dialog, uint8_t first, dialog_listener *listener, void *context);

/* Who is told of replies that nobody listens to; NULL: they are passed over. */
void dialog_on_stray(struct dialog *dialog, dialog_listener *listener, void *context);

/*
 * From the next literal on; copied.  NULL: all literals stay in their replies.  Whoever takes none, a reply has at most
 * kept_octets and 64 MiB more, or 1 GiB: a longer one ends the connection.
 */
void dialog_set_taker(struct dialog *dialog, const struct dialog_taker *taker);

/* Within a listener: the reply with the places of the literals that were taken, for imap_reply_read(). */
struct imap_reply_text dialog_text(const struct dialog *dialog, struct span reply);

/* What is still to be sent; commands are appended here. */
struct buffer *dialog_out(struct dialog *dialog);

/* Overwrite what was sent, once all is: a password was in it. */
void dialog_wipe_out(struct dialog *dialog);

/* Within a listener: hand nothing more over until TLS or DEFLATE begins, which may be in the octets behind this reply. */
void dialog_pause(struct dialog *dialog);

/* As connection_start_tls(); what has come in plaintext behind the reply to STARTTLS is an attack (CVE-2011-0411). */
int dialog_start_tls(struct dialog *dialog, struct buffer *trouble_out);
void dialog_start_deflate(struct dialog *dialog);

/* From now on BYE is a reply like others: LOGOUT is on its way. */
void dialog_expect_bye(struct dialog *dialog);

/* Wait until the socket is ready, then write and read once.  False: the connection is lost, and stays so. */
bool dialog_step(struct dialog *dialog);

/* Give the connection up, for the first reason given; returns false. */
bool dialog_lose(struct dialog *dialog, const char *why);

#define DIALOG_SILENCE "the server does not answer"	/* why, when the time is up */

/* Why it was lost, one sentence.  Borrowed. */
const char *dialog_trouble(struct dialog *dialog);

#endif
