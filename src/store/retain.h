/*
 * What is kept of messages that have left: the tables retained and deleted_mailbox.  Worker threads.  Private to this room.
 *
 *	retain.c	messages leave
 *	retained.c	they are listed and brought back
 *	retention.c	they are let go
 */
#ifndef RETAIN_H
#define RETAIN_H

#include "internal.h"
#include "store/retained.h"

/* Something was kept at a time, or comes back or goes: a size of 0 or more, or a negative one. */
void retention_note(struct store *store, int64_t left_s, int64_t size_octets);

#define RETENTION_NOT_KNOWN INT64_MIN	/* of store->retained_since_s: it is found out when something is let go */

/* Find out what a file keeps, when it is opened. */
enum store_status retention_open(struct store *store);

/* A transaction was undone, and maybe what was noted in it. */
static inline void
retention_forget(struct store *store)
{
	store->retained_since_s = RETENTION_NOT_KNOWN;
	store->retained_octets = -1;
}

/*
 * Let go what is over, count_max messages at most, within a transaction: their contents become garbage.
 *
 *	is_more_out	there is more
 */
enum store_status retention_purge(struct store *store, uint32_t count_max, bool *is_more_out);

#endif
