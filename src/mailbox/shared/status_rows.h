/*
 * Rows of mailboxes that STATUS has read.  Programs ask for all mailboxes of a user, one after the other, again and again, and
 * most have not changed: so the rows behind the one that was asked for are read with it, the more of them the more often a
 * row was not there, and remembered until a job of the account may change one, or for some seconds.  Loop thread.
 */
#ifndef STATUS_ROWS_H
#define STATUS_ROWS_H

#include "store/mailbox.h"

struct map;

/* Of an account.  Zeroed: none. */
struct status_rows {
	struct map *by_name;		/* struct store_mailbox without strings; NULL: none */
	uint64_t since_us;		/* the first of them was read */
	uint64_t changes;		/* how often they were forgotten for a job */
	size_t ahead;			/* how many were read last */
};

/* The row, or NULL: it is to be read.  Its strings are NULL; borrowed until the next call. */
const struct store_mailbox *status_rows_find(struct status_rows *rows, uint64_t now_us, struct span name);

/* How many rows to read now, from the one that was not found on. */
size_t status_rows_ahead(struct status_rows *rows);

/*
 * Remember; copies.
 *
 *	changes		rows->changes when the job that has read them was submitted: jobs of an account keep their order, so
 *			the rows are as they were read if it is the same now; otherwise they are not taken
 */
void status_rows_add(struct status_rows *rows, uint64_t changes, uint64_t now_us, const struct store_mailbox *mailboxes,
    size_t count);

/* A job that may change rows was submitted, or the file is another one: forget all. */
void status_rows_change(struct status_rows *rows);

/* Forget those that are old. */
void status_rows_sweep(struct status_rows *rows, uint64_t now_us);

/* Accepts a zeroed one, leaves one without rows behind. */
void status_rows_fini(struct status_rows *rows);

#endif
