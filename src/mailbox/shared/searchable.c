/*
 * Rows of searchable for contents that came in without.  Worker.
 */
#include "searchable.h"

#include "mime/header.h"
#include "store/content.h"

static bool
on_row(size_t place, const struct store_searchable *row, void *context)
{
	(void)place;
	*(bool *)context = row != NULL && row->version == mime_signature_version();
	return true;
}

static enum store_status
make(struct store *store, uint64_t content_id, struct span header)
{
	struct mime_searchable texts = { .present = 0 };
	enum store_status status = STORE_OK;

	if (header.length <= MIME_HEADER_OCTETS_MAX &&
	    mime_searchable_read(header, MIME_SEARCHABLE_ALL, MIME_SEARCHABLE_KEPT_MAX, &texts)) {
		struct store_searchable row = searchable_stored(&texts);

		status = store_searchable_keep(store, content_id, &row);
	}
	mime_searchable_fini(&texts);
	return status;
}

enum store_status
searchable_make(struct store *store, uint64_t content_id)
{
	struct buffer header = { 0 };
	enum store_status status;
	bool is_kept;

	status = store_searchable_each(store, &content_id, 1, 0, on_row, &is_kept);
	if (status != STORE_OK || is_kept)
		return status;
	if ((status = store_read_header(store, content_id, &header)) == STORE_OK)
		status = make(store, content_id, buffer_span(&header));
	buffer_free(&header);
	return status;
}
