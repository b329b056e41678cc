/*
 * Many users at once, in the file of a directory opened by directory_open_sqlite().  Worker thread.
 */
#ifndef NEWCOMERS_H
#define NEWCOMERS_H

#include "directory/directory.h"

/* directory_import() */
enum directory_status newcomers_add(struct directory *directory, struct directory_newcomer *newcomers, size_t count,
    unsigned flags);

#endif
