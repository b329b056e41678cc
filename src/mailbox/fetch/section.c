/*
 * Sections of a message by its part table, and their decoding.  A decoded section is read twice, first for
 * its size, so that no more than a piece of it is ever held.  Worker.
 */
#include "section.h"

#include "mime/parts.h"

#define PIECE_OCTETS (64 * 1024)	/* read at once to be decoded */

static void
replace(struct buffer *buffer, struct span text)
{
	buffer_clear(buffer);
	buffer_add_span(buffer, text);
}

static bool
on_content(const struct store_content *stored, void *context)
{
	struct fetch_content *content = context;

	content->size = stored->size;
	content->header_length = stored->header_length;
	replace(&content->envelope, stored->envelope);
	replace(&content->body, stored->body);
	replace(&content->bodystructure, stored->bodystructure);
	replace(&content->parts, stored->parts);
	replace(&content->preview, stored->preview);
	content->has_preview = stored->has_preview;
	return true;
}

enum store_status
fetch_content_load(struct fetch_content *content, struct store *store, uint64_t content_id, unsigned fields)
{
	enum store_status status = STORE_OK;

	if (fields != FETCH_CONTENT_HEADER)
		status = store_content_each(store, &content_id, 1, fields & (FETCH_CONTENT_HEADER - 1),
		    on_content, content);
	if (status != STORE_OK || (fields & FETCH_CONTENT_HEADER) == 0)
		return status;
	buffer_clear(&content->header);
	return store_read_header(store, content_id, &content->header);
}

void
fetch_content_fini(struct fetch_content *content)
{
	buffer_free(&content->envelope);
	buffer_free(&content->body);
	buffer_free(&content->bodystructure);
	buffer_free(&content->parts);
	buffer_free(&content->preview);
	buffer_free(&content->header);
}

/* The message itself: no table is needed. */
static bool
find_in_message(const struct fetch_content *content, enum imap_section section, struct fetch_range *range_out)
{
	*range_out = (struct fetch_range){ 0, content->size, MIME_BINARY };
	switch (section) {
	case IMAP_SECTION_ALL:
		return true;
	case IMAP_SECTION_TEXT:
		range_out->at = content->header_length;
		range_out->length -= content->header_length;
		return true;
	case IMAP_SECTION_MIME:
		return false;
	default:
		range_out->length = content->header_length;
		return true;
	}
}

static struct fetch_range
range_of(struct mime_range range, enum mime_encoding encoding)
{
	return (struct fetch_range){ range.offset, range.length, encoding };
}

bool
fetch_section_find(const struct fetch_content *content, const struct imap_fetch_item *item,
    struct fetch_range *range_out)
{
	struct mime_section found;

	if (item->part_depth == 0)
		return find_in_message(content, item->section, range_out);
	if (!mime_parts_find(buffer_span(&content->parts), item->part, item->part_depth, &found))
		return false;
	switch (item->section) {
	case IMAP_SECTION_ALL:
		*range_out = range_of(found.body,
		    found.is_multipart || found.has_message ? MIME_BINARY : found.encoding);
		return true;
	case IMAP_SECTION_MIME:
		*range_out = range_of(found.mime, MIME_BINARY);
		return true;
	case IMAP_SECTION_TEXT:
		*range_out = range_of(found.text, MIME_BINARY);
		return found.has_message;
	default:
		*range_out = range_of(found.header, MIME_BINARY);
		return found.has_message;
	}
}

void
fetch_decoder_init(struct fetch_decoder *decoder, const struct fetch_range *range)
{
	*decoder = (struct fetch_decoder){ .range = *range };
	mime_decoder_init(&decoder->decoder, range->encoding);
}

void
fetch_decoder_fini(struct fetch_decoder *decoder)
{
	buffer_free(&decoder->pending);
}

bool
fetch_decoder_is_at_end(const struct fetch_decoder *decoder)
{
	return decoder->raw_at == decoder->range.length;
}

bool
fetch_decoder_is_behind(const struct fetch_decoder *decoder, uint64_t at)
{
	return decoder->decoded_at + decoder->pending.length < at && !fetch_decoder_is_at_end(decoder);
}

uint64_t
fetch_decoder_size(const struct fetch_decoder *decoder)
{
	return decoder->decoded_at + decoder->pending.length;
}

enum store_status
fetch_decoder_next(struct fetch_decoder *decoder, struct store *store, uint64_t content_id)
{
	uint64_t left = decoder->range.length - decoder->raw_at;
	size_t length = left < PIECE_OCTETS ? (size_t)left : PIECE_OCTETS;
	struct buffer raw = { 0 };
	enum store_status status;

	decoder->decoded_at += decoder->pending.length;
	buffer_clear(&decoder->pending);
	status = store_read_octets(store, content_id, decoder->range.at + decoder->raw_at, length, &raw);
	if (status == STORE_OK && raw.length != length)
		status = STORE_CORRUPT;
	if (status == STORE_OK) {
		decoder->raw_at += length;
		mime_decode(&decoder->decoder, buffer_span(&raw), fetch_decoder_is_at_end(decoder), &decoder->pending);
	}
	buffer_free(&raw);
	return status;
}

enum store_status
fetch_decoder_read(struct fetch_decoder *decoder, struct store *store, uint64_t content_id, uint64_t at,
    size_t length, struct buffer *out)
{
	enum store_status status = STORE_OK;
	struct span part;

	while (length > 0 && status == STORE_OK) {
		part = span_slice(buffer_span(&decoder->pending), at - decoder->decoded_at, length);
		buffer_add_span(out, part);
		at += part.length;
		length -= part.length;
		if (length > 0 && fetch_decoder_is_at_end(decoder))
			break;
		if (length > 0)
			status = fetch_decoder_next(decoder, store, content_id);
	}
	return status;
}
