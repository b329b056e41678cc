/*
 * What SORT and THREAD compare of a content: one narrow row beside it.  It may be missing for what came in before such
 * rows were kept: the caller then makes it from the header, and keeps it.  Worker threads only.
 */
#ifndef STORE_ORDERING_H
#define STORE_ORDERING_H

#include "store/store.h"

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
 *	ordering   borrowed until return; NULL: the content has no row
 *
 * False stops early.  Must not call the store.
 */
typedef bool store_ordering_visitor(size_t place, const struct store_ordering *ordering, void *context);

enum store_status store_ordering_each(struct store *store, const uint64_t *content_ids, size_t count,
    store_ordering_visitor *visitor, void *context);

/* Give a content its row, if it is still there and has none.  In a transaction; a lazy one will do. */
enum store_status store_ordering_keep(struct store *store, uint64_t content_id, const struct store_ordering *ordering);

#endif
