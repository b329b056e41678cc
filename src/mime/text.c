/*
 * The text that SEARCH looks at.  Each part is decoded, converted and folded piece by piece, so that a
 * message of any size needs memory for a few pieces only.  Any thread that may take its time.
 */
#include "mime/text.h"

#include "mime/charset.h"
#include "mime/encoded_word.h"
#include "mime/fold.h"
#include "mime/header.h"
#include "mime/parts.h"

/* One walk through a message. */
struct walk {
	struct span message;
	size_t overlap;
	mime_text_visitor *visitor;
	void *context;
	struct buffer decoded, converted, folded;
};

/* Show what is folded, then keep the end of it, where a key may begin. */
static bool
visit(struct walk *walk)
{
	if (!walk->visitor(buffer_span(&walk->folded), walk->context))
		return false;
	if (walk->folded.length > walk->overlap)
		buffer_consume(&walk->folded, walk->folded.length - walk->overlap);
	return true;
}

/* The fields of a header block, one a line, as one would read them. */
static bool
visit_header(struct walk *walk, struct span block)
{
	struct mime_field field;
	size_t offset = 0;

	buffer_clear(&walk->folded);
	while (mime_field_next(block, &offset, &field)) {
		buffer_clear(&walk->converted);
		mime_header_decode(span_slice(field.value, 0, MIME_FIELD_OCTETS_MAX), &walk->converted);
		mime_fold(field.name, &walk->folded);
		buffer_add_string(&walk->folded, ": ");
		mime_fold(buffer_span(&walk->converted), &walk->folded);
		buffer_add_string(&walk->folded, "\r\n");
		if (walk->folded.length >= MIME_TEXT_PIECE_OCTETS && !visit(walk))
			return false;
	}
	return visit(walk);
}

static bool
visit_body(struct walk *walk, const struct mime_parts_entry *part)
{
	struct span rest = span_slice(walk->message, part->body_offset, part->body_length), piece;
	struct mime_converter *converter = mime_converter_new(part->charset);
	struct mime_decoder decoder;
	bool is_last, goes_on;

	mime_decoder_init(&decoder, part->encoding);
	buffer_clear(&walk->folded);
	do {
		piece = span_slice(rest, 0, MIME_TEXT_PIECE_OCTETS);
		rest = span_from(rest, piece.length);
		is_last = rest.length == 0;
		buffer_clear(&walk->decoded);
		buffer_clear(&walk->converted);
		mime_decode(&decoder, piece, is_last, &walk->decoded);
		mime_convert(converter, buffer_span(&walk->decoded), is_last, &walk->converted);
		mime_fold(buffer_span(&walk->converted), &walk->folded);
		goes_on = visit(walk);
	} while (goes_on && !is_last);
	mime_converter_free(&converter);
	return goes_on;
}

/* All but text and message may be left out: RFC 9051 section 6.4.4.  Reports of delivery are messages. */
static bool
is_text(const struct mime_parts_entry *part)
{
	return part->kind == MIME_LEAF &&
	    (span_equals_nocase(part->type, SPAN("text")) || span_equals_nocase(part->type, SPAN("message")));
}

static bool
visit_part(struct walk *walk, const struct mime_parts_entry *part, enum mime_text_scope scope)
{
	if (scope == MIME_TEXT_ALL &&
	    !visit_header(walk, span_slice(walk->message, part->header_offset, part->header_length)))
		return false;
	return is_text(part) ? visit_body(walk, part) : true;
}

bool
mime_text_each(struct span message, struct span parts, enum mime_text_scope scope, size_t overlap,
    mime_text_visitor *visitor, void *context)
{
	struct walk walk = { .message = message, .overlap = overlap, .visitor = visitor, .context = context };
	struct mime_parts_entry part;
	size_t position = 0;
	bool goes_on = true;

	while (goes_on && mime_parts_next(parts, &position, &part))
		goes_on = visit_part(&walk, &part, scope);
	buffer_free(&walk.decoded);
	buffer_free(&walk.converted);
	buffer_free(&walk.folded);
	return goes_on;
}

/* Keys that are looked for. */
struct search {
	const struct span *keys;
	size_t count, found_count;
	bool *found;
};

static bool
on_text(struct span folded, void *context)
{
	struct search *search = context;

	for (size_t i = 0; i < search->count; i++) {
		if (!search->found[i] && mime_fold_contains(folded, search->keys[i])) {
			search->found[i] = true;
			search->found_count++;
		}
	}
	return search->found_count < search->count;
}

void
mime_text_search(struct span message, struct span parts, enum mime_text_scope scope,
    const struct span *keys, size_t count, bool *found_out)
{
	struct search search = { keys, count, 0, found_out };
	size_t overlap = 0;

	for (size_t i = 0; i < count; i++) {
		found_out[i] = keys[i].length == 0;
		search.found_count += found_out[i];
		if (keys[i].length > overlap + 1)
			overlap = keys[i].length - 1;
	}
	if (search.found_count < count)
		mime_text_each(message, parts, scope, overlap, on_text, &search);
}
