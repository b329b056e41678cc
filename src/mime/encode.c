/*
 * Base64 for parts that hold NUL: RFC 2045 section 6.8.  Any thread; pure.
 */
#include "mime/encode.h"

#include "base/base64.h"
#include "mime/header.h"
#include "mime/part.h"

#define LINE_OCTETS 57			/* 76 characters of base64 */
#define MESSAGE_MAX (UINT32_MAX / 2)	/* what is made of it stays below 2^32 octets */

static bool
has_nul(struct span octets)
{
	return span_find(octets, 0) < octets.length;
}

static struct span
body_of(const struct mime_part *part, struct span message)
{
	return span_slice(message, part->body_offset, part->body_length);
}

/* The line end behind the body of a part belongs to the delimiter that follows; behind a message there is none. */
static void
add_base64(struct span body, bool is_message, struct buffer *out)
{
	for (size_t at = 0; at < body.length; at += LINE_OCTETS) {
		if (at > 0)
			buffer_add_span(out, SPAN("\r\n"));
		base64_encode(span_slice(body, at, LINE_OCTETS), out);
	}
	if (is_message)
		buffer_add_span(out, SPAN("\r\n"));
}

/* Append what stands before a part from *done on, and the part. */
static void
add_part(const struct mime_part *part, struct span message, const struct mime_field *encoding, size_t *done,
    struct buffer *out)
{
	size_t value = (size_t)(encoding->value.at - message.at), behind = value + encoding->value.length;

	buffer_add_span(out, span_slice(message, *done, value - *done));
	buffer_add_span(out, SPAN(" base64"));
	buffer_add_span(out, span_slice(message, behind, part->body_offset - behind));
	add_base64(body_of(part, message), part->body_offset + part->body_length == message.length, out);
	*done = part->body_offset + part->body_length;
}

bool
mime_encode_binary(struct span message, struct buffer *out)
{
	struct mime_field encoding;
	struct mime_tree tree;
	size_t done = 0;

	if (message.length > MESSAGE_MAX || !has_nul(message))
		return false;
	mime_tree_init(&tree, message);
	for (size_t i = 0; i < tree.count; i++) {
		const struct mime_part *part = &tree.parts[i];
		struct span header = span_slice(message, part->header_offset, part->header_length);

		if (part->kind == MIME_LEAF && part->encoding == MIME_BINARY && has_nul(body_of(part, message)) &&
		    mime_field_find(header, SPAN("content-transfer-encoding"), &encoding))
			add_part(part, message, &encoding, &done, out);
	}
	mime_tree_fini(&tree);
	if (done > 0)
		buffer_add_span(out, span_from(message, done));
	return done > 0;
}
