/*
 * BODY and BODYSTRUCTURE from the tree of parts: RFC 9051 section 7.5.2 and the rule "body" of section 9.
 * Walks the tree by its links: down to the first child, on to the next, up to the parent.  Any thread.
 */
#include "imap/bodystructure.h"

#include "imap/envelope.h"
#include "imap/writer.h"

/* Beyond this, envelopes are written without what they hold, so that many of them stay one reply. */
#define ENVELOPES_OCTETS_MAX (8 * 1024 * 1024)

/* What is being written. */
struct body_writer {
	const struct mime_tree *tree;
	struct span message;
	enum imap_body_form form;
	struct buffer *out;
	size_t begin;			/* length of out before it */
};

static void
write_string(struct buffer *out, struct span text)
{
	buffer_add_octet(out, ' ');
	imap_write_string(out, text, false);
}

static void
write_nstring(struct buffer *out, struct span text)
{
	buffer_add_octet(out, ' ');
	imap_write_nstring(out, text.length == 0 ? (struct span){ NULL, 0 } : text, false);
}

/* Be it without a value, or in the form of RFC 2231. */
static bool
says_charset(struct mime_parameters parameters)
{
	for (size_t i = 0; i < parameters.count; i++) {
		struct span name = parameters.at[i].name;

		if (span_equals_nocase(name, SPAN("charset")) || span_equals_nocase(name, SPAN("charset*")))
			return true;
	}
	return false;
}

/* Text without a charset is US-ASCII: RFC 2046 section 4.1.2; clients expect it to be said. */
static void
write_parameters(struct buffer *out, struct mime_parameters parameters, bool is_text)
{
	bool is_charset_missing = is_text && !says_charset(parameters);

	if (parameters.count == 0 && !is_charset_missing) {
		buffer_add_string(out, " NIL");
		return;
	}
	buffer_add_string(out, " (");
	for (size_t i = 0; i < parameters.count; i++) {
		if (i > 0)
			buffer_add_octet(out, ' ');
		imap_write_string(out, parameters.at[i].name, false);
		write_string(out, parameters.at[i].value);
	}
	if (is_charset_missing) {
		if (parameters.count > 0)
			buffer_add_octet(out, ' ');
		buffer_add_string(out, "\"charset\" \"us-ascii\"");
	}
	buffer_add_octet(out, ')');
}

static void
write_disposition(struct buffer *out, const struct mime_part *part)
{
	if (part->disposition.length == 0) {
		buffer_add_string(out, " NIL");
		return;
	}
	buffer_add_string(out, " (");
	imap_write_string(out, part->disposition, false);
	write_parameters(out, part->disposition_parameters, false);
	buffer_add_octet(out, ')');
}

/* Content-Language holds tags with commas between: RFC 3282 section 2. */
static void
write_language(struct buffer *out, struct span language)
{
	size_t count = 0;

	while (language.length > 0) {
		size_t comma = span_find(language, ',');
		struct span tag = span_trim(span_slice(language, 0, comma));

		language = span_from(language, comma + 1);
		if (tag.length == 0)
			continue;
		buffer_add_string(out, count++ == 0 ? " (" : " ");
		imap_write_string(out, tag, false);
	}
	buffer_add_string(out, count == 0 ? " NIL" : ")");
}

static void
write_extension(const struct body_writer *writer, const struct mime_part *part)
{
	if (writer->form == IMAP_BODY)
		return;
	if (part->kind == MIME_MULTIPART)
		write_parameters(writer->out, part->parameters, false);
	else
		write_nstring(writer->out, part->md5);
	write_disposition(writer->out, part);
	write_language(writer->out, part->language);
	write_nstring(writer->out, part->location);
}

/* From the type through the size. */
static void
write_fields(struct buffer *out, const struct mime_part *part, bool is_text)
{
	imap_write_string(out, part->type, false);
	write_string(out, part->subtype);
	write_parameters(out, part->parameters, is_text);
	write_nstring(out, part->id);
	write_nstring(out, part->description);
	write_string(out, part->encoding_name);
	buffer_add_octet(out, ' ');
	buffer_add_number(out, part->body_length);
}

static void
write_envelope(const struct body_writer *writer, const struct mime_part *part)
{
	struct span header = span_slice(writer->message, part->header_offset, part->header_length);

	if (writer->out->length - writer->begin > ENVELOPES_OCTETS_MAX)
		header.length = 0;
	buffer_add_octet(writer->out, ' ');
	imap_envelope_write(header, writer->out);
	buffer_add_octet(writer->out, ' ');
}

/* What stands before the children. */
static void
open_body(const struct body_writer *writer, const struct mime_part *part)
{
	bool is_text = span_equals_nocase(part->type, SPAN("text"));

	buffer_add_octet(writer->out, '(');
	if (part->kind == MIME_MULTIPART)
		return;
	write_fields(writer->out, part, is_text);
	if (part->kind == MIME_MESSAGE) {
		write_envelope(writer, &writer->tree->parts[part->first_child]);
	} else if (is_text) {
		buffer_add_octet(writer->out, ' ');
		buffer_add_number(writer->out, part->body_lines);
	}
}

static void
close_body(const struct body_writer *writer, const struct mime_part *part)
{
	if (part->kind == MIME_MULTIPART) {
		write_string(writer->out, part->subtype);
	} else if (part->kind == MIME_MESSAGE) {
		buffer_add_octet(writer->out, ' ');
		buffer_add_number(writer->out, part->body_lines);
	}
	write_extension(writer, part);
	buffer_add_octet(writer->out, ')');
}

void
imap_body_write(const struct mime_tree *tree, struct span message, enum imap_body_form form,
    struct buffer *out)
{
	struct body_writer writer = { tree, message, form, out, out->length };
	uint32_t index = 0;

	for (;;) {
		const struct mime_part *part = &tree->parts[index];

		open_body(&writer, part);
		if (part->first_child != MIME_NO_PART) {
			index = part->first_child;
			continue;
		}
		close_body(&writer, part);
		while (tree->parts[index].next == MIME_NO_PART) {
			index = tree->parts[index].parent;
			if (index == MIME_NO_PART)
				return;
			close_body(&writer, &tree->parts[index]);
		}
		index = tree->parts[index].next;
	}
}
