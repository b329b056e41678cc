/*
 * The names that `imapctl export` gives to messages in a maildir.  Pure.
 *
 *	1500000001.P1764373205Q7.imapd,S=120,W=125
 *	1500000001.P1764373205Q7.imapd-octets,S=120,W=121
 *	0.P1764373205Q7N14182940.imapd,S=120,W=125
 *
 * P is the UIDVALIDITY and Q the UID, so that a message is known again.  Before P stands INTERNALDATE, and behind N how
 * many seconds before 1970 it is: not every file system has room for that, and not every copy keeps times.  The second
 * form is for messages that would not be the same if their line ends were made CRLF, or if they were looked at as mail:
 * it is read as it is.
 */
#ifndef IMAPCTL_MAILDIR_NAME_H
#define IMAPCTL_MAILDIR_NAME_H

#include "base/buffer.h"

struct maildir_name {
	int64_t date_s;
	uint32_t uidvalidity, uid;
	bool is_octets;
	uint64_t size, virtual_size;
};

void maildir_name_write(const struct maildir_name *name, struct buffer *out);

/* Read a name, with or without flags behind it.  False: it is none of ours. */
bool maildir_name_read(const char *text, struct maildir_name *out);

#endif
