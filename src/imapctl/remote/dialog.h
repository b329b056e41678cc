/*
 * A client's side of an IMAP connection that is logged in already: commands go out while replies come in.
 * Blocking.
 */
#ifndef IMAPCTL_DIALOG_H
#define IMAPCTL_DIALOG_H

#include "base/buffer.h"

struct dialog;

/*
 * One reply with its literals, without the last line end; borrowed until return.  False: it makes no sense,
 * and dialog_lose() was called.
 */
typedef bool dialog_listener(struct span reply, void *context);

/* Takes a connected socket. */
struct dialog *dialog_new(int descriptor);

/* Accepts NULL, leaves NULL behind. */
void dialog_free(struct dialog **dialog);

/* Who is told of replies that begin with an octet: that of their tag, or `*`.  NULL: nobody. */
void dialog_listen(struct dialog *dialog, uint8_t first, dialog_listener *listener, void *context);

/* What is still to be sent; commands are appended here. */
struct buffer *dialog_out(struct dialog *dialog);

/* Wait until the socket is ready, then write and read once.  False: the connection is lost. */
bool dialog_step(struct dialog *dialog);

/* Give the connection up, for the first reason given; returns false. */
bool dialog_lose(struct dialog *dialog, const char *why);

/* Why it was lost, one sentence.  Borrowed. */
const char *dialog_trouble(struct dialog *dialog);

/* Append a quoted string (RFC 9051 section 9); the text is printable ASCII. */
void dialog_add_quoted(struct buffer *out, struct span text);

#endif
