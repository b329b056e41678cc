/*
 * Symbolic links in other people's folders.  An operator imports as root what a user prepared; a link in there
 * must not bring in what that user could not read.
 */
#ifndef IMAPCTL_LINKS_H
#define IMAPCTL_LINKS_H

#include <sys/stat.h>

#include <stdbool.h>

/*
 * May this be read, which path led to?  It is what path names, or the last name in path is a link by root, the
 * caller or the owner of what it leads to.  False: errno says why, EPERM, or ENOENT when path was renamed since.
 */
bool link_is_trusted(const char *path, const struct stat *target);

#endif
