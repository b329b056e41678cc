/*
 * The rendering of FETCH lines on a worker, item by item.  Whatever may be long is not written by its item
 * but left in octets, from where it goes out in pieces: so a reply of any size is made of small ones.
 * Worker.
 */
#include "metrics/metrics.h"
#include "render.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "imap/bodystructure.h"
#include "imap/writer.h"
#include "item.h"
#include "preview.h"

#define TEXT_AT_ONCE  (16 * 1024)	/* longer ready-made texts go out in pieces */
#define READ_ON_LEAST (16 * 1024)	/* who asks for ranges of this size asks for the next one, too */

static unsigned
fields_of(const struct imap_fetch *program)
{
	unsigned fields = 0;

	for (size_t i = 0; i < program->item_count; i++)
		fields |= fetch_item_needs(&program->items[i]);
	return fields;
}

/* For each call anew: the caller may have another memory, or none. */
static void
find_kept_items(struct fetch_render *render)
{
	for (size_t i = 0; i < render->program->item_count; i++) {
		struct span name = fetch_item_kept_name(&render->program->items[i], render->style.is_rev2);

		render->kept_of[i] = render->kept != NULL && name.length > 0 ? fetch_kept_item(render->kept, name) : NULL;
	}
}

void
fetch_render_init(struct fetch_render *render, const struct imap_fetch *program, uint64_t mailbox_id)
{
	*render = (struct fetch_render){ .program = program, .mailbox_id = mailbox_id, .content_fields = fields_of(program) };
	render->fields = memory_new_array(program->item_count, sizeof *render->fields);
	render->kept_of = memory_new_array(program->item_count, sizeof *render->kept_of);
	render->ready = memory_new_array(program->item_count, sizeof *render->ready);
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
	free(render->kept_of);
	free(render->ready);
	free(render->entries);
	fetch_notes_fini(&render->notes);
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

/* What is short goes at once, as a whole. */
static void
write_short(struct span text, struct buffer *out)
{
	size_t before;

	imap_write_literal_header(out, text.length, false);
	before = out->length;
	buffer_add_span(out, text);
	replace_nul(out, before);
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
	fetch_item_apply_partial(item, &octets.at, &octets.left);
	if (octets.left <= TEXT_AT_ONCE)
		write_short(span_slice(buffer_span(&render->text), octets.at, octets.left), out);
	else
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

	if (fetch_item_has_fields(item) && item->part_depth == 0) {
		write_fields(render, item, buffer_span(&render->content.header), out);
		return STORE_OK;
	}
	if (!fetch_section_find(&render->content, item, &range)) {
		buffer_add_span(out, SPAN("NIL"));
		return STORE_OK;
	}
	if (fetch_item_has_fields(item))
		return item_part_fields(render, item, range, store, out);
	octets.at = range.at;
	octets.left = range.length;
	fetch_item_apply_partial(item, &octets.at, &octets.left);
	octets.behind = range.at + range.length - octets.at - octets.left;
	octets.reads_on = item->has_partial && item->partial_offset > 0 && octets.left >= READ_ON_LEAST;
	octets.is_noted = fetch_item_is_plain(item);
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
	fetch_item_apply_partial(item, &octets.at, &octets.left);
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
render_item(struct fetch_render *render, const struct imap_fetch_item *item, struct store *store,
    struct buffer *out)
{
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

/* Whether an item that was begun is to be gone on with. */
static bool
is_within_item(const struct fetch_render *render)
{
	return render->is_measuring || render->octets.from != FETCH_NOTHING;
}

/* Write an item, from what is kept if that is there. */
static enum store_status
write_item(struct fetch_render *render, size_t index, struct store *store, struct buffer *out)
{
	struct fetch_kept_item *kept = render->kept_of[index];
	enum store_status status;
	size_t before;

	fetch_line_space(&render->style, index, out);
	if (render->ready[index].at != NULL) {
		buffer_add_span(out, render->ready[index]);
		return STORE_OK;
	}
	before = out->length;
	status = render_item(render, &render->program->items[index], store, out);
	if (kept != NULL && status == STORE_OK && !is_within_item(render))
		render->kept_added += fetch_kept_note(kept, render->entries[render->next].message.content_id,
		    span_from(buffer_span(out), before));
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

/* Go on with the octets of an item: length of them, and what is at hand with these. */
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

/* What is to be loaded of the message that comes next, beside what is kept of it. */
static unsigned
look_for_kept(struct fetch_render *render)
{
	uint64_t content_id = render->entries[render->next].message.content_id;
	bool has_any = false, is_kept = false;
	unsigned fields = 0;

	for (size_t i = 0; i < render->program->item_count; i++) {
		struct fetch_kept_item *kept = render->kept_of[i];

		is_kept = is_kept || kept != NULL;
		render->ready[i] = (struct span){ NULL, 0 };
		if (kept != NULL && fetch_kept_find(kept, content_id, &render->ready[i]))
			has_any = true;
		else
			fields |= fetch_item_needs(&render->program->items[i]);
	}
	if (is_kept)
		metric_count(METRIC_CACHE, METRIC_CACHE_RENDERED, has_any ? METRIC_HIT : METRIC_MISS);
	return has_any ? fields : render->content_fields;
}

/* Begin the line of a message; a message that is gone is left out. */
static enum store_status
begin_line(struct fetch_render *render, struct store *store, struct buffer *out)
{
	const struct fetch_entry *entry = &render->entries[render->next];
	unsigned fields = look_for_kept(render);
	enum store_status status = STORE_OK;

	if (fields != 0 || render->content_fields == 0)
		status = fetch_content_load(&render->content, store, entry->message.content_id, fields);
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

static enum store_status
write_items(struct fetch_render *render, struct store *store, size_t limit, struct buffer *out)
{
	size_t end = out->length + limit;
	enum store_status status = STORE_OK;

	while (status == STORE_OK && has_item(render) && !is_within_item(render) && out->length < end)
		status = write_item(render, render->item++, store, out);
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

void
fetch_render_begin_piece(struct fetch_render *render)
{
	render->line_at = SIZE_MAX;
}

enum store_status
fetch_render(struct fetch_render *render, struct store *store, size_t limit, uint64_t until_us, struct buffer *out)
{
	enum store_status status = STORE_OK;

	find_kept_items(render);
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
