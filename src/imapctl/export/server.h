/*
 * A target that is another server: mailboxes are made there, and messages appended (RFC 9051 section 6.3.12).  A message
 * that is there already, with the same octets and date, is not appended again.  Blocking.
 */
#ifndef IMAPCTL_SERVER_H
#define IMAPCTL_SERVER_H

#include "../remote/remote.h"
#include "../target/target.h"

/*
 * Borrows the session there.
 *
 *	root	a mailbox of that server, below which everything goes, or empty; borrowed
 */
struct target *server_target_open(struct remote *remote, struct span root);

#endif
