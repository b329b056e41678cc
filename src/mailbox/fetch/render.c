/*
 * The rendering of FETCH lines on a worker, item by item.  Whatever may be long is not written by its item
 * but left in octets, from where it goes out in pieces: so a reply of any size is made of small ones.
 * Worker.
 */
#include "render.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "imap/bodystructure.h"
#include "imap/writer.h"
#include "preview.h"

#define TEXT_AT_ONCE (16 * 1024)	/* longer ready-made texts go out in pieces */

static bool
has_fields(const struct imap_fetch_item *item)
{
	return item->section == IMAP_SECTION_HEADER_FIELDS || item->section == IMAP_SECTION_HEADER_FIELDS_NOT;
}

static unsigned
fields_of_item(const struct imap_fetch_item *item)
{
	if (fetch_line_has(item->kind) || item->kind == IMAP_FETCH_SAVEDATE)
		return 0;
	if (item->kind == IMAP_FETCH_PREVIEW)
		return STORE_CONTENT_PREVIEW;
	if (item->kind == IMAP_FETCH_ENVELOPE)
		return STORE_CONTENT_ENVELOPE;
	if (item->kind == IMAP_FETCH_BODY)
		return STORE_CONTENT_BODY;
	if (item->kind == IMAP_FETCH_BODYSTRUCTURE)
		return STORE_CONTENT_BODYSTRUCTURE;
	if (item->part_depth > 0)
		return STORE_CONTENT_PARTS;
	return has_fields(item) ? FETCH_CONTENT_HEADER : FETCH_CONTENT_ROW;
}

static unsigned
fields_of(const struct imap_fetch *program)
{
	unsigned fields = 0;

	for (size_t i = 0; i < program->item_count; i++)
		fields |= fields_of_item(&program->items[i]);
	return fields;
}

void
fetch_render_init(struct fetch_render *render, const struct imap_fetch *program, uint64_t mailbox_id)
{
	*render = (struct fetch_render){ .program = program, .mailbox_id = mailbox_id, .content_fields = fields_of(program) };
	render->fields = memory_new_array(program->item_count, sizeof *render->fields);
	for (size_t i = 0; i < program->item_count; i++)
		if (program->items[i].field_count > 0)
			fetch_fields_init(&render->fields[i], program->items[i].fields,
			    program->items[i].field_count);
}

void
fetch_render_fini(struct fetch_render *render)
{
	for (size_t i = 0; i < render->program->item_count; i++)
		fetch_fields_fini(&render->fields[i]);
	free(render->fields);
	free(render->entries);
	fetch_content_fini(&render->content);
	fetch_decoder_fini(&render->octets.decoder);
	buffer_free(&render->text);
}

void
fetch_render_restart(struct fetch_render *render)
{
	render->entry_count = render->next = 0;
}

void
fetch_render_add(struct fetch_render *render, const struct fetch_entry *entry)
{
	if (render->entry_count == render->entry_capacity) {
		render->entry_capacity = render->entry_capacity * 2 + 8;
		render->entries = memory_resize(render->entries, render->entry_capacity,
		    sizeof *render->entries);
	}
	render->entries[render->entry_count++] = *entry;
}

bool
fetch_render_is_done(const struct fetch_render *render)
{
	return render->next == render->entry_count;
}

/* Cut what is there to what the client wants of it: RFC 9051 section 6.4.5, BODY[<section>]<<partial>>. */
static void
apply_partial(const struct imap_fetch_item *item, uint64_t *at, uint64_t *length)
{
	uint64_t skipped;

	if (!item->has_partial)
		return;
	skipped = item->partial_offset < *length ? item->partial_offset : *length;
	*at += skipped;
	*length -= skipped;
	if (*length > item->partial_length)
		*length = item->partial_length;
}

/* Write the size, and leave the octets to write_octets().  Also where there are none: clients look for a literal. */
static void
begin_literal(struct fetch_render *render, const struct fetch_octets *octets, struct buffer *out)
{
	imap_write_literal_header(out, octets->left, octets->is_literal8);
	render->octets = *octets;
}

/* Write a text that is ready, or leave it to be written in pieces. */
static void
write_text(struct fetch_render *render, const struct buffer *text, struct buffer *out)
{
	if (text->length <= TEXT_AT_ONCE) {
		buffer_add_span(out, buffer_span(text));
		return;
	}
	buffer_clear(&render->text);
	buffer_add_span(&render->text, buffer_span(text));
	render->octets = (struct fetch_octets){ .from = FETCH_TEXT, .left = text->length };
}

static void
write_structure(struct fetch_render *render, const struct buffer *structure, struct buffer *out)
{
	struct buffer rev1 = { 0 };

	if (!render->style.is_rev2)
		imap_body_write_rev1(buffer_span(structure), &rev1);
	write_text(render, render->style.is_rev2 ? structure : &rev1, out);
	buffer_free(&rev1);
}

/* Cut the fields out of a header. */
static void
write_fields(struct fetch_render *render, const struct imap_fetch_item *item, struct span header,
    struct buffer *out)
{
	struct fetch_octets octets = { .from = FETCH_TEXT };

	buffer_clear(&render->text);
	fetch_fields_cut(&render->fields[item - render->program->items], header,
	    item->section == IMAP_SECTION_HEADER_FIELDS_NOT, &render->text);
	octets.left = render->text.length;
	apply_partial(item, &octets.at, &octets.left);
	begin_literal(render, &octets, out);
}

/* The same of a message within the message. */
static enum store_status
item_part_fields(struct fetch_render *render, const struct imap_fetch_item *item, struct fetch_range header,
    struct store *store, struct buffer *out)
{
	uint64_t content_id = render->entries[render->next].message.content_id;
	struct buffer block = { 0 };
	enum store_status status;

	status = store_read_octets(store, content_id, header.at, header.length, &block);
	if (status == STORE_OK)
		write_fields(render, item, buffer_span(&block), out);
	buffer_free(&block);
	return status;
}

static enum store_status
item_section(struct fetch_render *render, const struct imap_fetch_item *item, struct store *store,
    struct buffer *out)
{
	struct fetch_octets octets = { .from = FETCH_CONTENT };
	struct fetch_range range;

	if (has_fields(item) && item->part_depth == 0) {
		write_fields(render, item, buffer_span(&render->content.header), out);
		return STORE_OK;
	}
	if (!fetch_section_find(&render->content, item, &range)) {
		buffer_add_span(out, SPAN("NIL"));
		return STORE_OK;
	}
	if (has_fields(item))
		return item_part_fields(render, item, range, store, out);
	octets.at = range.at;
	octets.left = range.length;
	apply_partial(item, &octets.at, &octets.left);
	begin_literal(render, &octets, out);
	return STORE_OK;
}

/* BINARY and BINARY.SIZE: what is there once the transfer encoding is undone. */
static void
item_binary(struct fetch_render *render, const struct imap_fetch_item *item, struct buffer *out)
{
	bool is_size = item->kind == IMAP_FETCH_BINARY_SIZE;
	struct fetch_range range = { .encoding = MIME_BINARY };

	if (!fetch_section_find(&render->content, item, &range) || range.encoding == MIME_UNKNOWN_ENCODING) {
		render->has_unknown_cte |= range.encoding == MIME_UNKNOWN_ENCODING;
		buffer_add_string(out, is_size ? "0" : "NIL");
		return;
	}
	render->is_measuring = true;
	render->has_nul = false;
	fetch_decoder_init(&render->octets.decoder, &range);
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
	apply_partial(item, &octets.at, &octets.left);
	fetch_decoder_init(&octets.decoder, &range);
	begin_literal(render, &octets, out);
}

/* Measure the next piece: its size is told before the octets, and whether they hold NUL. */
static enum store_status
measure(struct fetch_render *render, struct store *store, struct buffer *out)
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

/* RFC 8514 section 4.2; a message that has gone has none any more. */
static enum store_status
item_save_date(const struct fetch_render *render, struct store *store, struct buffer *out)
{
	int64_t save_date_s;
	enum store_status status = store_message_save_date(store, render->mailbox_id,
	    render->entries[render->next].message.uid, &save_date_s);

	buffer_add_span(out, SPAN("SAVEDATE "));
	if (status == STORE_OK)
		imap_date_time_write(out, (struct imap_date_time){ save_date_s, 0 });
	else
		buffer_add_span(out, SPAN("NIL"));
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* RFC 8970 section 3.2; only who said LAZY gets NIL, and only of messages that came before previews were kept. */
static enum store_status
item_preview(struct fetch_render *render, const struct imap_fetch_item *item, struct store *store, struct buffer *out)
{
	struct fetch_content *content = &render->content;
	enum store_status status = STORE_OK;

	buffer_add_span(out, SPAN("PREVIEW "));
	if (!content->has_preview && item->is_lazy) {
		buffer_add_span(out, SPAN("NIL"));
		return STORE_OK;
	}
	if (!content->has_preview)
		status = fetch_preview_make(store, render->entries[render->next].message.content_id,
		    &content->preview);
	imap_write_string(out, buffer_span(&content->preview), render->style.is_utf8);
	return status;
}

static enum store_status
write_item(struct fetch_render *render, const struct imap_fetch_item *item, struct store *store,
    struct buffer *out)
{
	fetch_line_space(&render->style, (size_t)(item - render->program->items), out);
	if (fetch_line_has(item->kind)) {
		fetch_line_item(&render->style, &render->entries[render->next], item->kind, out);
		return STORE_OK;
	}
	switch (item->kind) {
	case IMAP_FETCH_SAVEDATE:
		return item_save_date(render, store, out);
	case IMAP_FETCH_PREVIEW:
		return item_preview(render, item, store, out);
	case IMAP_FETCH_ENVELOPE:
		buffer_add_span(out, SPAN("ENVELOPE "));
		write_text(render, &render->content.envelope, out);
		return STORE_OK;
	case IMAP_FETCH_BODY:
		buffer_add_span(out, SPAN("BODY "));
		write_structure(render, &render->content.body, out);
		return STORE_OK;
	case IMAP_FETCH_BODYSTRUCTURE:
		buffer_add_span(out, SPAN("BODYSTRUCTURE "));
		write_structure(render, &render->content.bodystructure, out);
		return STORE_OK;
	default:
		break;
	}
	buffer_add_span(out, item->echo);
	buffer_add_octet(out, ' ');
	if (item->kind == IMAP_FETCH_BINARY || item->kind == IMAP_FETCH_BINARY_SIZE) {
		item_binary(render, item, out);
		return STORE_OK;
	}
	return item_section(render, item, store, out);
}

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

/* Go on with the octets of an item, at most length of them. */
static enum store_status
write_octets(struct fetch_render *render, struct store *store, size_t length, struct buffer *out)
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
		status = store_read_octets(store, content_id, octets->at, length, out);
	else
		status = fetch_decoder_read(&octets->decoder, store, content_id, octets->at, length, out);
	if (!octets->is_literal8)
		replace_nul(out, before);
	/* Too few octets would leave the client waiting in a literal that never ends. */
	if (status == STORE_OK && out->length - before != length)
		status = STORE_CORRUPT;
	octets->at += length;
	octets->left -= length;
	if (octets->left == 0) {
		octets->from = FETCH_NOTHING;
		fetch_decoder_fini(&octets->decoder);
	}
	return status;
}

/* Begin the line of a message; a message that is gone is left out. */
static enum store_status
begin_line(struct fetch_render *render, struct store *store, struct buffer *out)
{
	const struct fetch_entry *entry = &render->entries[render->next];
	enum store_status status;

	status = fetch_content_load(&render->content, store, entry->message.content_id,
	    render->content_fields);
	if (status == STORE_NOT_FOUND) {
		render->gone++;
		render->next++;
		return STORE_OK;
	}
	if (status != STORE_OK)
		return status;
	render->line_at = out->length;
	fetch_line_begin(&render->style, entry, out);
	render->is_begun = true;
	render->item = 0;
	return STORE_OK;
}

static void
end_line(struct fetch_render *render, struct buffer *out)
{
	fetch_line_end(&render->style, render->program, &render->entries[render->next], out);
	render->is_begun = false;
	render->next++;
}

/* A line has at least one: RFC 9051 section 9, msg-att. */
static bool
has_item(const struct fetch_render *render)
{
	return render->item < render->program->item_count && (render->item == 0 || !render->is_cutting_off);
}

bool
fetch_render_is_cut_off(const struct fetch_render *render)
{
	return render->is_cutting_off && !render->is_begun;
}

/* Whether an item that was begun is to be gone on with. */
static bool
is_within_item(const struct fetch_render *render)
{
	return render->is_measuring || render->octets.from != FETCH_NOTHING;
}

static enum store_status
write_items(struct fetch_render *render, struct store *store, size_t limit, struct buffer *out)
{
	size_t end = out->length + limit;
	enum store_status status = STORE_OK;

	while (status == STORE_OK && has_item(render) && !is_within_item(render) && out->length < end)
		status = write_item(render, &render->program->items[render->item++], store, out);
	if (status == STORE_OK && !has_item(render) && !is_within_item(render))
		end_line(render, out);
	return status;
}

/* One step: what is short of a line goes at once, for the clock that is read behind each costs as much as an item. */
static enum store_status
advance(struct fetch_render *render, struct store *store, size_t limit, struct buffer *out)
{
	enum store_status status;

	if (render->is_measuring)
		return measure(render, store, out);
	if (render->octets.from != FETCH_NOTHING)
		return write_octets(render, store, limit, out);
	if (!render->is_begun && ((status = begin_line(render, store, out)) != STORE_OK || !render->is_begun))
		return status;
	return write_items(render, store, limit, out);
}

enum store_status
fetch_render(struct fetch_render *render, struct store *store, size_t limit, uint64_t until_us, struct buffer *out)
{
	enum store_status status = STORE_OK;

	render->line_at = SIZE_MAX;
	while (status == STORE_OK && !fetch_render_is_done(render) && !fetch_render_is_cut_off(render) && out->length < limit) {
		status = advance(render, store, limit - out->length, out);
		if (clock_monotonic_us() >= until_us)
			break;
	}
	return status;
}

bool
fetch_render_take_back(struct fetch_render *render, struct buffer *out)
{
	if (render->is_begun && render->line_at == SIZE_MAX)
		return false;
	if (render->is_begun)
		out->length = render->line_at;
	render->is_begun = false;
	return true;
}
