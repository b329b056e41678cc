/*
 * A user's file read beside its store, as it lies there: for what takes long and must not keep the user waiting.  Meanwhile
 * nothing is folded into it; where that happens all the same it has moved, and is read again.  Worker threads.
 */
#ifndef STORE_STILL_H
#define STORE_STILL_H

#include "sql/still.h"
#include "store/store.h"

/*
 * Fold the WAL and begin, outside of a transaction: what was committed until now is read.
 *
 *	is_busy_out	a foreign tool reads an older state or may write, and it has not begun
 */
enum store_status store_still_begin(struct store *store, struct sql_still *still, bool *is_busy_out);

/*
 * Open the file beside its store.  STORE_UNAVAILABLE, then or later: it was stopped, has moved, or the disk has failed.
 *
 *	store_out	given, to store_close(); for reading alone; untouched on failure
 */
enum store_status store_open_still(const char *path, struct sql_still *still, struct store **store_out);

#endif
