/*
 * Previews made when they are asked for.  Worker.
 */
#include "preview.h"

#include "mime/preview.h"

#define LOOKS_MAX 16

static bool
on_content(const struct store_content *content, void *context)
{
	buffer_add_span(context, content->parts);
	return true;
}

static enum store_status
look_at_part(struct store *store, uint64_t content_id, const struct mime_parts_entry *part, struct buffer *out)
{
	struct buffer body = { 0 };
	enum store_status status = store_read_octets(store, content_id, part->body_offset,
	    part->body_length < MIME_PREVIEW_READS_MAX ? part->body_length : MIME_PREVIEW_READS_MAX, &body);

	if (status == STORE_OK)
		mime_preview_part(part, buffer_span(&body), out);
	buffer_free(&body);
	return status;
}

enum store_status
fetch_preview_make(struct store *store, uint64_t content_id, struct buffer *out)
{
	struct buffer parts = { 0 };
	struct mime_parts_entry part;
	size_t position = 0, looks = 0;
	enum store_status status = store_content_each(store, &content_id, 1, STORE_CONTENT_PARTS, on_content, &parts);

	while (status == STORE_OK && out->length == 0 && looks < LOOKS_MAX &&
	    mime_parts_next(buffer_span(&parts), &position, &part))
		if (mime_preview_is_text(&part)) {
			status = look_at_part(store, content_id, &part, out);
			looks++;
		}
	buffer_free(&parts);
	return status;
}
