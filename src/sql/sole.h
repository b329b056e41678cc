/*
 * The locks of the index of a WAL (walformat.html) where one connection alone writes to the file: it takes the two that
 * others need who would write or fold once, and then none to read.  One thread at a time.
 */
#ifndef SQL_SOLE_H
#define SQL_SOLE_H

#include <sqlite3.h>
#include <stdbool.h>

/* Zeroed: as any file. */
struct sole {
	bool may_be_sole;		/* nobody else may write; set by the caller */
	bool is_sole;			/* the locks to write and to fold are held until the file is closed */
	int shared;			/* other locks of readers that are held, before that */
};

/* As xShmLock of the file, with SQLITE_SHM_SHARED; the first may make it sole. */
int sole_lock_shared(struct sole *sole, sqlite3_file *file, int offset, int count, int flags);

/* The same with SQLITE_SHM_EXCLUSIVE. */
int sole_lock_exclusive(struct sole *sole, sqlite3_file *file, int offset, int count, int flags);

/* Before xShmUnmap: with the index its locks go, for other connections of this process, too. */
void sole_end(struct sole *sole, sqlite3_file *file);

#endif
