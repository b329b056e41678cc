/*
 * Walking tables that have at most one narrow row for each content, by content_id: what came one after the other is
 * read in one go.  Worker threads.  Private to this room.
 */
#ifndef BESIDE_H
#define BESIDE_H

#include "internal.h"

struct beside_walk {
	const uint64_t *content_ids;	/* in any order; those that rise are read in runs */
	size_t count;
	const char *select;		/* first column content_id, WHERE content_id BETWEEN ?1 AND ?2 ORDER BY content_id */
	/* A row, or NULL: the content has none.  False stops. */
	bool (*visit)(struct beside_walk *walk, size_t place, struct sql_statement *row);
	size_t next;			/* private from here */
	bool goes_on;
};

enum store_status beside_each(struct store *store, struct beside_walk *walk);

#endif
