/*
 * Telling a client of IMAP4rev2 by which name a mailbox goes, where that is not the one it gave: in another
 * normalization form, or INBOX in small letters.  RFC 9051 sections 5.1 and 6.3.9.7.  Loop thread.
 */
#ifndef MAILBOX_OLDNAME_H
#define MAILBOX_OLDNAME_H

#include "session.h"

/* Write "* LIST (attributes) "/" name", with OLDNAME if the client of the command under way gave another name. */
void oldname_write_list(struct session *session, const char *attributes, struct span name);

/* The same, but only if there is an OLDNAME to tell, and only in IMAP4rev2. */
void oldname_tell(struct session *session, const char *attributes, struct span name);

#endif
