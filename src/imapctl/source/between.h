/*
 * Files of many messages that lie between folders of another format.  Blocking.
 */
#ifndef IMAPCTL_BETWEEN_H
#define IMAPCTL_BETWEEN_H

#include "folder_tree.h"
#include "several.h"

/*
 * Give the source, or, where there are such files, one that has them as well, each as a mailbox of its folder.
 *
 *	source	of the folders; taken
 *	tree	the same folders, walked; freed
 *	path	from which open has made the source, and makes it again
 *	what	it is then taken for, "maildirs, and mbox files between them"
 *	is_message  files of such names are messages of the other format, whatever stands in them; NULL: there are none
 */
struct source *between_add(struct source *source, struct folder_tree *tree, const char *path, several_opener *open,
    const char *what, bool (*is_message)(const char *name));

/* Is it such a file? */
bool between_is_box(const char *path);

#endif
