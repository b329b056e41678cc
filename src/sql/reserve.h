/*
 * Octets of a file that grows, written before they are needed: whoever overwrites them changes no length, and a flush has
 * only them to write.  Worker thread.
 */
#ifndef RESERVE_H
#define RESERVE_H

#include <sqlite3.h>

/* Zeroed: nothing is known of the file yet. */
struct reserve {
	sqlite3_int64 size;		/* of the file; 0: not known */
};

/*
 * Something was written that ends there, and nothing behind it matters.  Writes zeros behind it where that has made the
 * file longer: as many as there are octets before them, 64 KiB at least and some 500 at most.  Where they cannot be written
 * the file ends where it did.
 */
void reserve_more(struct reserve *reserve, sqlite3_file *file, sqlite3_int64 end);

/* The file gets another length. */
void reserve_forget(struct reserve *reserve);

#endif
