/*
 * What mailboxes are called on another server: its separator between the levels, the prefix of its personal namespace
 * (RFC 2342: "INBOX." of Cyrus and Courier) before all but INBOX.  Pure.
 */
#ifndef IMAPCTL_NAMES_THERE_H
#define IMAPCTL_NAMES_THERE_H

#include "base/buffer.h"

struct names_there {
	struct span prefix, root;	/* UTF-8, borrowed; may be empty */
	int separator;			/* -1: there are no levels */
};

/*
 * Append the UTF-8 name there.  The separator within a level, and "/" where there are no levels, becomes "_".
 *
 *	name	ours, canonical
 */
void names_there_add(const struct names_there *there, struct span name, struct buffer *out);

/* Append the UTF-8 of a name as a server sends it: modified UTF-7, or as it is what is not. */
void names_there_decode(struct span sent, struct buffer *out);

#endif
