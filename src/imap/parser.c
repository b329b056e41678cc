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
#include "parser_state.h"

const struct imap_limits imap_limits_before_login = {
	.line_octets = 8 << 10,
	.literal_octets = 4 << 10,
	.command_octets = 16 << 10,
	.list_nodes = 100,
	.message_octets = 0,
	.discard_octets = 64 << 10,
};

const struct imap_limits imap_limits_after_login = {
	.line_octets = 64 << 10,
	.literal_octets = 128 << 10,
	.command_octets = 1 << 20,
	.list_nodes = 10000,
	.message_octets = UINT64_C(64) << 20,
	.discard_octets = UINT64_C(128) << 20,
};

struct imap_parser *
imap_parser_new(const struct imap_limits *limits)
{
	struct imap_parser *parser = NEW(struct imap_parser);

	parser->limits = parser->next_limits = limits;
	return parser;
}

void
imap_parser_free(struct imap_parser **parser)
{
	if (*parser == NULL)
		return;
	parser_clear_text(*parser);
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

void
imap_parser_set_rev2(struct imap_parser *parser, bool is_rev2)
{
	parser->is_rev2 = is_rev2;
}

void
imap_parser_set_masked(struct imap_parser *parser, const struct imap_capabilities *masked)
{
	parser->masked = *masked;
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
	parser_tell_error(parser, event, text);
	event->error.is_foreign = imap_is_foreign_line(buffer_span(&parser->text));
	parser_skip_line(parser);
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
		return !parser_forget_pairs(parser) && refuse_line(parser, event, "Command is too long");
	take(input, 1);
	if (octet == '\n')
		return parser_end_line(parser, event);
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
		parser_tell_fatal(parser, event, "This is no IMAP");
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
		return parser_tell_fatal(parser, event, "Line is too long");
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

	parser_start_command(parser);
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
		return parser_tell_fatal(parser, event, "Too much to skip");
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
		return parser_tell_fatal(parser, event, "Too much to skip");
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
		parser_clear_text(parser);
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
		parser_skip_line(parser);
	} else if (parser->message.is_synchronizing && !is_allowed && !is_begun) {
		parser_start_command(parser);
	} else {
		parser_start_command(parser);
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
