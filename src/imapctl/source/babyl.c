/*
 * Babyl, the format of Emacs's Rmail up to version 22 and of Python's mailbox.  A message is a line of labels,
 * the original header, a line `*** EOOH ***`, the header as it was shown, and the body.  Rmail leaves the
 * original header out while the one behind it is whole; Python leaves the shown one out.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "input.h"
#include "mbox.h"
#include "mime/header.h"
#include "separator.h"

#define END_MARK 0x1f
#define END_OF_HEADER SPAN("*** EOOH ***")

struct babyl {
	struct source source;
	struct input *input;
	struct buffer shown;	/* what stands behind the mark, up to the first empty line */
};

static struct span
next_word(struct span *rest)
{
	size_t end = span_find(*rest, ',');
	struct span word = span_trim(span_slice(*rest, 0, end));

	*rest = span_from(*rest, end + 1);
	return word;
}

static void
note_word(struct babyl *babyl, struct message *message, const char *kind, struct span word)
{
	struct buffer what = { 0 };

	buffer_printf(&what, "the %s %.*s", kind, SPAN_ARGS(word));
	source_note(&babyl->source, NOTE_NOT_TAKEN_OVER, buffer_span(&what), buffer_span(&message->origin));
	buffer_free(&what);
}

static void
take_attribute(struct babyl *babyl, struct message *message, struct span word)
{
	static const struct {
		struct span name;
		unsigned flag;
	} attributes[] = { { SPAN("answered"), FLAG_ANSWERED }, { SPAN("deleted"), FLAG_DELETED },
		{ SPAN("forwarded"), FLAG_FORWARDED }, { SPAN("unseen"), 0 }, { SPAN("recent"), 0 } };

	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		if (!span_equals(word, attributes[i].name))
			continue;
		message->flags |= attributes[i].flag;
		if (span_equals(word, SPAN("unseen")))
			message->flags &= ~(unsigned)FLAG_SEEN;
		return;
	}
	note_word(babyl, message, "attribute", word);
}

/* "1, answered, unseen,, Work,": attributes, an empty place, labels. */
static void
take_labels(struct babyl *babyl, struct message *message, struct span line)
{
	struct span rest = span_trim(span_without_line_end(line)), word;

	message->flags = FLAG_SEEN;
	next_word(&rest);	/* whether the header was reformatted; the text shows that, too */
	while ((word = next_word(&rest)).length > 0)
		take_attribute(babyl, message, word);
	while (rest.length > 0) {
		word = next_word(&rest);
		if (word.length > 0 && !message_add_keyword(message, word))
			note_word(babyl, message, "label", word);
	}
}

static bool
is_end(struct span line)
{
	return line.at[0] == END_MARK;
}

static bool
is_empty_line(struct span line)
{
	return span_without_line_end(line).length == 0;
}

/* Fields that Rmail has added; the From_ line that it kept tells when the message came. */
static bool
is_rmails(struct span line, struct message *message)
{
	struct from_line from;
	size_t colon = span_find(line, ':');
	struct span name = span_slice(line, 0, colon);

	if (span_equals_nocase(name, SPAN("Mail-from")) &&
	    from_line_read(span_trim(span_from(line, colon + 1)), &from)) {
		message->has_date = from.has_date;
		message->date_s = from.date_s;
		return true;
	}
	return span_equals_nocase(name, SPAN("Summary-line"));
}

/* Read the header that stands before the mark, without an empty line; false when the message ends there. */
static bool
read_original(struct babyl *babyl, struct message *message)
{
	bool is_line_start = true;
	struct span line;

	while (input_line(babyl->input, &line)) {
		if (is_line_start && is_end(line))
			return false;
		if (is_line_start && span_equals(span_without_line_end(line), END_OF_HEADER))
			return true;
		if (!is_line_start || (!is_empty_line(line) && !is_rmails(line, message)))
			message_add(message, line);
		is_line_start = line.at[line.length - 1] == '\n';
	}
	return false;
}

static bool
has_field(struct span header, const struct mime_field *wanted)
{
	struct mime_field field;
	size_t offset = 0;

	while (mime_field_next(header, &offset, &field)) {
		if (span_equals_nocase(field.name, wanted->name) &&
		    span_equals(span_trim(field.value), span_trim(wanted->value)))
			return true;
	}
	return false;
}

/* Whether lines are the header once more, or a part of it. */
static bool
is_shown_header(struct span lines, struct span header)
{
	struct mime_field field;
	size_t offset = 0;

	while (mime_field_next(lines, &offset, &field)) {
		if (field.name.length == 0 || !has_field(header, &field))
			return false;
	}
	return true;
}

/* Read lines up to an empty one, and that; false when the message ends before it. */
static bool
read_paragraph(struct babyl *babyl)
{
	struct span line;

	buffer_clear(&babyl->shown);
	while (babyl->shown.length < MIME_HEADER_OCTETS_MAX && input_line(babyl->input, &line)) {
		if (is_end(line))
			return false;
		add_with_crlf(&babyl->shown, line);
		if (is_empty_line(line))
			return true;
	}
	return true;
}

/* The line end before the mark is the format's, if the message has one of its own. */
static void
drop_line_end(struct message *message)
{
	struct buffer *octets = &message->octets;

	if (octets->length >= 4 && memcmp(octets->at + octets->length - 4, "\r\n\r\n", 4) == 0)
		octets->length -= 2;
}

static void
read_body(struct babyl *babyl, struct message *message)
{
	size_t header_length = message->octets.length;
	bool is_whole = read_paragraph(babyl), is_line_start = true;
	struct span line;

	if (header_length > 0)
		message_add(message, SPAN("\n"));
	if (!is_shown_header(buffer_span(&babyl->shown), span_slice(buffer_span(&message->octets), 0, header_length)))
		message_add(message, buffer_span(&babyl->shown));
	while (is_whole && input_line(babyl->input, &line) && !(is_line_start && is_end(line))) {
		message_add(message, line);
		is_line_start = line.at[line.length - 1] == '\n';
	}
	if (message->octets.length > header_length + 2)
		drop_line_end(message);
}

/* Go to the labels of the next message; false at the end. */
static bool
find_labels(struct babyl *babyl, struct span *line_out)
{
	while (input_line(babyl->input, line_out)) {
		if (!is_empty_line(*line_out) && !span_equals(span_without_line_end(*line_out), SPAN("\f")) &&
		    !is_end(*line_out))
			return true;
	}
	return false;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct babyl *babyl = CONTAINER_OF(source, struct babyl, source);
	struct span line;

	message_clear(message);
	if (!find_labels(babyl, &line))
		return source_end(babyl->input, message);
	buffer_printf(&message->origin, "%s:%llu", input_path(babyl->input),
	    (unsigned long long)(input_offset(babyl->input) - line.length));
	take_labels(babyl, message, line);
	if (read_original(babyl, message))
		read_body(babyl, message);
	source->done = input_offset(babyl->input);
	if (input_error(babyl->input) != 0)
		return source_end(babyl->input, message);
	if (!message->has_date)
		message_use_date_field(message);
	if (!message->has_date)
		message->date_s = input_time(babyl->input);
	message->has_date = true;
	return message->is_too_large ? message_refuse_size(message) : SOURCE_MESSAGE;
}

static void
babyl_close(struct source *source)
{
	struct babyl *babyl = CONTAINER_OF(source, struct babyl, source);

	input_close(&babyl->input);
	buffer_free(&babyl->shown);
	free(babyl);
}

/* Skip the options at the front of the file. */
static void
skip_options(struct input *input)
{
	struct span line;

	while (input_line(input, &line) && !is_end(line))
		;
}

struct source *
babyl_open(const char *path)
{
	struct input *input = input_open(path, UINT64_MAX);
	struct babyl *babyl;
	struct span line;

	if (input == NULL)
		return NULL;
	if (!input_line(input, &line) || !span_starts_with(line, SPAN("BABYL OPTIONS:"))) {
		input_close(&input);
		errno = EBADMSG;
		return NULL;
	}
	skip_options(input);
	babyl = NEW(struct babyl);
	babyl->source.next = next;
	babyl->source.close = babyl_close;
	babyl->source.total = input_size(input);
	babyl->input = input;
	return &babyl->source;
}
