/*
 * What room mime asks for of a message, out of the store.
 */
#include "reading.h"

#define OCTETS_KEPT (256 * 1024)	/* of a buffer, for the next message */

static bool
on_content(const struct store_content *content, void *context)
{
	struct search_reading *reading = context;

	buffer_clear(&reading->parts);
	buffer_add_span(&reading->parts, content->parts);
	return true;
}

static struct span
read_octets(size_t offset, size_t length, void *context)
{
	struct search_reading *reading = context;

	buffer_clear(&reading->octets);
	reading->status = store_read_octets(reading->store, reading->content_id, offset, length, &reading->octets);
	return buffer_span(&reading->octets);
}

enum store_status
search_reading_begin(struct search_reading *reading, struct store *store, uint64_t content_id,
    enum mime_text_scope scope, size_t overlap)
{
	enum store_status status;

	search_reading_end(reading);
	status = store_content_each(store, &content_id, 1, STORE_CONTENT_PARTS, on_content, reading);
	if (status != STORE_OK)
		return status;
	reading->content_id = content_id;
	reading->text = mime_text_new(buffer_span(&reading->parts), scope, overlap, read_octets, reading);
	return STORE_OK;
}

bool
search_reading_next(struct search_reading *reading, struct store *store, struct mime_text_piece *piece_out,
    enum store_status *status_out)
{
	bool is_there;

	reading->store = store;
	reading->status = STORE_OK;
	is_there = mime_text_next(reading->text, piece_out);
	*status_out = reading->status;
	return is_there;
}

void
search_reading_end(struct search_reading *reading)
{
	mime_text_free(&reading->text);
	if (reading->octets.capacity > OCTETS_KEPT)
		buffer_free(&reading->octets);
	if (reading->parts.capacity > OCTETS_KEPT)
		buffer_free(&reading->parts);
}

void
search_reading_fini(struct search_reading *reading)
{
	search_reading_end(reading);
	buffer_free(&reading->parts);
	buffer_free(&reading->octets);
}
