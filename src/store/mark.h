/*
 * The mark of a store, as open.c, store.c and history.c share it.  Worker threads.
 */
#ifndef MARK_H
#define MARK_H

#include <stdbool.h>
#include <stdint.h>

struct store;

struct mark_record {
	uint64_t era;
	uint64_t kept;			/* changes of the last durable commit */
	uint64_t told;			/* changes of the last commit */
	uint64_t next_uidvalidity;
	uint64_t is_made;		/* the file was made; a number, so that records have no gaps to compare */
};

struct mark {
	int descriptor;			/* -1: it could not be made; that was logged */
	char *path;
	struct mark_record record;	/* as written */
	uint64_t synced;		/* told, as flushed */
	bool is_dirty, has_failed;
};

enum mark_state {
	MARK_NONE,
	MARK_READ,
	MARK_BROKEN,			/* there is one, and nobody knows what it said */
	MARK_UNREAD,			/* the process lacks what it needs to look: nothing is known, and errno says why */
};

enum mark_state mark_read(const char *path, struct mark_record *record_out);

/* Write a mark, and make its folder if that is missing.  False: errno says why. */
bool mark_write(const char *path, const struct mark_record *record, bool is_durable);

/*
 * Follow the store from now on; a mark that cannot be written is logged.
 *
 *	before	as it was read; NULL: it was not
 */
void mark_attach(struct store *store, const char *path, const struct mark_record *before,
    const struct mark_record *record);

/* A transaction was committed, or lazy ones became durable. */
void mark_follow(struct store *store, bool is_durable);

/* Flush what was not; harmless without a mark. */
void mark_detach(struct store *store);

#endif
