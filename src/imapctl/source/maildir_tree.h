/*
 * The folders of a tree of maildirs.  They lie in one of these ways, also mixed:
 *
 *	.Sub.Below	Maildir++: Courier, Dovecot, Evolution; the mailbox Sub/Below
 *	Sub/Below	Dovecot's LAYOUT=fs, mbsync's SubFolders Verbatim, offlineimap
 *	Sub/.Below	mbsync's SubFolders Legacy: a dot further on is part of the name
 *	.Sub.directory/Below	KMail, beside a folder Sub
 *
 * Blocking.
 */
#ifndef IMAPCTL_MAILDIR_TREE_H
#define IMAPCTL_MAILDIR_TREE_H

#include "folder_tree.h"

/* Does a directory hold messages as a maildir does?  In a tree many do not, and only hold others. */
bool maildir_is_one(const char *path);

/* As folder_tree_walk(); the tree is zeroed. */
bool maildir_tree_walk(struct folder_tree *tree, const char *path);

#endif
