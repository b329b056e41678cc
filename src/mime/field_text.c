/*
 * A field as SEARCH looks at it.  Any thread.
 */
#include "mime/text.h"

#include "base/memory.h"
#include "content.h"
#include "mime/encoded_word.h"

/* "; name=value" for each parameter, decoded. */
static void
add_parameters(struct mime_parameters parameters, struct buffer *out)
{
	for (size_t i = 0; i < parameters.count; i++) {
		struct span name = parameters.at[i].name;
		size_t length = span_find(name, '*');

		buffer_add_string(out, "; ");
		buffer_add_span(out, span_slice(name, 0, length));
		buffer_add_octet(out, '=');
		mime_parameter_decode(parameters, span_slice(name, 0, length), out);
	}
}

/* Only where a "*" says so: else the text of the field has them all. */
static bool
has_parameters(const struct mime_field *field)
{
	return span_find(field->value, '*') < field->value.length &&
	    (span_equals_nocase(field->name, SPAN("content-type")) ||
		span_equals_nocase(field->name, SPAN("content-disposition")));
}

void
mime_field_text(const struct mime_field *field, struct buffer *out)
{
	struct mime_part part = { .kind = MIME_LEAF };
	struct arena *arena;

	mime_header_decode(field->value, out);
	if (!has_parameters(field))
		return;
	arena = arena_new();
	content_read(&part, field->whole, false, arena);
	add_parameters(part.parameters, out);
	add_parameters(part.disposition_parameters, out);
	arena_free(&arena);
}
