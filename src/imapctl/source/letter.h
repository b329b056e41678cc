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

/* The same for a file that holds the octets as they are to be, whatever they are. */
enum source_result letter_read_octets(struct message *message, const char *path);

/* Whether letter_read() takes a file of these octets for mail, and leaves all of them there. */
bool letter_is_mail(struct span octets);

#endif
