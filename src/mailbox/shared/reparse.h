/*
 * What is kept of a message beside its octets, compared with what its octets say now, and made anew from them.  Worker.
 */
#ifndef REPARSE_H
#define REPARSE_H

#include "store/content.h"

/*
 * Compare.
 *
 *	differs_out	NULL, or what differs first, static: "envelope" and the like
 *
 * Messages above 256 MiB are not read for it.  STORE_NOT_FOUND, STORE_CORRUPT: it cannot be read.
 */
enum store_status reparse_check(struct store *store, uint64_t content_id, const char **differs_out);

/* Make all of it anew, within a transaction. */
enum store_status reparse_mend(struct store *store, uint64_t content_id);

#endif
