/*
 * A user's file read beside its store, as it lies there: for what takes long and must not keep the user waiting.  Meanwhile
 * nothing is folded into it; where that happens all the same it has moved, and is read again.
 */
#ifndef STORE_STILL_H
#define STORE_STILL_H

#include "store/store.h"

struct store_still;

/* Gives.  Any thread. */
struct store_still *store_still_new(void);

/* Accepts NULL, leaves NULL behind.  After store_still_end(), or when the store is closed.  Any thread. */
void store_still_free(struct store_still **still);

/*
 * Fold the WAL and begin, outside of a transaction: what was committed until now is read.  Worker thread, with the next.
 *
 *	is_busy_out	a foreign tool reads an older state or may write, and it has not begun
 */
enum store_status store_still_begin(struct store *store, struct store_still *still, bool *is_busy_out);

/* Note no longer whether it moves; harmless at any time. */
void store_still_end(struct store_still *still);

/*
 * Open the file beside its store.  STORE_UNAVAILABLE, then or later: it was stopped, has moved, or the disk has failed.
 * Worker thread.
 *
 *	still		begun; outlives what is opened
 *	store_out	given, to store_close(); for reading alone; untouched on failure
 */
enum store_status store_open_still(const char *path, struct store_still *still, struct store **store_out);

/* Whether it was written to, or its store was closed, since it began.  Any thread. */
bool store_still_has_moved(const struct store_still *still);

/* Let whoever reads it fail, soon and for ever.  Any thread. */
void store_still_stop(struct store_still *still);

/* Octets that were read of it since it began.  Any thread. */
uint64_t store_still_octets(const struct store_still *still);

#endif
