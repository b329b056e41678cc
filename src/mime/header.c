/*
 * Header blocks cut into fields: RFC 5322 sections 2.2 and 3.6.8.  A line that is no field is walked over
 * as one without a name, so that the fields' octets always add up to the block.  Any thread.
 */
#include "mime/header.h"

/* Offset behind the line that begins at offset. */
static size_t
line_end(struct span text, size_t offset)
{
	const uint8_t *lf = memchr(text.at + offset, '\n', text.length - offset);

	return lf == NULL ? text.length : (size_t)(lf - text.at) + 1;
}

static bool
is_empty_line(struct span text, size_t offset)
{
	if (offset < text.length && text.at[offset] == '\r')
		offset++;
	return offset < text.length && text.at[offset] == '\n';
}

size_t
mime_header_length(struct span message)
{
	size_t offset = 0;

	while (offset < message.length) {
		bool is_end = is_empty_line(message, offset);

		offset = line_end(message, offset);
		if (is_end)
			break;
	}
	return offset;
}

/* Obsolete syntax allows space between the name and its colon: RFC 5322 section 4.5. */
static void
split_field(struct span whole, struct mime_field *field_out)
{
	size_t colon = 0, end;

	while (colon < whole.length && whole.at[colon] > ' ' && whole.at[colon] < 127 &&
	    whole.at[colon] != ':')
		colon++;
	end = colon;
	while (colon < whole.length && (whole.at[colon] == ' ' || whole.at[colon] == '\t'))
		colon++;
	if (end == 0 || colon == whole.length || whole.at[colon] != ':') {
		*field_out = (struct mime_field){ { whole.at, 0 }, span_without_line_end(whole), whole };
		return;
	}
	*field_out = (struct mime_field){ span_slice(whole, 0, end),
		span_without_line_end(span_from(whole, colon + 1)), whole };
}

bool
mime_field_next(struct span block, size_t *offset, struct mime_field *field_out)
{
	size_t begin = *offset, end;

	if (begin >= block.length || is_empty_line(block, begin))
		return false;
	end = line_end(block, begin);
	while (end < block.length && (block.at[end] == ' ' || block.at[end] == '\t'))
		end = line_end(block, end);
	*offset = end;
	split_field(span_slice(block, begin, end - begin), field_out);
	return true;
}

bool
mime_field_find(struct span block, struct span name, struct mime_field *field_out)
{
	struct mime_field field;
	size_t offset = 0;

	while (mime_field_next(block, &offset, &field)) {
		if (span_equals_nocase(field.name, name)) {
			*field_out = field;
			return true;
		}
	}
	return false;
}

static bool
is_space(uint8_t octet)
{
	return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n';
}

/* The line end that folds is dropped, the space after it stays. */
void
mime_unfold(struct span value, struct buffer *out)
{
	uint8_t *to;
	size_t length = 0;

	value = span_slice(value, 0, MIME_FIELD_OCTETS_MAX);
	while (value.length > 0 && is_space(value.at[0]))
		value = span_from(value, 1);
	while (value.length > 0 && is_space(value.at[value.length - 1]))
		value.length--;
	to = buffer_reserve(out, value.length);
	for (size_t i = 0; i < value.length; i++) {
		uint8_t octet = value.at[i], next = i + 1 < value.length ? value.at[i + 1] : 0;

		if ((octet == '\r' && next == '\n') || (octet == '\n' && (next == ' ' || next == '\t')))
			continue;
		to[length++] = octet == 0 || octet == '\r' || octet == '\n' ? ' ' : octet;
	}
	out->length += length;
}
