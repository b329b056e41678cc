/*
 * Mailbox names from the names that folders have on a disk: modified UTF-7, as IMAP servers and what copies
 * from them write it, or UTF-8, as mail programs do.  Pure.
 */
#ifndef IMAPCTL_FOLDER_NAME_H
#define IMAPCTL_FOLDER_NAME_H

#include "base/buffer.h"

/*
 * Append one level to a name, with a separator before it where something stands already.  It is UTF-8 when it
 * holds an octet above 126 or a "&" that begins no modified UTF-7; "\2e" is the dot that Dovecot's plugin
 * listescape hides.
 *
 *	name	UTF-8; what is not is kept and told by folder_name_finish()
 */
void folder_name_add_level(struct buffer *name, struct span level);

/* The same for a level whose name is known, as UTF-8; "_" for "/", which would make two of it. */
void folder_name_add_text(struct buffer *name, struct span level);

/*
 * Append the modified UTF-7 of a whole name; nothing for the empty one.  Gives NULL, or why there can be no
 * mailbox of this name; the words may be kept.
 */
const char *folder_name_finish(struct span name, struct buffer *mailbox_out);

/* The same for a path below the folder that is imported, "Work/2020". */
const char *folder_name_of_path(struct span path, struct buffer *mailbox_out);

#endif
