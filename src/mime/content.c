/*
 * Reads Content-Type and its relatives as leniently as mail demands: comments anywhere, tokens that should
 * have been quoted, missing values.  The first field of a name counts.  RFC 2045 section 5.1, RFC 2183
 * section 2.  Any thread.
 */
#include "content.h"
#include "continuation.h"
#include "mime/header.h"
#include "token.h"

enum field { TYPE, ENCODING, ID, DESCRIPTION, MD5, DISPOSITION, LANGUAGE, LOCATION, FIELD_COUNT };

static const struct span names[FIELD_COUNT] = {
	[TYPE]	      = { (const uint8_t *)"type", 4 },
	[ENCODING]    = { (const uint8_t *)"transfer-encoding", 17 },
	[ID]	      = { (const uint8_t *)"id", 2 },
	[DESCRIPTION] = { (const uint8_t *)"description", 11 },
	[MD5]	      = { (const uint8_t *)"md5", 3 },
	[DISPOSITION] = { (const uint8_t *)"disposition", 11 },
	[LANGUAGE]    = { (const uint8_t *)"language", 8 },
	[LOCATION]    = { (const uint8_t *)"location", 8 },
};

static struct span
keep(struct buffer *text, struct arena *arena)
{
	return arena_copy(arena, span_trim(buffer_span(text)));
}

static bool
is_token(uint8_t octet)
{
	return !token_is_space(octet) && octet != '"' && octet != '(' && octet != ';' && octet != '=';
}

/* Up to a separator; '/' ends it only in a type. */
static void
read_token(struct cursor *cursor, bool is_type, struct buffer *out)
{
	buffer_clear(out);
	while (cursor->at < cursor->end && is_token(*cursor->at) && !(is_type && *cursor->at == '/'))
		token_add(out, *cursor->at++);
}

static void
skip_to_semicolon(struct cursor *cursor)
{
	for (;;) {
		token_skip_space(cursor, NULL);
		if (cursor->at == cursor->end || *cursor->at == ';')
			return;
		cursor->at++;
	}
}

/* A value with '=' in it, unquoted, is common; only ';' and space end it. */
static void
read_value(struct cursor *cursor, struct buffer *out)
{
	buffer_clear(out);
	if (cursor_is_at(cursor, '"')) {
		token_read_quoted(cursor, out);
		return;
	}
	while (cursor->at < cursor->end && (is_token(*cursor->at) || *cursor->at == '='))
		token_add(out, *cursor->at++);
}

static bool
read_parameter(struct cursor *cursor, struct buffer *text, struct arena *arena,
    struct mime_parameter *parameter_out)
{
	token_skip_space(cursor, NULL);
	read_token(cursor, false, text);
	parameter_out->name = keep(text, arena);
	token_skip_space(cursor, NULL);
	if (!cursor_is_at(cursor, '='))
		return false;
	cursor->at++;
	token_skip_space(cursor, NULL);
	read_value(cursor, text);
	parameter_out->value = arena_copy(arena, buffer_span(text));
	return parameter_out->name.length > 0;
}

/* From the first ';' on. */
static struct mime_parameters
read_parameters(struct cursor *cursor, struct buffer *text, struct arena *arena)
{
	struct mime_parameter found[MIME_PARAMETERS_MAX], *kept;
	size_t count = 0;

	for (;;) {
		skip_to_semicolon(cursor);
		if (cursor->at == cursor->end || count == MIME_PARAMETERS_MAX)
			break;
		cursor->at++;
		count += read_parameter(cursor, text, arena, &found[count]);
	}
	count = continuation_join(found, count, arena);
	if (count == 0)
		return (struct mime_parameters){ NULL, 0 };
	kept = arena_alloc_array(arena, count, sizeof *kept);
	memcpy(kept, found, count * sizeof *kept);
	return (struct mime_parameters){ kept, count };
}

/* A type that is none at all is that of RFC 2045 section 5.2, as if there were no field. */
static void
read_type(struct mime_part *part, struct span value, struct buffer *text, struct arena *arena)
{
	struct cursor cursor = cursor_of(value);
	struct span type, subtype = { NULL, 0 };

	token_skip_space(&cursor, NULL);
	read_token(&cursor, true, text);
	type = keep(text, arena);
	token_skip_space(&cursor, NULL);
	if (cursor_is_at(&cursor, '/')) {
		cursor.at++;
		token_skip_space(&cursor, NULL);
		read_token(&cursor, true, text);
		subtype = keep(text, arena);
	}
	if (type.length == 0 || subtype.length == 0)
		return;
	part->type = type;
	part->subtype = subtype;
	part->parameters = read_parameters(&cursor, text, arena);
}

static void
read_encoding(struct mime_part *part, struct span value, struct buffer *text, struct arena *arena)
{
	struct cursor cursor = cursor_of(value);

	token_skip_space(&cursor, NULL);
	buffer_clear(text);
	if (cursor_is_at(&cursor, '"'))
		token_read_quoted(&cursor, text);
	else
		read_token(&cursor, false, text);
	if (text->length == 0)
		return;
	part->encoding_name = keep(text, arena);
	part->encoding = mime_encoding_find(part->encoding_name);
}

static void
read_disposition(struct mime_part *part, struct span value, struct buffer *text, struct arena *arena)
{
	struct cursor cursor = cursor_of(value);

	token_skip_space(&cursor, NULL);
	read_token(&cursor, false, text);
	part->disposition = keep(text, arena);
	if (part->disposition.length > 0)
		part->disposition_parameters = read_parameters(&cursor, text, arena);
}

static struct span
read_text(struct span value, struct buffer *text, struct arena *arena)
{
	buffer_clear(text);
	mime_unfold(value, text);
	return keep(text, arena);
}

static void
read_field(struct mime_part *part, enum field field, struct span value, struct arena *arena)
{
	struct buffer text = { NULL, 0, 0 };

	value = span_slice(value, 0, MIME_FIELD_OCTETS_MAX);
	switch (field) {
	case TYPE:
		read_type(part, value, &text, arena);
		break;
	case ENCODING:
		read_encoding(part, value, &text, arena);
		break;
	case ID:
		part->id = read_text(value, &text, arena);
		break;
	case DESCRIPTION:
		part->description = read_text(value, &text, arena);
		break;
	case MD5:
		part->md5 = read_text(value, &text, arena);
		break;
	case DISPOSITION:
		read_disposition(part, value, &text, arena);
		break;
	case LANGUAGE:
		part->language = read_text(value, &text, arena);
		break;
	case LOCATION:
		part->location = read_text(value, &text, arena);
		break;
	case FIELD_COUNT:
		break;
	}
	buffer_free(&text);
}

static enum field
find_field(struct span name)
{
	unsigned field = FIELD_COUNT;

	if (!span_starts_with_nocase(name, SPAN("content-")))
		return FIELD_COUNT;
	name = span_from(name, 8);
	for (field = 0; field < FIELD_COUNT; field++) {
		if (span_equals_nocase(name, names[field]))
			break;
	}
	return field;
}

void
content_read(struct mime_part *part, struct span header, bool is_in_digest, struct arena *arena)
{
	struct mime_field field;
	size_t offset = 0;
	unsigned seen = 0;

	part->type = is_in_digest ? SPAN("message") : SPAN("text");
	part->subtype = is_in_digest ? SPAN("rfc822") : SPAN("plain");
	part->encoding_name = SPAN("7bit");
	part->encoding = MIME_7BIT;
	while (mime_field_next(header, &offset, &field)) {
		enum field which = find_field(field.name);

		if (which == FIELD_COUNT || (seen & 1u << which) != 0)
			continue;
		seen |= 1u << which;
		read_field(part, which, field.value, arena);
	}
}
