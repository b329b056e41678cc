/*
 * A port tried as far as its first words, whatever is spoken there.  Blocking.
 */
#ifndef IMAPCTL_KNOCK_H
#define IMAPCTL_KNOCK_H

#include "base/buffer.h"
#include "config/config.h"

struct knock {
	const struct config_listener *at;	/* at all addresses: tried at the loopback */
	bool is_tls;				/* from the first octet; the certificate is not looked at */
	const char *say;			/* NULL: the server speaks first */
	const char *expected;			/* how its answer begins; NULL: that it takes the connection is enough */
	unsigned timeout_s;
};

/* Gives an exit code (sysexits.h): 0, or trouble_out has a sentence; EX_NOPERM: who asks may not open the socket. */
int knock(const struct knock *knock, struct buffer *trouble_out);

#endif
