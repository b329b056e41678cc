/*
 * A file that is one message, as maildir and MH folders hold them.  Blocking.
 */
#ifndef IMAPCTL_LETTER_H
#define IMAPCTL_LETTER_H

#include "source.h"

/*
 * Read a file into message->octets, expanded if it is compressed, without a From_ line at its start, which
 * procmail leaves in MH folders.  The file's time becomes the date.  A message larger than octets_max is
 * refused, and not held in memory.
 *
 * SOURCE_MESSAGE, or SOURCE_UNREADABLE with errno set, or SOURCE_REFUSED with message->reason set.
 */
enum source_result letter_read(struct message *message, const char *path);

#endif
