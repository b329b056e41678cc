/*
 * What a mailbox is called on a disk: the other direction of source/folder_name.h, which reads all of it back but names
 * that had to be shortened.  Pure.
 */
#ifndef IMAPCTL_FOLDER_PATH_H
#define IMAPCTL_FOLDER_PATH_H

#include "base/buffer.h"

/*
 * Append the folder of a mailbox in Maildir++: "." for INBOX, ".Sub.Below" in modified UTF-7 for others, with "\2e" for
 * a dot, "\5c" for a backslash and "\7e" for a tilde at the start, as Dovecot's plugin listescape has it.
 *
 *	name	UTF-8, canonical
 */
void folder_path_maildir(struct span name, struct buffer *out);

/*
 * Append the path of a mailbox in a tree: "Sub/Below" with suffix behind it.  Levels are UTF-8, or modified UTF-7 where
 * they hold "&".  A level that begins with a dot, or ends in one of the suffixes of files, gets "\2e" for that dot.
 */
void folder_path_tree(struct span name, const char *suffix, struct buffer *out);

#endif
