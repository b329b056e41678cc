/*
 * What SEARCH looks through of a content: one narrow row beside it.  It may be missing for what came in before such rows
 * were kept, and for what has much text: the caller then makes it from the header.  Worker threads only.
 */
#ifndef STORE_SEARCHABLE_H
#define STORE_SEARCHABLE_H

#include "store/store.h"

enum store_searchable_text {
	STORE_SEARCHABLE_SUBJECT,
	STORE_SEARCHABLE_FROM,
	STORE_SEARCHABLE_TO,
	STORE_SEARCHABLE_CC,
	STORE_SEARCHABLE_BCC,
	STORE_SEARCHABLE_MESSAGE_ID,
	STORE_SEARCHABLE_COUNT
};

struct store_searchable {
	bool has_sent_date;
	int32_t sent_day;		/* as in struct store_arrival */
	uint64_t version;		/* the caller's: of what made the texts */
	struct span texts[STORE_SEARCHABLE_COUNT];	/* folded; at is NULL where there is no such field */
};

/*
 * Visit contents one after the other, in the order of the list.
 *
 *	texts	    bits 1 << enum store_searchable_text; those not asked for are as of no such field
 *	searchable  borrowed until return; NULL: the content has no row
 *
 * False stops early.  Must not call the store.
 */
typedef bool store_searchable_visitor(size_t place, const struct store_searchable *searchable, void *context);

enum store_status store_searchable_each(struct store *store, const uint64_t *content_ids, size_t count,
    unsigned texts, store_searchable_visitor *visitor, void *context);

/*
 * Give a content its row, if it is still there and has none of this version.  In a transaction; a lazy one will do.  Of its sent date
 * nothing is to be known: it is that of the content.
 */
enum store_status store_searchable_keep(struct store *store, uint64_t content_id,
    const struct store_searchable *searchable);

#endif
