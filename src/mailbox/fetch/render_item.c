/*
 * The items of FETCH that need the store, one function each.  Whatever may be long is not written here but left in octets.
 * Worker.
 */
#include "render_item.h"

#include "imap/bodystructure.h"
#include "imap/writer.h"
#include "item.h"
#include "preview.h"

#define TEXT_AT_ONCE  (16 * 1024)	/* longer ready-made texts go out in pieces */
#define READ_ON_LEAST (16 * 1024)	/* who asks for ranges of this size asks for the next one, too */

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
	fetch_item_apply_partial(item, &octets.at, &octets.left);
	if (octets.left <= TEXT_AT_ONCE)
		fetch_octets_write_short(span_slice(buffer_span(&render->text), octets.at, octets.left), out);
	else
		fetch_octets_begin(render, &octets, out);
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
	fetch_octets_begin(render, &octets, out);
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

enum store_status
fetch_render_item(struct fetch_render *render, const struct imap_fetch_item *item, struct store *store,
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
