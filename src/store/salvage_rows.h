/*
 * Rows of a damaged file that SQLite can read, into a new one: the databases damaged and main of a connection.  Worker
 * threads.
 */
#ifndef SALVAGE_ROWS_H
#define SALVAGE_ROWS_H

#include "internal.h"

/*
 * Copy all rows but those that are made anew from others.
 *
 *	given_up_out	appended: tables of which not every key was tried, with a comma between two
 *	has_lost_out	something could not be read
 *
 * Gives what ends it, other than damage.
 */
enum sql_status salvage_rows(struct sql *sql, struct buffer *given_up_out, bool *has_lost_out);

/* The number that a query gives; 0: it cannot be read. */
uint64_t salvage_read_number(struct sql *sql, const char *text);

#endif
