/*
 * The format mbx: 2048 octets with UIDVALIDITY and the names of keywords, then for each message a line of
 * date, size, keywords, flags and UID, and as many octets as it says.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "cclient.h"
#include "imap/date.h"
#include "input.h"
#include "mbox.h"

#define HEADER_OCTETS 2048
#define FLAG_BIT_EXPUNGED 0x8000

struct mbx {
	struct source source;
	struct input *input;
	struct cclient_keywords keywords;
	bool is_damaged;	/* and was told; what comes after cannot be found */
};

/* The line before a message: " 2-Jan-2024 09:02:00 +0000,273;00000003002f-00000000". */
struct head {
	struct imap_date_time date;
	uint64_t size;
	uint32_t keywords, flags;
};

static bool
read_head(struct span line, struct head *head)
{
	size_t comma, semicolon;
	struct span marks;

	line = span_without_line_end(line);
	comma = span_find(line, ',');
	semicolon = span_find(line, ';');
	marks = span_from(line, semicolon + 1);
	return semicolon > comma && imap_date_time_parse(span_slice(line, 0, comma), &head->date) &&
	    span_to_number(span_slice(line, comma + 1, semicolon - comma - 1), INT64_MAX, &head->size) &&
	    span_to_hex_number(span_slice(marks, 0, 8), 8, &head->keywords) &&
	    span_to_hex_number(span_slice(marks, 8, 4), 4, &head->flags) && span_slice(marks, 12, 1).length == 1;
}

static enum source_result
refuse_rest(struct mbx *mbx, struct message *message)
{
	mbx->is_damaged = true;
	return message_refuse(message, "the mbx file is damaged here, and what comes after cannot be found");
}

static enum source_result
read_message(struct mbx *mbx, const struct head *head, struct message *message)
{
	uint64_t rest = head->size;
	struct span piece;

	for (; rest > 0 && input_octets(mbx->input, rest, &piece); rest -= piece.length)
		message_add(message, piece);
	mbx->source.done = input_offset(mbx->input);
	if (rest > 0)
		return source_end(mbx->input, message);
	message->has_date = true;
	message->date_s = head->date.seconds;
	cclient_take(&mbx->source, message, &mbx->keywords, head->keywords, head->flags);
	return message->is_too_large ? message_refuse_size(message) : SOURCE_MESSAGE;
}

static void
leave_out(struct mbx *mbx, const struct head *head, struct message *message)
{
	source_note(&mbx->source, NOTE_LEFT_OUT, SPAN("expunged"), buffer_span(&message->origin));
	input_seek(mbx->input, input_offset(mbx->input) + head->size);
}

static enum source_result
next(struct source *source, struct message *message)
{
	struct mbx *mbx = CONTAINER_OF(source, struct mbx, source);
	struct head head;
	struct span line;

	for (;;) {
		message_clear(message);
		if (mbx->is_damaged || !input_line(mbx->input, &line))
			return source_end(mbx->input, message);
		buffer_printf(&message->origin, "%s:%llu", input_path(mbx->input),
		    (unsigned long long)(input_offset(mbx->input) - line.length));
		if (!read_head(line, &head) || head.size > input_size(mbx->input) - input_offset(mbx->input))
			return refuse_rest(mbx, message);
		if ((head.flags & FLAG_BIT_EXPUNGED) == 0)
			return read_message(mbx, &head, message);
		leave_out(mbx, &head, message);
	}
}

static void
mbx_close(struct source *source)
{
	struct mbx *mbx = CONTAINER_OF(source, struct mbx, source);

	input_close(&mbx->input);
	cclient_keywords_free(&mbx->keywords);
	free(mbx);
}

/* Two lines of numbers, then a line for each keyword. */
static void
read_keywords(struct mbx *mbx, struct span header)
{
	for (size_t number = 0; header.length > 0; number++) {
		size_t end = span_find(header, '\n');

		if (number >= 2 && end < header.length)
			cclient_keywords_add(&mbx->keywords, span_without_line_end(span_slice(header, 0, end)));
		header = span_from(header, end + 1);
	}
}

struct source *
mbx_open(const char *path)
{
	struct input *input = input_open(path, UINT64_MAX);
	uint8_t header[HEADER_OCTETS];
	struct mbx *mbx;
	size_t length;

	if (input == NULL)
		return NULL;
	length = input_look(input, 0, header, sizeof header);
	if (length < sizeof header || !span_starts_with(span_of(header, length), SPAN("*mbx*\r\n"))) {
		input_close(&input);
		errno = EBADMSG;
		return NULL;
	}
	mbx = NEW(struct mbx);
	mbx->source.next = next;
	mbx->source.close = mbx_close;
	mbx->source.total = input_size(input);
	mbx->input = input;
	input_seek(input, HEADER_OCTETS);
	read_keywords(mbx, span_of(header, length));
	return &mbx->source;
}
