/*
 * Files of many messages that are told apart by lines: mbox (RFC 4155 and its relatives) and MMDF.
 *
 * In mbox a separator stands at the start of the file or behind an empty line, and is a From_ line with a
 * date or with a header behind it.  Archives that leave out the empty line are split where both are there.
 * A Content-Length that ends where a message may end is believed, and then nothing in the message is a
 * separator or quoted (mboxcl2, as Mutt and Dovecot write it); otherwise `>From `, `>>From ` lose one `>`
 * (mboxrd).  In MMDF a line of four Control-A stands before and behind each message.
 */
#include "mbox.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "input.h"
#include "marks.h"
#include "mbox_export.h"
#include "mime/header.h"
#include "msf.h"
#include "separator.h"

#define LOOK_OCTETS 4096	/* of what follows a separator */
#define MMDF_LINE SPAN("\1\1\1\1")

struct mbox {
	struct source source;
	struct input *input;
	struct msf *msf;	/* what Thunderbird keeps beside it; NULL: nothing */
	bool is_mmdf;
	bool has_message;	/* a separator was read, its message comes next */
	struct from_line from;	/* of that separator */
	uint64_t origin;	/* where that stands */
};

static bool
is_empty_line(struct span line)
{
	return line.length > 0 && line.at[line.length - 1] == '\n' && span_without_line_end(line).length == 0;
}

/* A line that may be meant as separator is not taken for one. */
static void
note_doubt(struct mbox *mbox, struct span line)
{
	struct buffer origin = { 0 };

	buffer_printf(&origin, "%s:%llu", input_path(mbox->input),
	    (unsigned long long)(input_offset(mbox->input) - line.length));
	source_note(&mbox->source, NOTE_DOUBTFUL, SPAN("a line that looks like a separator was left in a message"),
	    buffer_span(&origin));
	buffer_free(&origin);
}

/* The line that comes next, or as much of it as there is room for; empty at the end. */
static struct span
look_at_line(struct mbox *mbox, uint8_t *look, size_t size)
{
	struct span next = span_of(look, input_look(mbox->input, input_offset(mbox->input), look, size));

	return span_slice(next, 0, span_find(next, '\n') + 1);
}

/* Whether the line just read is a separator; if so, it is remembered. */
static bool
is_from_line(struct mbox *mbox, struct span line, bool is_behind_empty)
{
	uint8_t look[LOOK_OCTETS];
	struct from_line from;
	struct span next;
	bool is_followed;

	if (!from_line_read(line, &from))
		return false;
	next = span_of(look, input_look(mbox->input, input_offset(mbox->input), look, sizeof look));
	is_followed = header_follows(next);
	if (from.is_dated ? is_behind_empty || is_followed : is_behind_empty && is_followed) {
		mbox->from = from;
		return true;
	}
	if (from.is_dated || (is_behind_empty && (from.has_inner_date || field_follows(next))))
		note_doubt(mbox, line);
	return false;
}

static bool
is_mmdf_line(struct span line)
{
	return span_equals(span_without_line_end(line), MMDF_LINE);
}

/* Whether the line just read ends a message. */
static bool
is_end(struct mbox *mbox, struct span line, bool is_behind_empty)
{
	if (mbox->is_mmdf ? !is_mmdf_line(line) : !is_from_line(mbox, line, is_behind_empty))
		return false;
	mbox->origin = input_offset(mbox->input) - line.length;
	return true;
}

/* Whether an empty line, read already, ends at an offset. */
static bool
is_behind_empty_line(struct mbox *mbox, uint64_t offset)
{
	uint8_t look[3];
	struct span before;

	if (offset < sizeof look)
		return false;
	before = span_of(look, input_look(mbox->input, offset - sizeof look, look, sizeof look));
	return span_equals(before, SPAN("\n\r\n")) || span_equals(span_from(before, 1), SPAN("\n\n"));
}

/*
 * Whether a message whose body ends there ends where messages do: behind it at most one empty line, and
 * then a separator or the end of the file.
 */
static bool
is_possible_end(struct mbox *mbox, uint64_t end)
{
	uint8_t look[LOOK_OCTETS];
	struct span next;
	struct from_line from;
	size_t line_ends = is_behind_empty_line(mbox, end), line;

	if (end > input_size(mbox->input))
		return false;
	next = span_of(look, input_look(mbox->input, end, look, sizeof look));
	while (next.length > 0 && line_ends < 2 && is_empty_line(span_slice(next, 0, span_find(next, '\n') + 1))) {
		next = span_from(next, span_find(next, '\n') + 1);
		line_ends++;
	}
	if (next.length == 0)
		return true;
	line = span_find(next, '\n') + 1;
	if (mbox->is_mmdf)
		return is_mmdf_line(span_slice(next, 0, line));
	return line_ends > 0 && from_line_read(span_slice(next, 0, line), &from) &&
	    (from.is_dated || header_follows(span_from(next, line)));
}

/* Lines above the header that were separators once: ">From - Mon Jan 01 2024 10:00:00". */
static void
skip_old_separators(struct mbox *mbox)
{
	uint8_t look[SEPARATOR_OCTETS_MAX + 1];
	struct from_line from;

	for (;;) {
		struct span line = look_at_line(mbox, look, sizeof look);
		size_t quote = line.length > 0 && line.at[0] == '>';

		if (!from_line_read(span_from(line, quote), &from) || !from.is_dated)
			return;
		input_seek(mbox->input, input_offset(mbox->input) + line.length);
	}
}

/* Read the header with its empty line; false when the message ended with it. */
static bool
read_header(struct mbox *mbox, struct message *message)
{
	bool is_line_start = true;
	struct span line;

	while (input_line(mbox->input, &line)) {
		if (is_line_start && is_end(mbox, line, false)) {
			mbox->has_message = true;
			return false;
		}
		message_add(message, line);
		if (is_line_start && is_empty_line(line))
			return true;
		is_line_start = line.at[line.length - 1] == '\n';
	}
	return false;
}

/* Read the body of a length that is known, and what separates it from the next message. */
static void
read_counted(struct mbox *mbox, struct message *message, uint64_t length)
{
	struct span piece;

	for (; length > 0 && input_octets(mbox->input, length, &piece); length -= piece.length)
		message_add(message, piece);
	while (input_line(mbox->input, &piece)) {
		if (!is_empty_line(piece)) {
			mbox->has_message = is_end(mbox, piece, true);
			return;
		}
	}
}

/*
 * Read the body up to the next separator.  The empty line before that, and before the end, is the format's;
 * in MMDF, too, as Python's mailbox writes it.
 */
static void
read_body(struct mbox *mbox, struct message *message)
{
	bool is_line_start = true, is_behind_empty = true;
	size_t header_length = message->octets.length;
	struct span line;

	while (!mbox->has_message && input_line(mbox->input, &line)) {
		if (is_line_start && is_end(mbox, line, is_behind_empty)) {
			mbox->has_message = true;
			break;
		}
		message_add(message, is_line_start ? separator_unquoted(line) : line);
		is_behind_empty = is_line_start && is_empty_line(line);
		is_line_start = line.at[line.length - 1] == '\n';
	}
	if (is_behind_empty && message->octets.length >= header_length + 2)
		message->octets.length -= 2;
}

static void
read_message(struct mbox *mbox, struct message *message)
{
	uint64_t length;
	struct span line;

	mbox->has_message = false;
	if (!mbox->is_mmdf && mbox_export_read(mbox->input, &mbox->source, message)) {
		mbox->has_message = input_line(mbox->input, &line) && is_end(mbox, line, true);
		return;
	}
	skip_old_separators(mbox);
	if (!read_header(mbox, message))
		return;
	if (marks_content_length(buffer_span(&message->octets), &length) &&
	    is_possible_end(mbox, input_offset(mbox->input) + length))
		read_counted(mbox, message, length);
	else
		read_body(mbox, message);
}

/*
 * When the message came: the date of the separator, but where that tells when the file was written, or
 * nothing, the Date field; else the file's time, which is the same when it is imported again.
 */
static void
set_date(struct mbox *mbox, const struct from_line *from, struct message *message)
{
	if (message->is_exact)
		return;
	message->has_date = true;
	message->date_s = from->has_date ? from->date_s : input_time(mbox->input);
	if (!from->has_date || from->is_writers_clock)
		message_use_date_field(message);
}

/* Go to the next message in MMDF, past any number of lines of four Control-A; it may have a From_ line, too. */
static void
find_mmdf_start(struct mbox *mbox)
{
	uint8_t look[SEPARATOR_OCTETS_MAX + 1];
	struct span line;

	while ((line = look_at_line(mbox, look, sizeof look)).length > 0 && (is_mmdf_line(line) || is_empty_line(line)))
		input_seek(mbox->input, input_offset(mbox->input) + line.length);
	mbox->has_message = line.length > 0;
	mbox->origin = input_offset(mbox->input);
	if (from_line_read(line, &mbox->from))
		input_seek(mbox->input, mbox->origin + line.length);
}

/* What the fields say, and, where there is one, Thunderbird's file, which is newer. */
static enum marks_verdict
take_marks(struct mbox *mbox, struct message *message)
{
	enum marks_verdict verdict = marks_take(&mbox->source, message);

	if (verdict == MARKS_MESSAGE && mbox->msf != NULL && !msf_take(mbox->msf, &mbox->source, message))
		return MARKS_DELETED;
	return verdict;
}

/* What becomes of a message that was read; SOURCE_END: nothing, it was left out. */
static enum source_result
judge(struct mbox *mbox, struct message *message)
{
	if (message->is_too_large)
		return message_refuse_size(message);
	if (message->is_exact)
		return SOURCE_MESSAGE;
	switch (take_marks(mbox, message)) {
	case MARKS_DELETED:
		source_note(&mbox->source, NOTE_LEFT_OUT, SPAN("deleted in Thunderbird, folder not compacted"),
		    buffer_span(&message->origin));
		return SOURCE_END;
	case MARKS_INTERNAL:
		return SOURCE_END;
	default:
		return SOURCE_MESSAGE;
	}
}

/* Read the message whose separator was read, and the next separator. */
static enum source_result
take(struct mbox *mbox, struct message *message)
{
	struct from_line from = mbox->from;

	message_clear(message);
	buffer_printf(&message->origin, "%s:%llu", input_path(mbox->input), (unsigned long long)mbox->origin);
	message->offset = mbox->origin;
	read_message(mbox, message);
	mbox->source.done = input_offset(mbox->input);
	set_date(mbox, &from, message);
	return input_error(mbox->input) == 0 ? judge(mbox, message) : SOURCE_END;
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct mbox *mbox = CONTAINER_OF(source, struct mbox, source);
	enum source_result result = SOURCE_END;

	while (result == SOURCE_END && input_error(mbox->input) == 0) {
		if (mbox->is_mmdf)
			find_mmdf_start(mbox);
		if (!mbox->has_message)
			break;
		result = take(mbox, message);
	}
	return result == SOURCE_END ? source_end(mbox->input, message) : result;
}

static void
mbox_close(struct source *source)
{
	struct mbox *mbox = CONTAINER_OF(source, struct mbox, source);

	input_close(&mbox->input);
	msf_close(&mbox->msf);
	free(mbox);
}

static struct mbox *
mbox_new(const char *path)
{
	struct input *input = input_open(path, UINT64_MAX);
	struct mbox *mbox;

	if (input == NULL)
		return NULL;
	mbox = NEW(struct mbox);
	mbox->source.next = next;
	mbox->source.close = mbox_close;
	mbox->source.total = input_size(input);
	mbox->input = input;
	return mbox;
}

/* Go to the first line that is not empty, past a mark of byte order; false if there is none. */
static bool
read_first_line(struct input *input, struct span *line_out)
{
	struct span mark = SPAN("\xef\xbb\xbf");

	do {
		if (!input_line(input, line_out))
			return false;
		if (span_starts_with(*line_out, mark))
			*line_out = span_from(*line_out, mark.length);
	} while (is_empty_line(*line_out));
	return true;
}

static struct source *
no_such_file(struct mbox *mbox)
{
	struct source *source = &mbox->source;

	source_close(&source);	/* with what it has noted */
	errno = EBADMSG;
	return NULL;
}

struct source *
mbox_open(const char *path)
{
	struct mbox *mbox = mbox_new(path);
	struct span line;

	if (mbox == NULL)
		return NULL;
	if (!read_first_line(mbox->input, &line))
		return &mbox->source;
	mbox->has_message = is_end(mbox, line, true);
	if (!mbox->has_message)
		return no_such_file(mbox);
	mbox->msf = msf_open(path, mbox->input);
	for (size_t i = 0; mbox->msf != NULL && i < msf_absent(mbox->msf); i++)
		source_note(&mbox->source, NOTE_LEFT_OUT, SPAN("on its server alone, not fetched by Thunderbird"),
		    span_from_string(path));
	return &mbox->source;
}

struct source *
mmdf_open(const char *path)
{
	struct mbox *mbox = mbox_new(path);
	struct span line;

	if (mbox == NULL)
		return NULL;
	mbox->is_mmdf = true;
	if (read_first_line(mbox->input, &line) && !is_mmdf_line(line))
		return no_such_file(mbox);
	input_seek(mbox->input, 0);
	return &mbox->source;
}
