/*
 * Special uses of mailboxes (RFC 6154), taken over when a mailbox is pulled for the first time.  Blocking.
 */
#ifndef IMAPCTL_USES_H
#define IMAPCTL_USES_H

#include "work.h"

/*
 * Give a mailbox here the uses that it has at the source.  An empty one that the server has made for the same use is
 * for it no more, so that clients find one.
 *
 *	name	UTF-8
 *	uses	of enum imap_reply_attribute
 *
 * False: the connection here is lost.
 */
bool uses_take_over(struct pull *pull, struct span name, unsigned uses);

#endif
