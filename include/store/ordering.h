/*
 * What SORT and THREAD compare of a content: one narrow row beside it.  It may be missing for what came in before such
 * rows were kept: the caller then makes it from the header, and keeps it.  Worker threads only.
 */
#ifndef STORE_ORDERING_H
#define STORE_ORDERING_H

#include "store/store.h"

/* What store_ordering_each() is to read beyond the numbers. */
enum store_ordering_fields {
	STORE_ORDERING_SUBJECT	 = 1 << 0,
	STORE_ORDERING_FROM	 = 1 << 1,
	STORE_ORDERING_TO	 = 1 << 2,
	STORE_ORDERING_CC	 = 1 << 3,
	STORE_ORDERING_FROM_NAME = 1 << 4,
	STORE_ORDERING_TO_NAME	 = 1 << 5,
	STORE_ORDERING_LINKS	 = 1 << 6,
	STORE_ORDERING_ALL	 = (1 << 7) - 1,
};

struct store_ordering {
	bool has_sent_date;
	int64_t sent_s;			/* as in struct store_arrival */
	bool is_reply;
	struct span subject, from, to, cc, from_name, to_name;	/* folded */
	struct span links;		/* the caller's own */
};

/*
 * Visit contents one after the other, in the order of the list.
 *
 *	fields	   bits of enum store_ordering_fields; spans not asked for are empty
 *	ordering   borrowed until return; NULL: the content has no row
 *
 * False stops early.  Must not call the store.
 */
typedef bool store_ordering_visitor(size_t place, const struct store_ordering *ordering, void *context);

enum store_status store_ordering_each(struct store *store, const uint64_t *content_ids, size_t count,
    unsigned fields, store_ordering_visitor *visitor, void *context);

/* Give a content its row, if it is still there and has none.  In a transaction; a lazy one will do. */
enum store_status store_ordering_keep(struct store *store, uint64_t content_id, const struct store_ordering *ordering);

#endif
