/*
 * What SEARCH looks through, as room mime makes it, for room store to keep.  Any thread.
 */
#ifndef SEARCHABLE_H
#define SEARCHABLE_H

#include <assert.h>

#include "mime/searchable.h"
#include "mime/signature.h"
#include "store/searchable.h"

static_assert((int)MIME_SEARCHABLE_COUNT == (int)STORE_SEARCHABLE_COUNT, "the texts are the same, in the same order");

/* The same; borrows the texts. */
static inline struct store_searchable
searchable_stored(const struct mime_searchable *searchable)
{
	struct store_searchable stored = { .version = mime_signature_version() };

	for (unsigned i = 0; i < MIME_SEARCHABLE_COUNT; i++) {
		if (!(searchable->present & 1u << i))
			continue;
		stored.texts[i] = searchable->texts[i].length > 0 ? buffer_span(&searchable->texts[i]) : SPAN("");
	}
	return stored;
}

/*
 * Make the row of a content that has none, or one of another version, unless its texts are too long to be kept.  In a
 * transaction; a lazy one will do.  STORE_NOT_FOUND: it is gone.  Worker.
 */
enum store_status searchable_make(struct store *store, uint64_t content_id);

#endif
