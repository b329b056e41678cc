/*
 * Reading ahead of SQLite, which asks for one page at a time: pages of one file that are read one behind the other, as
 * those of a body are.  Whoever changes the file drops what was read.  One thread at a time.
 */
#ifndef SQL_AHEAD_H
#define SQL_AHEAD_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ahead {
	uint8_t *octets;		/* of buffers.h; NULL: nothing was read */
	size_t length;
	sqlite3_int64 at;
	sqlite3_int64 read_end;		/* of what was asked for last */
	size_t next_length;		/* of the next read ahead */
	sqlite3_int64 size;		/* of the file; 0: not known */
};

void ahead_init(struct ahead *ahead);
void ahead_drop(struct ahead *ahead);

/* As xRead of the file. */
int ahead_read(struct ahead *ahead, sqlite3_file *file, bool may_read_ahead, void *octets, int length, sqlite3_int64 offset);

#endif
