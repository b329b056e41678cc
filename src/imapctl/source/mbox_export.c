#include "mbox_export.h"

#include <stdlib.h>

#include "base/memory.h"
#include "export_field.h"
#include "marks.h"
#include "separator.h"

#define FIELDS_OCTETS_MAX 65536	/* the export's own fields: X-Keywords is the long one */

/* The fields that may stand before ours. */
static bool
is_own(struct span line)
{
	static const struct span names[] = { SPAN("X-IMAPbase:"), SPAN("X-UID:"), SPAN("Status:"), SPAN("X-Status:"),
		SPAN("X-Keywords:") };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (span_starts_with(line, names[i]))
			return true;
	}
	return false;
}

/* The length of the export's own fields with the one that ends them, or 0: there is none. */
static size_t
find_fields(struct span text, struct export_field *field)
{
	struct span name = SPAN(EXPORT_FIELD_NAME ":");
	size_t at = 0;

	while (at < text.length) {
		size_t end = at + span_find(span_from(text, at), '\n') + 1;
		struct span line = span_slice(text, at, end - at);

		if (span_starts_with(line, name))
			return end <= text.length && export_field_read(span_from(line, name.length), field) ? end : 0;
		if (!is_own(line))
			return 0;
		at = end;
	}
	return 0;
}

static void
take_marks(struct source *source, struct message *message, struct span fields)
{
	struct message header = { .octets_max = SIZE_MAX };

	message_add(&header, fields);
	buffer_add_span(&header.origin, buffer_span(&message->origin));
	marks_take(source, &header);
	message->flags = header.flags;
	buffer_add_span(&message->keywords, buffer_span(&header.keywords));
	message_free(&header);
}

static void
read_lines(struct input *input, struct message *message, bool is_kept)
{
	bool is_line_start = true;
	struct span line;

	while (input_line(input, &line)) {
		if (is_line_start && span_starts_with(line, SPAN("From "))) {
			input_seek(input, input_offset(input) - line.length);
			return;
		}
		if (is_line_start)
			line = separator_unquoted(line);
		if (is_kept)
			message_add_octets(message, line);
		else
			message_add(message, line);
		is_line_start = line.length > 0 && line.at[line.length - 1] == '\n';
	}
}

/* Behind the message stand a line end that it lacked, and the empty line of the format. */
static bool
cut_end(struct buffer *octets, uint64_t length)
{
	if (octets->length < length || octets->length - length > 4)
		return false;
	for (size_t i = (size_t)length; i < octets->length; i++) {
		if (octets->at[i] != '\r' && octets->at[i] != '\n')
			return false;
	}
	octets->length = (size_t)length;
	return true;
}

bool
mbox_export_read(struct input *input, struct source *source, struct message *message)
{
	uint64_t start = input_offset(input);
	uint8_t *look = memory_new(FIELDS_OCTETS_MAX);
	struct span text = span_of(look, input_look(input, start, look, FIELDS_OCTETS_MAX));
	struct export_field field;
	size_t length = find_fields(text, &field);
	bool is_whole = false;

	if (length > 0) {
		input_seek(input, start + length);
		read_lines(input, message, field.is_kept);
		is_whole = message->is_too_large || cut_end(&message->octets, field.octets);
	}
	if (is_whole) {
		take_marks(source, message, span_slice(text, 0, length));
		message->uid = field.uid;
		message->uidvalidity = field.uidvalidity;
		message->date_s = field.date_s;
		message->is_exact = message->has_date = true;
	} else if (length > 0) {
		buffer_clear(&message->octets);
		input_seek(input, start);
	}
	free(look);
	return is_whole;
}
