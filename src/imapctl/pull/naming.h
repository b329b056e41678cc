/*
 * What a mailbox of another server is called here: "/" between levels, UTF-8, without the prefix of the personal
 * namespace (RFC 2342: "INBOX." of Cyrus and Courier).  Pure.
 */
#ifndef IMAPCTL_NAMING_H
#define IMAPCTL_NAMING_H

#include "imap/mailbox_name.h"

struct naming {
	struct span prefix;		/* of the personal namespace there, as the server writes it; may be empty */
	bool is_utf8;			/* names are UTF-8 there, not modified UTF-7 */
	struct span others, shared;	/* first levels that are not the user's here; may be empty */
};

/*
 * Append the canonical name.  What cannot stand in one, a "/" within a level or a control, becomes "_".
 *
 *	sent		as the server writes it, unquoted
 *	separator	between levels there; -1: there are no levels
 *
 * Anything but IMAP_NAME_OK: the mailbox can have no name here, and nothing is appended.
 */
enum imap_name_status naming_translate(const struct naming *naming, struct span sent, int separator, struct buffer *out);

#endif
