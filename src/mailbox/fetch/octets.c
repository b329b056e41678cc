/*
 * Literals of FETCH whose octets go out piece by piece, from the store, a text that is ready, or a decoder; and the
 * measuring before, where a size is told that is not known.  Worker.
 */
#include "octets.h"

#include <string.h>

#include "imap/writer.h"
#include "item.h"
#include "render.h"

/*
 * A literal holds no NUL (RFC 9051 section 9, CHAR8; section 4.3.1).  Who asks for BINARY gets it; to others a
 * message that has one is sent with 0x80 in its place, so that all sizes stay true.
 */
static void
replace_nul(struct buffer *out, size_t from)
{
	uint8_t *end = out->at + out->length, *nul = out->at + from;

	while (nul < end && (nul = memchr(nul, 0, (size_t)(end - nul))) != NULL)
		*nul++ = 0x80;
}

void
fetch_octets_begin(struct fetch_render *render, const struct fetch_octets *octets, struct buffer *out)
{
	imap_write_literal_header(out, octets->left, octets->is_literal8);
	render->octets = *octets;
}

void
fetch_octets_write_short(struct span text, struct buffer *out)
{
	size_t before;

	imap_write_literal_header(out, text.length, false);
	before = out->length;
	buffer_add_span(out, text);
	replace_nul(out, before);
}

/* All of it is measured. */
static void
end_measuring(struct fetch_render *render, struct buffer *out)
{
	const struct imap_fetch_item *item = &render->program->items[render->item - 1];
	struct fetch_range range = render->octets.decoder.range;
	struct fetch_octets octets = { .from = FETCH_DECODED, .is_literal8 = render->has_nul };

	render->is_measuring = false;
	octets.left = fetch_decoder_size(&render->octets.decoder);
	fetch_decoder_fini(&render->octets.decoder);
	if (item->kind == IMAP_FETCH_BINARY_SIZE) {
		buffer_add_number(out, octets.left);
		return;
	}
	fetch_item_apply_partial(item, &octets.at, &octets.left);
	fetch_decoder_init(&octets.decoder, &range);
	fetch_octets_begin(render, &octets, out);
}

enum store_status
fetch_octets_measure(struct fetch_render *render, struct store *store, struct buffer *out)
{
	struct fetch_decoder *decoder = &render->octets.decoder;
	enum store_status status;

	if (fetch_decoder_is_at_end(decoder)) {
		end_measuring(render, out);
		return STORE_OK;
	}
	status = fetch_decoder_next(decoder, store, render->entries[render->next].message.content_id);
	render->has_nul |= decoder->pending.length > 0 && memchr(decoder->pending.at, 0, decoder->pending.length) != NULL;
	return status;
}

/* Note where octets of a content are that were read. */
static void
note(struct fetch_render *render, uint64_t at, size_t place, size_t length, bool is_beyond)
{
	struct fetch_extent extent = { .content_id = render->entries[render->next].message.content_id,
		.header_length = render->content.header_length, .at = at, .place = place, .length = length, .is_beyond = is_beyond };

	if (render->program->items[render->item - 1].part_depth > 0)
		buffer_add_span(&extent.parts, buffer_span(&render->content.parts));
	fetch_notes_add(&render->notes, &extent);
}

/* What follows a range, with its last part: it is put aside. */
static enum store_status
read_range(struct fetch_render *render, struct store *store, size_t length, struct buffer *out)
{
	struct fetch_octets *octets = &render->octets;
	uint64_t least = octets->reads_on ? 2 * (uint64_t)length : length;
	struct buffer read = { 0 };
	struct span asked, beyond;
	enum store_status status = store_read_ahead(store, render->entries[render->next].message.content_id, octets->at, least,
	    octets->left + octets->behind, &read);

	if (status == STORE_OK) {
		asked = span_slice(buffer_span(&read), 0, octets->left);
		beyond = span_from(buffer_span(&read), asked.length);
		buffer_add_span(out, asked);
		replace_nul(&read, asked.length);
		note(render, octets->at + asked.length, render->notes.beyond.length, beyond.length, true);
		buffer_add_span(&render->notes.beyond, beyond);
	}
	buffer_free(&read);
	return status;
}

static enum store_status
read_content(struct fetch_render *render, struct store *store, size_t length, struct buffer *out)
{
	struct fetch_octets *octets = &render->octets;
	size_t before = out->length;
	enum store_status status;

	if (octets->is_noted && octets->behind > 0 && length == octets->left)
		status = read_range(render, store, length, out);
	else
		status = store_read_ahead(store, render->entries[render->next].message.content_id, octets->at, length, octets->left, out);
	if (status == STORE_OK && octets->is_noted)
		note(render, octets->at, before, out->length - before, false);
	return status;
}

enum store_status
fetch_octets_write(struct fetch_render *render, struct store *store, size_t length, struct buffer *out)
{
	struct fetch_octets *octets = &render->octets;
	uint64_t content_id = render->entries[render->next].message.content_id;
	enum store_status status = STORE_OK;
	size_t before = out->length;

	if (octets->from == FETCH_DECODED && fetch_decoder_is_behind(&octets->decoder, octets->at))
		return fetch_decoder_next(&octets->decoder, store, content_id);
	if (length > octets->left)
		length = (size_t)octets->left;
	if (octets->from == FETCH_TEXT)
		buffer_add_span(out, span_slice(buffer_span(&render->text), octets->at, length));
	else if (octets->from == FETCH_CONTENT)
		status = read_content(render, store, length, out);
	else
		status = fetch_decoder_read(&octets->decoder, store, content_id, octets->at, length, out);
	if (!octets->is_literal8)
		replace_nul(out, before);
	/* Too few octets would leave the client waiting in a literal that never ends. */
	if (status == STORE_OK && (out->length - before < length || out->length - before > octets->left))
		status = STORE_CORRUPT;
	if (status == STORE_OK)
		length = out->length - before;
	octets->at += length;
	octets->left -= length;
	if (octets->left == 0) {
		octets->from = FETCH_NOTHING;
		fetch_decoder_fini(&octets->decoder);
	}
	return status;
}
