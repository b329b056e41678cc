/*
 * SQLite's VFS with fewer system calls.  SQLite writes each page of a transaction to the WAL by two calls, and each
 * page of a checkpoint to the file by one; what lies side by side goes out in one here.  And it takes and gives back
 * locks for each transaction that a single writer does not need.  And each commit makes the WAL longer, which the flush has
 * to write down beside it, until the WAL begins anew.
 */
#ifndef GATHER_H
#define GATHER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

/* The name to open with, once gather_register() has been called. */
#define GATHER_VFS "imapd"

/*
 * sqlite3_file_control() on "main": no other program may write to this file while it is open, so that reading it
 * needs no lock.  Others can read.
 */
#define GATHER_BE_SOLE 1000

/*
 * sqlite3_file_control() on "main" with a bool: whether that is so by now.  Once it is, it stays so until the file is closed.
 */
#define GATHER_IS_SOLE 1002

/*
 * sqlite3_file_control() on "main" with a struct gather_follower: what is written to the file, by folding the WAL, is told
 * to it from now on; until it is taken out of its list, or the file is closed.
 */
#define GATHER_FOLLOW 1001

struct gather_follower {
	struct list link;
	void (*on_written)(struct gather_follower *follower, uint64_t offset, uint64_t length);
	void (*on_closed)(struct gather_follower *follower);	/* last, and in no list any more */
};

/*
 * The name to open with what nobody writes to meanwhile, read-only: SQLite looks for no WAL and takes no lock.
 */
#define GATHER_STILL_VFS "imapd-still"

/* sqlite3_file_control() on "main" of such a file with a struct gather_reading, which outlives it. */
#define GATHER_READ_BY 1003

struct gather_reading {
	atomic_bool has_moved, is_stopped;	/* either: reading fails from now on */
	atomic_uint_least64_t octets;		/* read so far */
};

bool gather_may_read(const struct gather_reading *reading);

/* Make both known to SQLite, not as the default; they work on whatever is the default when a file is opened. */
void gather_register(void);

#endif
