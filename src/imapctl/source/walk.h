/*
 * A walk through a folder and what lies below it, in the order of the names; links are not followed, but for
 * the path itself.  Blocking.
 */
#ifndef IMAPCTL_WALK_H
#define IMAPCTL_WALK_H

#include <sys/types.h>

#include <fts.h>

/* Begin; walk_close() ends it.  NULL: errno says why. */
FTS *walk_open(char *path);

/* The same in the order of numbers with which names begin: "9.eml" before "10.eml". */
FTS *walk_open_numbers(char *path);

/* Accepts NULL. */
void walk_close(FTS *walk);

#endif
