/*
 * What of a damaged file SQLite does not find, since a page that leads there is gone: by raw.h.  Worker threads.
 */
#ifndef SALVAGE_RAW_H
#define SALVAGE_RAW_H

#include "internal.h"

/*
 * Bring contents of messages that are in the new file, and their octets, which are missing in it.  What comes with them is
 * compared with its digest by whoever repairs.
 */
enum store_status salvage_raw(struct sql *sql, const char *path);

#endif
