/*
 * Looking for texts in headers and bodies with what room mime decodes and folds.  Worker; only
 * search_text_fold() also on the loop.
 */
#include "text.h"

#include "mime/fold.h"
#include "mime/header.h"
#include "mime/text.h"

void
search_text_fold(struct span text, struct buffer *needle_out)
{
	mime_fold(text, needle_out);
}

bool
search_text_header(struct span header, struct span field, struct span needle)
{
	struct buffer decoded = { 0 }, folded = { 0 };
	struct mime_field found;
	bool is_found = false;
	size_t offset = 0;

	while (!is_found && mime_field_next(header, &offset, &found)) {
		if (!span_equals_nocase(found.name, field))
			continue;
		buffer_clear(&decoded);
		buffer_clear(&folded);
		mime_field_text(&found, &decoded);
		mime_fold(buffer_span(&decoded), &folded);
		is_found = mime_fold_contains(buffer_span(&folded), needle);
	}
	buffer_free(&decoded);
	buffer_free(&folded);
	return is_found;
}

/* A message as the store has it. */
struct stored {
	struct buffer octets, parts;
	uint32_t size;
};

static bool
on_content(const struct store_content *content, void *context)
{
	struct stored *stored = context;

	stored->size = content->size;
	buffer_add_span(&stored->parts, content->parts);
	return true;
}

/* The message is held as long as it is looked through, one for each worker: mime wants it as one piece. */
enum store_status
search_text_body(struct store *store, uint64_t content_id, bool with_headers, const struct span *keys,
    size_t count, bool *found_out)
{
	struct stored stored = { 0 };
	enum store_status status;

	status = store_content_each(store, &content_id, 1, STORE_CONTENT_PARTS, on_content, &stored);
	if (status == STORE_OK)
		status = store_read_octets(store, content_id, 0, stored.size, &stored.octets);
	if (status == STORE_OK)
		mime_text_search(buffer_span(&stored.octets), buffer_span(&stored.parts),
		    with_headers ? MIME_TEXT_ALL : MIME_TEXT_BODY, keys, count, found_out);
	buffer_free(&stored.octets);
	buffer_free(&stored.parts);
	return status;
}
