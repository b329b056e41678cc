/*
 * What a line that has ended means: a whole command, a literal of one, a message of APPEND, or an error, behind
 * which the octets of announced literals are skipped.  RFC 9051 section 2.2.1, RFC 7888.  Pure.
 */
#include "foreign.h"
#include "parser_state.h"
#include "read.h"

#define UNASKED_MAX 4096	/* octets of a literal, by LITERAL- */

static struct cursor
cursor_over(struct imap_parser *parser, struct arena *arena, struct span text)
{
	return (struct cursor){ .text = text, .arena = arena, .limits = parser->limits,
		.is_utf8 = parser->is_utf8, .masked = &parser->masked, .forgotten = parser->forgotten_pairs };
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

bool
parser_tell_error(struct imap_parser *parser, struct imap_event *event, const char *text)
{
	event->kind = IMAP_EVENT_ERROR;
	event->error = (struct imap_error){ .tag = find_tag(parser), .status = IMAP_ERROR_BAD, .text = text,
		.is_syntax = true };
	return true;
}

bool
parser_tell_fatal(struct imap_parser *parser, struct imap_event *event, const char *text)
{
	parser_tell_error(parser, event, text);
	event->error.is_fatal = true;
	parser_start_command(parser);
	parser->state = DEAD;
	return true;
}

/* The line at hand goes on, but nobody wants it. */
void
parser_skip_line(struct imap_parser *parser)
{
	struct announcement announcement = parser->announcement;
	bool saw_cr = parser->saw_cr;

	parser_start_command(parser);
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
		parser_start_command(parser);
		parser->state = DEAD;
		return true;
	}
	parser_start_command(parser);
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

	if (!span_equals(buffer_span(&parser->text), parser->message.is_utf8 ? SPAN(")") : SPAN(""))) {
		parser_tell_error(parser, event, "Unexpected text behind the message");
		parser_start_command(parser);
		return true;
	}
	parser->append = NULL;
	parser_start_command(parser);
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
		parser_start_command(parser);
		return give(event, line);
	}
	parser_tell_error(parser, event, NULL);
	take_reason(&event->error, &cursor);
	event->error.is_foreign = imap_is_foreign_line(line->raw);
	imap_command_free(&line);
	parser_start_command(parser);
	return true;
}

/* A message of APPEND is announced: what stands before it was read into the parser's message. */
static bool
begin_message(struct imap_parser *parser, struct imap_event *event)
{
	struct announcement *announcement = &parser->announcement;

	if (announcement->size > parser->limits->message_octets) {
		parser_tell_error(parser, event, "Message is too large");
		event->error.status = IMAP_ERROR_NO;
		event->error.code = "TOOBIG";
		event->error.is_syntax = false;
		return skip_announced(parser, event);
	}
	if (parser->message.is_utf8 && !announcement->is_literal8) {
		parser_tell_error(parser, event, "UTF8 takes a literal8");
		return skip_announced(parser, event);
	}
	parser->append->append.has_utf8 |= parser->message.is_utf8;
	parser->append->append.message_count = parser->message.index + 1;
	if (!imap_capabilities_permit(&parser->masked, parser->append)) {
		parser_tell_error(parser, event, "Unknown command or argument");
		return skip_announced(parser, event);
	}
	parser->message.size_octets = announcement->size;
	parser->message.is_literal8 = announcement->is_literal8;
	parser->message.is_synchronizing = !announcement->is_plus;
	parser->remaining = announcement->size;
	parser->state = MESSAGE;
	parser_clear_text(parser);
	parser_start_line(parser);
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
	parser_tell_error(parser, event, NULL);
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
	parser_tell_error(parser, event, NULL);
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
		parser->kind = imap_read_start(&cursor, &line) &&
		    (line.verb == IMAP_APPEND || line.verb == IMAP_REPLACE) ? IS_APPEND : IS_OTHER;
	return parser->kind == IS_APPEND;
}

/*
 * An ID within its bounds, 30 pairs with values of 1,024 octets (RFC 2971 section 3.3), is more than we hold for a
 * stranger.
 */
bool
parser_forget_pairs(struct imap_parser *parser)
{
	struct buffer *text = &parser->text;
	struct arena *arena = arena_new();
	struct imap_command_line line = { .tag = { NULL, 0 } };
	struct cursor cursor = cursor_over(parser, arena, buffer_span(text));
	size_t begin, length;
	bool is_id = imap_skip_id_pairs(&cursor, &line, &begin, &length);

	arena_free(&arena);
	if (!is_id)
		return false;
	parser->forgotten_pairs = cursor.forgotten;
	text->length -= length;
	memmove(text->at + begin, text->at + begin + length, text->length - begin);
	if (parser->command_octets > text->length)
		parser->command_octets = text->length;
	if (parser->line_octets > text->length)
		parser->line_octets = text->length;
	return true;
}

static bool
has_room(const struct imap_parser *parser, uint64_t size)
{
	return size <= parser->limits->command_octets - parser->command_octets;
}

/* A literal that belongs to the text of the command. */
static bool
begin_literal(struct imap_parser *parser, struct imap_event *event)
{
	uint64_t size = parser->announcement.size;
	bool is_synchronizing = !parser->announcement.is_plus;

	if (size > parser->limits->literal_octets ||
	    (!has_room(parser, size) && !(parser_forget_pairs(parser) && has_room(parser, size)))) {
		parser_tell_error(parser, event, "Literal is too large");
		return skip_announced(parser, event);
	}
	buffer_add_octet(&parser->text, '\n');
	parser->command_octets += size;
	parser->remaining = size;
	parser->state = size > 0 ? LITERAL : LINE;
	parser_start_line(parser);
	if (is_synchronizing)
		event->kind = IMAP_EVENT_CONTINUE;
	return is_synchronizing;
}

static bool
is_masked(const struct imap_parser *parser, enum imap_capability capability)
{
	return imap_capabilities_have(&parser->masked, capability);
}

/* Of a kind that is masked; IMAP4rev2 has LITERAL- built in (RFC 9051 section 4.3). */
static bool
is_masked_literal(const struct imap_parser *parser)
{
	const struct announcement *announcement = &parser->announcement;
	bool is_plus_masked = is_masked(parser, IMAP_CAN_LITERAL_PLUS) && is_masked(parser, IMAP_CAN_LITERAL_MINUS) &&
	    !parser->is_rev2;

	return (announcement->is_plus && is_plus_masked) ||
	    (announcement->is_literal8 && is_masked(parser, IMAP_CAN_BINARY));
}

/* LITERAL-, RFC 7888 section 5: what is larger must wait to be asked for.  Sent all the same, it is skipped. */
static bool
refuse_long_literal(struct imap_parser *parser, struct imap_event *event)
{
	const struct announcement *announcement = &parser->announcement;

	if (!announcement->is_plus || announcement->size <= UNASKED_MAX || !is_masked(parser, IMAP_CAN_LITERAL_PLUS))
		return false;
	parser_tell_error(parser, event, "A literal of this size must be synchronizing");
	event->error.code = "TOOBIG";
	return skip_announced(parser, event);
}

/* True when there is an event. */
bool
parser_end_line(struct imap_parser *parser, struct imap_event *event)
{
	bool is_message = parser->append != NULL;

	if (parser->announcement.at != CLOSED)
		return end_command(parser, event);
	if (is_masked_literal(parser)) {
		parser_tell_error(parser, event, "Unknown kind of literal");
		return skip_announced(parser, event);
	}
	if (refuse_long_literal(parser, event))
		return true;
	if (is_message) {
		if (!read_next_append(parser, event))
			return true;
	} else if (is_append(parser) && !read_append(parser, event, &is_message)) {
		return true;
	}
	return is_message ? begin_message(parser, event) : begin_literal(parser, event);
}
