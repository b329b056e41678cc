/*
 * Lines and literals of one command are collected, within limits, and read once when the last line has ended;
 * messages of APPEND pass through.  After an early error the rest of the command is skipped, so that octets of
 * its literals are never taken for commands (RFC 7888 section 4).  RFC 9051 sections 2.2 and 4.3.  Pure.
 */
#include "imap/parser.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "foreign.h"
#include "read.h"

#define TEXT_KEPT_OCTETS 65536	/* memory a parser keeps between commands */

const struct imap_limits imap_limits_before_login = {
	.line_octets = 8 << 10,
	.literal_octets = 4 << 10,
	.command_octets = 16 << 10,
	.list_depth = 1,
	.list_nodes = 100,
	.message_octets = 0,
	.discard_octets = 64 << 10,
};

const struct imap_limits imap_limits_after_login = {
	.line_octets = 64 << 10,
	.literal_octets = 128 << 10,
	.command_octets = 1 << 20,
	.list_depth = 32,
	.list_nodes = 10000,
	.message_octets = UINT64_C(64) << 20,
	.discard_octets = UINT64_C(128) << 20,
};

enum state {
	LINE,		/* collecting text */
	LITERAL,	/* collecting the remaining octets of a literal */
	MESSAGE,	/* handing out the remaining octets of a message */
	RAW,		/* collecting a line that is no command */
	SKIP_LINE,
	SKIP_LITERAL,
	DEAD,		/* a fatal error was told; nothing makes sense any more */
};

/* Does the line, as far as it goes, end in "{12+}"?  Kept octet by octet, so that skipped lines need no memory. */
struct announcement {
	enum { NO_BRACE, IN_DIGITS, BEHIND_PLUS, CLOSED } at;
	unsigned digits;
	bool is_plus;
	bool is_literal8;
	uint8_t previous;
	uint64_t size;
};

struct imap_parser {
	const struct imap_limits *limits, *next_limits;	/* for this command, for those behind it */
	bool is_utf8;
	enum state state;
	struct buffer text;		/* of this command since its start, or since the last message */
	size_t line_octets;		/* in this line */
	size_t command_octets;		/* in this command */
	bool saw_cr;
	enum { NOT_ASKED, IS_APPEND, IS_OTHER } kind;	/* asked once, at the first literal */
	bool is_text_lent;		/* a LINE event points into text until the next feed */
	struct announcement announcement;
	uint64_t remaining;		/* of a literal, message or skipped literal */
	uint64_t skipped;
	size_t raw_max;
	struct imap_command_line *append;	/* an APPEND whose first message has begun */
	struct imap_append_message message;
	struct buffer error_tag;
};

struct imap_parser *
imap_parser_new(const struct imap_limits *limits)
{
	struct imap_parser *parser = NEW(struct imap_parser);

	parser->limits = parser->next_limits = limits;
	return parser;
}

/* The text may hold a password. */
static void
clear_text(struct imap_parser *parser)
{
	if (parser->text.length > 0)
		memory_wipe(parser->text.at, parser->text.length);
	buffer_clear(&parser->text);
	if (parser->text.capacity > TEXT_KEPT_OCTETS)
		buffer_free(&parser->text);
	parser->is_text_lent = false;
}

void
imap_parser_free(struct imap_parser **parser)
{
	if (*parser == NULL)
		return;
	clear_text(*parser);
	buffer_free(&(*parser)->text);
	buffer_free(&(*parser)->error_tag);
	imap_command_free(&(*parser)->append);
	memory_wipe(*parser, sizeof **parser);
	free(*parser);
	*parser = NULL;
}

void
imap_parser_set_limits(struct imap_parser *parser, const struct imap_limits *limits)
{
	parser->next_limits = limits;
	if (imap_parser_is_idle(parser))
		parser->limits = limits;
}

void
imap_parser_set_utf8(struct imap_parser *parser, bool is_utf8)
{
	parser->is_utf8 = is_utf8;
}

static void
start_line(struct imap_parser *parser)
{
	parser->line_octets = 0;
	parser->saw_cr = false;
	parser->announcement = (struct announcement){ .at = NO_BRACE };
}

/* What comes next is a new command. */
static void
start_command(struct imap_parser *parser)
{
	start_line(parser);
	clear_text(parser);
	imap_command_free(&parser->append);
	parser->message = (struct imap_append_message){ .index = 0 };
	parser->command_octets = 0;
	parser->kind = NOT_ASKED;
	parser->limits = parser->next_limits;
	parser->skipped = 0;
	parser->remaining = 0;
	parser->state = LINE;
}

static void
watch(struct announcement *announcement, uint8_t octet)
{
	bool is_digit = ascii_is_digit(octet);

	if (octet == '{') {
		*announcement = (struct announcement){ .at = IN_DIGITS,
			.is_literal8 = announcement->previous == '~' };
	} else if (announcement->at == IN_DIGITS && is_digit) {
		bool is_absurd = announcement->size > (UINT64_MAX - 9) / 10;

		announcement->digits++;
		announcement->size = is_absurd ? UINT64_MAX : announcement->size * 10 + (uint64_t)(octet - '0');
	} else if (announcement->at == IN_DIGITS && octet == '+' && announcement->digits > 0) {
		announcement->at = BEHIND_PLUS;
		announcement->is_plus = true;
	} else if (octet == '}' && announcement->digits > 0 &&
	    (announcement->at == IN_DIGITS || announcement->at == BEHIND_PLUS)) {
		announcement->at = CLOSED;
	} else {
		announcement->at = NO_BRACE;
	}
	announcement->previous = octet;
}

/* ---- errors ------------------------------------------------------------------------------------------- */

static struct cursor
cursor_over(struct imap_parser *parser, struct arena *arena, struct span text)
{
	return (struct cursor){ .text = text, .arena = arena, .limits = parser->limits,
		.is_utf8 = parser->is_utf8 };
}

/* The tag of the command at hand, or "*"; good until the next error. */
static struct span
find_tag(struct imap_parser *parser)
{
	struct imap_command_line line = { .tag = SPAN("*") };
	struct cursor cursor = cursor_over(parser, NULL, buffer_span(&parser->text));

	if (parser->append != NULL)
		line.tag = parser->append->tag;
	else if (parser->state != RAW)
		imap_read_start(&cursor, &line);
	buffer_clear(&parser->error_tag);
	buffer_add_span(&parser->error_tag, line.tag);
	return buffer_span(&parser->error_tag);
}

static bool
tell_error(struct imap_parser *parser, struct imap_event *event, const char *text)
{
	event->kind = IMAP_EVENT_ERROR;
	event->error = (struct imap_error){ .tag = find_tag(parser), .status = IMAP_ERROR_BAD, .text = text,
		.is_syntax = true };
	return true;
}

static bool
tell_fatal(struct imap_parser *parser, struct imap_event *event, const char *text)
{
	tell_error(parser, event, text);
	event->error.is_fatal = true;
	start_command(parser);
	parser->state = DEAD;
	return true;
}

/* The line at hand goes on, but nobody wants it. */
static void
skip_line(struct imap_parser *parser)
{
	struct announcement announcement = parser->announcement;
	bool saw_cr = parser->saw_cr;

	start_command(parser);
	parser->announcement = announcement;
	parser->saw_cr = saw_cr;
	parser->state = SKIP_LINE;
}

/* The error is told; a literal was announced that the client may be sending already. */
static bool
skip_announced(struct imap_parser *parser, struct imap_event *event)
{
	struct announcement announcement = parser->announcement;

	if (announcement.is_plus && announcement.size > parser->limits->discard_octets) {
		event->error.is_fatal = true;
		start_command(parser);
		parser->state = DEAD;
		return true;
	}
	start_command(parser);
	if (announcement.is_plus) {
		parser->state = SKIP_LITERAL;
		parser->remaining = announcement.size;
	}
	return true;
}

static void
take_reason(struct imap_error *error, const struct cursor *cursor)
{
	error->text = cursor->error;
	error->code = cursor->code;
	error->status = cursor->status;
	error->is_syntax = cursor->status == IMAP_ERROR_BAD;
}

/* ---- the end of a line -------------------------------------------------------------------------------- */

static struct imap_command_line *
new_command_line(struct span text)
{
	struct arena *arena = arena_new();
	struct imap_command_line *line = ARENA_NEW(arena, struct imap_command_line);

	line->arena = arena;
	line->raw = arena_copy(arena, text);
	line->tag = SPAN("*");
	return line;
}

static bool
give(struct imap_event *event, struct imap_command_line *line)
{
	event->kind = IMAP_EVENT_COMMAND;
	event->command = line;
	return true;
}

/* All messages of an APPEND have come. */
static bool
end_append(struct imap_parser *parser, struct imap_event *event)
{
	struct imap_command_line *line = parser->append;

	if (parser->text.length > 0) {
		tell_error(parser, event, "Unexpected text behind the message");
		start_command(parser);
		return true;
	}
	parser->append = NULL;
	line->append.message_count = parser->message.index + 1;
	start_command(parser);
	return give(event, line);
}

static bool
end_command(struct imap_parser *parser, struct imap_event *event)
{
	struct imap_command_line *line;
	struct cursor cursor;

	if (parser->append != NULL)
		return end_append(parser, event);
	line = new_command_line(buffer_span(&parser->text));
	cursor = cursor_over(parser, line->arena, line->raw);
	if (imap_read_command(&cursor, line)) {
		start_command(parser);
		return give(event, line);
	}
	tell_error(parser, event, NULL);
	take_reason(&event->error, &cursor);
	event->error.is_foreign = imap_is_foreign_line(line->raw);
	imap_command_free(&line);
	start_command(parser);
	return true;
}

/* A message of APPEND is announced: what stands before it was read into the parser's message. */
static bool
begin_message(struct imap_parser *parser, struct imap_event *event)
{
	struct announcement *announcement = &parser->announcement;

	if (announcement->size > parser->limits->message_octets) {
		tell_error(parser, event, "Message is too large");
		event->error.status = IMAP_ERROR_NO;
		event->error.code = "TOOBIG";
		event->error.is_syntax = false;
		return skip_announced(parser, event);
	}
	parser->message.size_octets = announcement->size;
	parser->message.is_literal8 = announcement->is_literal8;
	parser->message.is_synchronizing = !announcement->is_plus;
	parser->remaining = announcement->size;
	parser->state = MESSAGE;
	clear_text(parser);
	start_line(parser);
	event->kind = IMAP_EVENT_MESSAGE_BEGINS;
	event->message = parser->message;
	return true;
}

/* The text without "~{12+}" at its end. */
static struct span
text_before_announcement(const struct imap_parser *parser)
{
	const struct announcement *announcement = &parser->announcement;

	return span_slice(buffer_span(&parser->text), 0, parser->text.length - announcement->digits - 2 -
	    announcement->is_plus - announcement->is_literal8);
}

/* The first message of an APPEND, or its mailbox: *is_message_out. */
static bool
read_append(struct imap_parser *parser, struct imap_event *event, bool *is_message_out)
{
	struct imap_command_line *line = new_command_line(text_before_announcement(parser));
	struct cursor cursor = cursor_over(parser, line->arena, line->raw);

	if (imap_read_append(&cursor, line, &parser->message, is_message_out)) {
		if (*is_message_out)
			parser->append = line;
		else
			imap_command_free(&line);
		return true;
	}
	tell_error(parser, event, NULL);
	take_reason(&event->error, &cursor);
	imap_command_free(&line);
	skip_announced(parser, event);
	return false;
}

static bool
read_next_append(struct imap_parser *parser, struct imap_event *event)
{
	struct span text = arena_copy(parser->append->arena, text_before_announcement(parser));
	struct cursor cursor = cursor_over(parser, parser->append->arena, text);

	parser->message.index++;
	if (imap_read_append_next(&cursor, &parser->message))
		return true;
	tell_error(parser, event, NULL);
	take_reason(&event->error, &cursor);
	skip_announced(parser, event);
	return false;
}

static bool
is_append(struct imap_parser *parser)
{
	struct imap_command_line line = { .tag = { NULL, 0 } };
	struct cursor cursor = cursor_over(parser, NULL, buffer_span(&parser->text));

	if (parser->kind == NOT_ASKED)
		parser->kind = imap_read_start(&cursor, &line) && line.verb == IMAP_APPEND ? IS_APPEND : IS_OTHER;
	return parser->kind == IS_APPEND;
}

/* A literal that belongs to the text of the command. */
static bool
begin_literal(struct imap_parser *parser, struct imap_event *event)
{
	uint64_t size = parser->announcement.size;
	bool is_synchronizing = !parser->announcement.is_plus;

	if (size > parser->limits->literal_octets ||
	    size > parser->limits->command_octets - parser->command_octets) {
		tell_error(parser, event, "Literal is too large");
		return skip_announced(parser, event);
	}
	buffer_add_octet(&parser->text, '\n');
	parser->command_octets += size;
	parser->remaining = size;
	parser->state = size > 0 ? LITERAL : LINE;
	start_line(parser);
	if (is_synchronizing)
		event->kind = IMAP_EVENT_CONTINUE;
	return is_synchronizing;
}

/* True when there is an event. */
static bool
on_line_end(struct imap_parser *parser, struct imap_event *event)
{
	bool is_message = parser->append != NULL;

	if (parser->announcement.at != CLOSED)
		return end_command(parser, event);
	if (is_message) {
		if (!read_next_append(parser, event))
			return true;
	} else if (is_append(parser) && !read_append(parser, event, &is_message)) {
		return true;
	}
	return is_message ? begin_message(parser, event) : begin_literal(parser, event);
}

/* ---- octets ------------------------------------------------------------------------------------------- */

static struct span
take(struct span *input, uint64_t limit)
{
	struct span taken = span_slice(*input, 0, limit < input->length ? (size_t)limit : input->length);

	*input = span_from(*input, taken.length);
	return taken;
}

/* Octets up to one that a line may not hold or that ends it, at most limit. */
static struct span
take_plain(struct imap_parser *parser, struct span *input, size_t limit)
{
	size_t length = 0;

	while (length < input->length && length < limit && input->at[length] != '\n' &&
	    input->at[length] != '\r' && input->at[length] != 0)
		watch(&parser->announcement, input->at[length++]);
	return take(input, length);
}

static size_t
room_in_line(const struct imap_parser *parser)
{
	size_t line = parser->limits->line_octets - parser->line_octets;
	size_t command = parser->limits->command_octets - parser->command_octets;

	return line < command ? line : command;
}

static bool
refuse_line(struct imap_parser *parser, struct imap_event *event, const char *text)
{
	tell_error(parser, event, text);
	event->error.is_foreign = imap_is_foreign_line(buffer_span(&parser->text));
	skip_line(parser);
	return true;
}

/* One octet that is not plain; true when there is an event. */
static bool
take_special(struct imap_parser *parser, struct span *input, struct imap_event *event)
{
	uint8_t octet = input->at[0];

	if (parser->saw_cr && octet != '\n') {
		parser->saw_cr = false;
		parser->announcement.at = NO_BRACE;
		return refuse_line(parser, event, "CR without LF");
	}
	if (octet != 0 && octet != '\r' && octet != '\n')
		return refuse_line(parser, event, "Command is too long");
	take(input, 1);
	if (octet == '\n')
		return on_line_end(parser, event);
	parser->saw_cr = octet == '\r';
	if (octet == '\r')
		return false;
	parser->announcement.at = NO_BRACE;
	return refuse_line(parser, event, "NUL in a command");
}

static bool
feed_line(struct imap_parser *parser, struct span *input, struct imap_event *event)
{
	struct span plain = { NULL, 0 };

	if (parser->command_octets == 0 && parser->append == NULL && imap_is_foreign_octet(input->at[0])) {
		tell_fatal(parser, event, "This is no IMAP");
		event->error.is_foreign = true;
		return true;
	}
	if (!parser->saw_cr)
		plain = take_plain(parser, input, room_in_line(parser));
	buffer_add_span(&parser->text, plain);
	parser->line_octets += plain.length;
	parser->command_octets += plain.length;
	return input->length > 0 && take_special(parser, input, event);
}

static bool
feed_literal(struct imap_parser *parser, struct span *input, struct imap_event *event)
{
	struct span taken = take(input, parser->remaining);

	(void)event;
	buffer_add_span(&parser->text, taken);
	parser->remaining -= taken.length;
	if (parser->remaining == 0)
		parser->state = LINE;
	return false;
}

static bool
feed_message(struct imap_parser *parser, struct span *input, struct imap_event *event)
{
	struct span taken = take(input, parser->remaining);

	parser->remaining -= taken.length;
	event->kind = IMAP_EVENT_MESSAGE_OCTETS;
	event->octets = taken;
	return true;
}

static bool
feed_raw(struct imap_parser *parser, struct span *input, struct imap_event *event)
{
	size_t length = span_find(*input, '\n');
	bool is_whole = length < input->length;

	/* One more for the CR. */
	if (length > parser->raw_max + 1 - parser->text.length)
		return tell_fatal(parser, event, "Line is too long");
	buffer_add_span(&parser->text, take(input, length));
	if (!is_whole)
		return false;
	take(input, 1);
	if (parser->text.length > 0 && parser->text.at[parser->text.length - 1] == '\r')
		parser->text.length--;
	event->kind = IMAP_EVENT_LINE;
	event->octets = buffer_span(&parser->text);
	parser->is_text_lent = true;
	parser->state = LINE;
	return true;
}

/* The line that is skipped has ended: so has the command, unless the client sends a literal unasked. */
static void
end_skipped_line(struct imap_parser *parser)
{
	struct announcement announcement = parser->announcement;
	uint64_t skipped = parser->skipped;

	start_command(parser);
	if (announcement.at != CLOSED || !announcement.is_plus)
		return;
	parser->skipped = skipped;
	parser->remaining = announcement.size;
	parser->state = SKIP_LITERAL;
}

static bool
feed_skipped_line(struct imap_parser *parser, struct span *input, struct imap_event *event)
{
	struct span plain = take_plain(parser, input, SIZE_MAX);
	uint8_t octet;

	parser->skipped += plain.length;
	if (plain.length > 0)
		parser->saw_cr = false;
	if (parser->skipped > parser->limits->discard_octets)
		return tell_fatal(parser, event, "Too much to skip");
	if (input->length == 0)
		return false;
	octet = *take(input, 1).at;
	if (octet == '\n') {
		end_skipped_line(parser);
		return false;
	}
	/* A CR may come before the LF; a second one, or NUL, is no part of an announcement. */
	if (octet == 0 || parser->saw_cr)
		parser->announcement.at = NO_BRACE;
	parser->saw_cr = octet == '\r';
	parser->skipped++;
	return false;
}

static bool
feed_skipped_literal(struct imap_parser *parser, struct span *input, struct imap_event *event)
{
	if (parser->remaining > parser->limits->discard_octets &&
	    parser->remaining > parser->limits->message_octets)
		return tell_fatal(parser, event, "Too much to skip");
	parser->remaining -= take(input, parser->remaining).length;
	if (parser->remaining == 0)
		parser->state = SKIP_LINE;
	return false;
}

static bool
feed_dead(struct imap_parser *parser, struct span *input, struct imap_event *event)
{
	(void)parser;
	(void)event;
	take(input, SIZE_MAX);
	return false;
}

/* Eats something of a non-empty input; true when there is an event. */
typedef bool feeder(struct imap_parser *parser, struct span *input, struct imap_event *event);

static feeder *const feeders[] = {
	[LINE] = feed_line,
	[LITERAL] = feed_literal,
	[MESSAGE] = feed_message,
	[RAW] = feed_raw,
	[SKIP_LINE] = feed_skipped_line,
	[SKIP_LITERAL] = feed_skipped_literal,
	[DEAD] = feed_dead,
};

enum imap_event_kind
imap_parser_feed(struct imap_parser *parser, struct span *input, struct imap_event *event_out)
{
	*event_out = (struct imap_event){ .kind = IMAP_EVENT_NEED_MORE };
	if (parser->is_text_lent)
		clear_text(parser);
	if (parser->state == MESSAGE && parser->remaining == 0) {
		parser->state = LINE;
		return event_out->kind = IMAP_EVENT_MESSAGE_ENDS;
	}
	while (input->length > 0)
		if (feeders[parser->state](parser, input, event_out))
			break;
	return event_out->kind;
}

/* ---- what the caller decides -------------------------------------------------------------------------- */

void
imap_parser_expect_line(struct imap_parser *parser, size_t max_octets)
{
	assert(imap_parser_is_idle(parser));
	parser->raw_max = max_octets;
	parser->state = RAW;
}

bool
imap_parser_cancel_line(struct imap_parser *parser)
{
	if (parser->state != RAW || (parser->text.length > 0 && !parser->is_text_lent))
		return false;
	parser->state = LINE;
	return true;
}

void
imap_parser_skip_command(struct imap_parser *parser, bool is_allowed)
{
	uint64_t remaining = parser->remaining;
	bool is_begun = remaining < parser->message.size_octets;

	assert(parser->append != NULL);
	if (parser->state == LINE) {
		skip_line(parser);
	} else if (parser->message.is_synchronizing && !is_allowed && !is_begun) {
		start_command(parser);
	} else {
		start_command(parser);
		parser->remaining = remaining;
		parser->state = remaining > 0 ? SKIP_LITERAL : SKIP_LINE;
	}
}

bool
imap_parser_is_idle(const struct imap_parser *parser)
{
	return parser->state == LINE && parser->command_octets == 0 && !parser->saw_cr && parser->append == NULL;
}

size_t
imap_parser_memory(const struct imap_parser *parser)
{
	return sizeof *parser + parser->text.capacity + parser->error_tag.capacity +
	    (parser->append == NULL ? 0 : arena_used(parser->append->arena));
}
