/*
 * The text that SEARCH looks at.  Each part is decoded, converted and folded piece by piece, so that a
 * message of any size needs memory for a few pieces only.  Any thread that may take its time.
 */
#include "mime/text.h"

#include <stdlib.h>

#include "base/memory.h"
#include "mime/charset.h"
#include "mime/fold.h"
#include "mime/header.h"
#include "mime/keys.h"
#include "mime/parts.h"

enum phase { BETWEEN_PARTS, IN_HEADER, AFTER_HEADER, IN_BODY };

struct mime_text {
	struct span parts;
	enum mime_text_scope scope;
	size_t overlap;
	mime_text_reader *reader;
	void *context;
	enum phase phase;
	size_t position;		/* in the part table */
	struct mime_parts_entry part;
	struct span block;		/* its header, borrowed from the reader */
	size_t offset;			/* how much of the block, or of the body, was read */
	bool is_begun;			/* a piece of it was given */
	struct mime_converter *converter;
	struct mime_decoder decoder;
	struct buffer decoded, converted, folded;
};

struct mime_text *
mime_text_new(struct span parts, enum mime_text_scope scope, size_t overlap, mime_text_reader *reader,
    void *context)
{
	struct mime_text *text = NEW(struct mime_text);

	text->parts = parts;
	text->scope = scope;
	text->overlap = overlap;
	text->reader = reader;
	text->context = context;
	return text;
}

void
mime_text_free(struct mime_text **text)
{
	if (*text == NULL)
		return;
	mime_converter_free(&(*text)->converter);
	buffer_free(&(*text)->decoded);
	buffer_free(&(*text)->converted);
	buffer_free(&(*text)->folded);
	free(*text);
	*text = NULL;
}

static bool
begin_header(struct mime_text *text)
{
	size_t length = text->part.header_length;

	text->block = length == 0 ? SPAN("") : text->reader(text->part.header_offset, length, text->context);
	text->offset = 0;
	text->is_begun = false;
	text->phase = IN_HEADER;
	return text->block.length == length;
}

static void
begin_body(struct mime_text *text)
{
	text->converter = mime_converter_new(text->part.charset);
	mime_decoder_init(&text->decoder, text->part.encoding);
	text->offset = 0;
	text->is_begun = false;
	text->phase = IN_BODY;
}

/* All but text and message may be left out: RFC 9051 section 6.4.4.  Reports of delivery are messages. */
static bool
is_text(const struct mime_parts_entry *part)
{
	return part->kind == MIME_LEAF &&
	    (span_equals_nocase(part->type, SPAN("text")) || span_equals_nocase(part->type, SPAN("message")));
}

/* Go to the next header or body, unless one is being read.  False: there is none. */
static bool
find_next(struct mime_text *text)
{
	while (text->phase == BETWEEN_PARTS || text->phase == AFTER_HEADER) {
		buffer_clear(&text->folded);
		if (text->phase == AFTER_HEADER) {
			text->phase = BETWEEN_PARTS;
			if (is_text(&text->part))
				begin_body(text);
		} else if (!mime_parts_next(text->parts, &text->position, &text->part)) {
			return false;
		} else if (text->scope == MIME_TEXT_BODY) {
			text->phase = AFTER_HEADER;
		} else if (!begin_header(text)) {
			return false;
		}
	}
	return true;
}

/* The fields of a header block, one a line, as one would read them. */
static void
read_header(struct mime_text *text)
{
	size_t until = text->folded.length + MIME_TEXT_PIECE_OCTETS;
	struct mime_field field;

	while (text->folded.length < until) {
		if (!mime_field_next(text->block, &text->offset, &field)) {
			text->phase = AFTER_HEADER;
			return;
		}
		buffer_clear(&text->converted);
		mime_field_text(&field, &text->converted);
		mime_fold(field.name, &text->folded);
		if (field.name.length > 0)	/* a line that is no field has none */
			buffer_add_string(&text->folded, ": ");
		mime_fold(buffer_span(&text->converted), &text->folded);
		buffer_add_string(&text->folded, "\r\n");
	}
}

static bool
read_body(struct mime_text *text)
{
	size_t rest = text->part.body_length - text->offset;
	size_t length = rest < MIME_TEXT_PIECE_OCTETS ? rest : MIME_TEXT_PIECE_OCTETS;
	struct span octets = length == 0 ? SPAN("") :
	    text->reader(text->part.body_offset + text->offset, length, text->context);
	bool is_last = length == rest;

	if (octets.length != length)
		return false;
	text->offset += length;
	buffer_clear(&text->decoded);
	buffer_clear(&text->converted);
	mime_decode(&text->decoder, octets, is_last, &text->decoded);
	mime_convert(text->converter, buffer_span(&text->decoded), is_last, &text->converted);
	mime_fold(buffer_span(&text->converted), &text->folded);
	if (is_last) {
		mime_converter_free(&text->converter);
		text->phase = BETWEEN_PARTS;
	}
	return true;
}

/* What was given before goes, but for the end of it, where a key may begin. */
bool
mime_text_next(struct mime_text *text, struct mime_text_piece *piece_out)
{
	if (text->folded.length > text->overlap)
		buffer_consume(&text->folded, text->folded.length - text->overlap);
	if (!find_next(text))
		return false;
	piece_out->is_header = text->phase == IN_HEADER;
	piece_out->is_first = !text->is_begun;
	text->is_begun = true;
	if (piece_out->is_header)
		read_header(text);
	else if (!read_body(text))
		return false;
	piece_out->folded = buffer_span(&text->folded);
	return true;
}

/* What a part table names beyond the message's end is not there. */
static struct span
read_message(size_t offset, size_t length, void *context)
{
	return span_slice(*(const struct span *)context, offset, length);
}

bool
mime_text_each(struct span message, struct span parts, enum mime_text_scope scope, size_t overlap,
    mime_text_visitor *visitor, void *context)
{
	struct mime_text *text = mime_text_new(parts, scope, overlap, read_message, &message);
	struct mime_text_piece piece;
	bool goes_on = true;

	while (goes_on && mime_text_next(text, &piece))
		goes_on = visitor(piece.folded, context);
	mime_text_free(&text);
	return goes_on;
}

void
mime_text_search(struct span message, struct span parts, enum mime_text_scope scope,
    const struct span *list, size_t count, bool *found_out)
{
	struct mime_keys *keys = mime_keys_new(list, count);
	struct mime_text *text = mime_text_new(parts, scope, mime_keys_overlap(keys), read_message, &message);
	struct mime_text_piece piece;
	bool is_done = mime_keys_feed(keys, SPAN(""), true);	/* the empty text is in every text */

	while (!is_done && mime_text_next(text, &piece))
		is_done = mime_keys_feed(keys, piece.folded, piece.is_first);
	for (size_t i = 0; i < count; i++)
		found_out[i] = mime_keys_found(keys, i);
	mime_text_free(&text);
	mime_keys_free(&keys);
}
