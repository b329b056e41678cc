/*
 * What we say we can do, and where: one table.  RFC 9051 section 6.1.1.  IMAP4rev1 and IMAP4rev2 are both
 * spoken; before login only what helps to log in is shown.  Pure.
 */
#ifndef IMAP_CAPABILITY_H
#define IMAP_CAPABILITY_H

#include "base/buffer.h"

enum imap_moment {
	IMAP_MOMENT_BEFORE_TLS,		/* STARTTLS */
	IMAP_MOMENT_BEFORE_LOGIN,
	IMAP_MOMENT_AFTER_LOGIN,
	IMAP_MOMENT_LINK,		/* mailbox server to client access server, before AUTHENTICATE */
};

struct imap_capability_options {
	const char *mechanisms;		/* "PLAIN SCRAM-SHA-256", shown before login as AUTH=...; or NULL */
	bool is_login_disabled;		/* before login: no password will be looked at */
	uint64_t append_limit;		/* octets, 0: leave APPENDLIMIT out */
};

/* Append "IMAP4rev1 IMAP4rev2 ..." without "CAPABILITY", no space around. */
void imap_capability_write(struct buffer *out, enum imap_moment moment,
    const struct imap_capability_options *options);

#endif
