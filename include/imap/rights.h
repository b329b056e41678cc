/*
 * Rights in a mailbox, one bit each: RFC 4314 sections 2.1 and 2.1.1.  Pure.
 */
#ifndef IMAP_RIGHTS_H
#define IMAP_RIGHTS_H

#include "base/buffer.h"

#define IMAP_RIGHT_LOOKUP	0x001u	/* l: LIST, SUBSCRIBE */
#define IMAP_RIGHT_READ		0x002u	/* r: SELECT, STATUS */
#define IMAP_RIGHT_SEEN		0x004u	/* s: \Seen */
#define IMAP_RIGHT_WRITE	0x008u	/* w: flags but \Seen and \Deleted */
#define IMAP_RIGHT_INSERT	0x010u	/* i: APPEND, COPY into it */
#define IMAP_RIGHT_POST		0x020u	/* p: for who submits mail to it; nothing here asks for it */
#define IMAP_RIGHT_CREATE	0x040u	/* k: mailboxes below it */
#define IMAP_RIGHT_DELETE	0x080u	/* x: the mailbox */
#define IMAP_RIGHT_DELETED	0x100u	/* t: \Deleted */
#define IMAP_RIGHT_EXPUNGE	0x200u	/* e */
#define IMAP_RIGHT_ADMINISTER	0x400u	/* a: its rights */
#define IMAP_RIGHTS_ALL		0x7ffu

/* Read letters, at least none; "c" stands for "kx" and "d" for "et".  False: something is no right. */
bool imap_rights_read(struct span letters, unsigned *rights_out);

/* Append the letters, and "c" and "d" where one of theirs is among them. */
void imap_rights_write(struct buffer *out, unsigned rights);

#endif
