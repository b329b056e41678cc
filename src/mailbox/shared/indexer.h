/*
 * Makes the index of SEARCH (store/index.h) out of a user's messages, in slices.  Worker, one at a time; between two
 * slices nobody touches it.
 */
#ifndef INDEXER_H
#define INDEXER_H

#include "message_text.h"
#include "store/index.h"

/* Zeroed at first. */
struct indexer {
	struct message_text message;	/* the one that is being indexed */
	uint64_t content_id;		/* 0: none is */
	uint64_t opening, generation;	/* of the index when that was begun */
	uint64_t version;		/* of the index; 0: not asked for yet */
	bool has_dropped;		/* it has dropped an index that was damaged */
};

/*
 * Index messages, and do what else there is to do in the index, within a transaction, until about then.
 *
 *	is_more_out	false: everything is done
 *
 * STORE_LIMIT: the disk has so little room that it is left to messages.  After a failure, also of the commit, comes
 * indexer_reset().
 */
enum store_status indexer_run(struct indexer *indexer, struct store *store, uint64_t until_us, bool *is_more_out);

/* Forget the message that is being indexed. */
void indexer_reset(struct indexer *indexer);

#endif
