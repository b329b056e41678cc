/*
 * A file as it lies there while nothing is folded into it: read by a connection of its own, which sees no WAL, takes no
 * lock, writes nothing and keeps nobody waiting, however long it takes.  The file changes only when its own connection
 * folds the WAL; that is noted, and what was read is then worth nothing.
 */
#ifndef SQL_STILL_H
#define SQL_STILL_H

#include "sql/sql.h"

struct sql_still;

/* Gives.  Any thread. */
struct sql_still *sql_still_new(void);

/*
 * Fold the WAL, and note what is written to the file from now on.  On the thread that uses the connection, outside of a
 * transaction; again after it has moved.
 *
 * SQL_BUSY: a foreign tool reads an older state, or may write.
 */
enum sql_status sql_still_begin(struct sql *sql, struct sql_still *still);

/* Note nothing any more; harmless at any time.  On the thread that uses the connection. */
void sql_still_end(struct sql_still *still);

/* Whether the file was written to, or closed, since it began: it must be read again.  Any thread. */
bool sql_still_has_moved(const struct sql_still *still);

/* Let whoever reads the file fail with SQL_IO, soon.  Any thread. */
void sql_still_stop(struct sql_still *still);

/* Octets that were read of the file since it began.  Any thread. */
uint64_t sql_still_octets(const struct sql_still *still);

/*
 * Open the file for reading.  Whatever reads it then fails with SQL_IO once it is stopped, or has moved.
 *
 *	still	begun; outlives the connection
 *	sql_out	given to the caller, to sql_close(); untouched on failure
 */
enum sql_status sql_open_still(const char *path, struct sql_still *still, struct sql **sql_out);

/* Accepts NULL, leaves NULL behind.  After sql_still_end(), or when the connection is closed. */
void sql_still_free(struct sql_still **still);

#endif
