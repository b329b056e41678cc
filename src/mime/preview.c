/*
 * The first words of a message.  Decoded, converted and stripped piece by piece, until there are enough.  Lines that
 * quote another message are left out of plain text.  Any thread.
 */
#include "mime/preview.h"

#include "mime/charset.h"
#include "mime/decode.h"
#include "preview_html.h"
#include "utf8.h"

#define PIECE_OCTETS 2048
#define PARTS_MAX    16			/* looked at, of those that are text */

/* The text so far, its white space made single spaces. */
struct words {
	struct buffer *out;
	size_t characters;
	bool owes_space;
	bool is_line_start, is_quoted;	/* of plain text */
};

static bool
is_space(uint32_t c)
{
	return c <= ' ' || c == 0x7f || (c >= 0x80 && c <= 0xa0) || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	    c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* What fills the hidden line that newsletters put in front, and marks of direction. */
static bool
is_invisible(uint32_t c)
{
	return c == 0xad || c == 0x34f || c == 0x61c || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

static bool
is_full(const struct words *words)
{
	return words->characters >= MIME_PREVIEW_CHARACTERS;
}

static void
add(struct words *words, uint32_t c)
{
	if (is_full(words) || is_invisible(c))
		return;
	if (is_space(c)) {
		words->owes_space = words->characters > 0;
		return;
	}
	if (words->owes_space) {
		words->owes_space = false;
		words->characters++;
		buffer_add_octet(words->out, ' ');
		if (is_full(words)) {
			words->out->length--;
			return;
		}
	}
	words->characters++;
	utf8_add(words->out, c);
}

static void
add_plain(struct words *words, uint32_t c)
{
	if (words->is_line_start)
		words->is_quoted = c == '>';
	words->is_line_start = c == '\n';
	if (!words->is_quoted || c == '\n')
		add(words, c);
}

static void
on_html(uint32_t c, void *context)
{
	add(context, c);
}

/* Whole characters of UTF-8. */
static void
add_text(struct words *words, struct preview_html *html, struct span text)
{
	uint32_t c;
	size_t length;

	for (; text.length > 0 && !is_full(words); text = span_from(text, length)) {
		utf8_read(text, &c, &length);
		if (html != NULL)
			preview_html_add(html, c);
		else
			add_plain(words, c);
	}
}

bool
mime_preview_is_text(const struct mime_parts_entry *part)
{
	return part->kind == MIME_LEAF && span_equals_nocase(part->type, SPAN("text")) &&
	    (span_equals_nocase(part->subtype, SPAN("plain")) || span_equals_nocase(part->subtype, SPAN("html")));
}

bool
mime_preview_part(const struct mime_parts_entry *part, struct span body, struct buffer *out)
{
	struct words words = { .out = out, .is_line_start = true };
	struct preview_html html = { .on_character = on_html, .context = &words };
	struct mime_converter *converter = mime_converter_new(part->charset);
	struct buffer decoded = { 0 }, converted = { 0 };
	struct mime_decoder decoder;
	bool is_html = span_equals_nocase(part->subtype, SPAN("html"));

	mime_decoder_init(&decoder, part->encoding);
	body = span_slice(body, 0, MIME_PREVIEW_READS_MAX);
	while (body.length > 0 && !is_full(&words)) {
		struct span piece = span_slice(body, 0, PIECE_OCTETS);

		body = span_from(body, piece.length);
		buffer_clear(&decoded);
		buffer_clear(&converted);
		mime_decode(&decoder, piece, body.length == 0, &decoded);
		mime_convert(converter, buffer_span(&decoded), body.length == 0, &converted);
		add_text(&words, is_html ? &html : NULL, buffer_span(&converted));
	}
	mime_converter_free(&converter);
	buffer_free(&decoded);
	buffer_free(&converted);
	return words.characters > 0;
}

void
mime_preview(struct span message, struct span parts, struct buffer *out)
{
	struct mime_parts_entry part;
	size_t position = 0, looks = 0;

	while (looks < PARTS_MAX && mime_parts_next(parts, &position, &part)) {
		if (!mime_preview_is_text(&part))
			continue;
		if (mime_preview_part(&part, span_slice(message, part.body_offset, part.body_length), out))
			return;
		looks++;
	}
}
