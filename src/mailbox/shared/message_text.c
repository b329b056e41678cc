/*
 * Reading the text of a message through a window of one chunk.  Worker.
 */
#include "message_text.h"

#include "mime/searchable.h"

#define LISTS                                                                                                          \
	(1u << MIME_SEARCHABLE_FROM | 1u << MIME_SEARCHABLE_TO | 1u << MIME_SEARCHABLE_CC | 1u << MIME_SEARCHABLE_BCC)

static bool
on_content(const struct store_content *content, void *context)
{
	struct message_text *message = context;

	message->size = content->size;
	message->header_length = content->header_length;
	buffer_add_span(&message->parts, content->parts);
	return true;
}

/* Where the chunk ends in which an octet of the body lies: what comes before that end costs nothing more to read. */
static uint64_t
end_of_chunk(const struct message_text *message, uint64_t last)
{
	uint64_t end = message->header_length;

	if (last >= message->header_length)
		end += ((last - message->header_length) / STORE_CHUNK_OCTETS + 1) * STORE_CHUNK_OCTETS;
	return end < message->size ? end : message->size;
}

static struct span
read_octets(size_t offset, size_t length, void *context)
{
	struct message_text *message = context;
	uint64_t end = (uint64_t)offset + length;

	if (length == 0 || end > message->size)
		return SPAN("");
	if (offset < message->window_offset || end > message->window_offset + message->window.length) {
		buffer_clear(&message->window);
		message->window_offset = offset;
		message->status = store_read_octets(message->store, message->content_id, offset,
		    end_of_chunk(message, end - 1) - offset, &message->window);
		if (message->status != STORE_OK)
			return SPAN("");
	}
	return span_slice(buffer_span(&message->window), offset - message->window_offset, length);
}

bool
message_text_init(struct message_text *message, uint64_t content_id, size_t overlap)
{
	message->content_id = content_id;
	message->status = store_content_each(message->store, &content_id, 1, STORE_CONTENT_PARTS, on_content, message);
	if (message->status == STORE_OK)
		message->text = mime_text_new(buffer_span(&message->parts), MIME_TEXT_ALL, overlap, read_octets, message);
	return message->status == STORE_OK;
}

/* A list for each field, with what is in no text between them. */
static void
read_addresses(struct message_text *message)
{
	struct span header = read_octets(0, message->header_length, message);
	struct mime_searchable searchable = { .present = 0 };

	mime_searchable_read(header, LISTS, SIZE_MAX, &searchable);
	for (unsigned i = 0; i < MIME_SEARCHABLE_COUNT; i++) {
		buffer_add_span(&message->addresses, buffer_span(&searchable.texts[i]));
		buffer_add_octet(&message->addresses, MIME_SEARCHABLE_END);
	}
	mime_searchable_fini(&searchable);
}

bool
message_text_next(struct message_text *message, struct mime_text_piece *piece_out)
{
	if (message->has_addresses)
		return mime_text_next(message->text, piece_out);
	read_addresses(message);
	message->has_addresses = true;
	*piece_out = (struct mime_text_piece){ .folded = buffer_span(&message->addresses), .is_header = true, .is_first = true };
	return message->status == STORE_OK;
}

void
message_text_fini(struct message_text *message)
{
	mime_text_free(&message->text);
	buffer_free(&message->parts);
	buffer_free(&message->window);
	buffer_free(&message->addresses);
	*message = (struct message_text){ .store = NULL };
}
