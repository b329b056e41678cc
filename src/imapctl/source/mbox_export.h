/*
 * Messages in an mbox as `imapctl export` has written them: nothing in them is guessed.  Blocking.
 */
#ifndef IMAPCTL_MBOX_EXPORT_H
#define IMAPCTL_MBOX_EXPORT_H

#include "input.h"
#include "source.h"

/*
 * Read a message whose separator was read, up to the next separator: octets, flags, keywords, date, UID.
 *
 * False: it is no such message, or another program has changed it since; the input is where it was, and nothing was
 * read.
 */
bool mbox_export_read(struct input *input, struct source *source, struct message *message);

#endif
