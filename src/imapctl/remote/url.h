/*
 * Where a server is and who comes to it: imap://USER;AUTH=MECHANISM@HOST:PORT/MAILBOX (RFC 5092), and imaps:// for
 * TLS from the first octet (RFC 8314 section 3).  Pure.
 */
#ifndef IMAPCTL_URL_H
#define IMAPCTL_URL_H

#include "base/buffer.h"

struct url {
	bool is_tls_first;		/* imaps:// */
	struct buffer user;		/* percent-decoded; empty: none was named */
	struct buffer mechanism;	/* behind ;AUTH=; empty or "*": any */
	char *host;			/* a name or an address, an IPv6 one without brackets */
	uint16_t port;			/* 143 and 993 if none was given */
	struct buffer mailbox;		/* UTF-8, with the separator that the server has; empty: none was named */
};

/* Whether a word means a server: it begins with imap:// or imaps://, in any case. */
bool url_is_server(const char *word);

/*
 * Read a URL.  In the user's name an at sign and an asterisk may stand as they are (joe@example.org*admin), since the last
 * at sign is the one before the host.
 *
 * NULL: well.  Else one sentence that says what is wrong, static; url_out is then empty.  A password is refused: a list of
 * processes would show it.  So is what names one message (RFC 5092 section 5: ;UIDVALIDITY= ;UID=, a query).
 */
const char *url_parse(const char *word, struct url *url_out);

/* Append "imap://HOST" with the port where it is not the usual one: for messages and as a name for what is kept. */
void url_write_host(const struct url *url, struct buffer *out);

void url_free(struct url *url);

#endif
