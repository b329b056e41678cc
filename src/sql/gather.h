/*
 * SQLite's VFS with fewer system calls.  SQLite writes each page of a transaction to the WAL by two calls, and each
 * page of a checkpoint to the file by one; what lies side by side goes out in one here.  And it takes and gives back
 * locks for each transaction that a single writer does not need.  And each commit makes the WAL longer, which the flush has
 * to write down beside it, until the WAL begins anew.
 */
#ifndef GATHER_H
#define GATHER_H

/* The name to open with, once gather_register() has been called. */
#define GATHER_VFS "imapd"

/*
 * sqlite3_file_control() on "main": no other program may write to this file while it is open, so that reading it
 * needs no lock.  Others can read.
 */
#define GATHER_BE_SOLE 1000

/* Make the VFS known to SQLite, not as the default; it works on whatever is the default when a file is opened. */
void gather_register(void);

#endif
