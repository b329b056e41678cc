/*
 * Any octets into the parser: whole, then one by one; both must tell the same, and memory stay within what was
 * received.  The first octet chooses the mode.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "imap/parser.h"
#include "imap/redact.h"
#include "imap/writer.h"

#define FACTOR 600	/* arena octets one octet of input may cost: a search key of one digit is the worst */

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static enum imap_truth
test_leaf(const struct imap_search_node *leaf, void *context)
{
	(void)context;
	return leaf->key % 3;
}

/* What people are shown is one short line of printable text. */
static void
show(const struct imap_command_line *line, void (*redact)(const struct imap_command_line *line, struct buffer *out))
{
	struct buffer shown = { 0 };

	redact(line, &shown);
	assert(shown.length <= 6 * IMAP_REDACT_MAX);
	for (size_t i = 0; i < shown.length; i++)
		assert(shown.at[i] >= ' ' && shown.at[i] <= '~');
	buffer_free(&shown);
}

static void
use(struct imap_command_line *line, struct buffer *story)
{
	buffer_printf(story, "command %d %d ", line->verb, line->is_uid);
	buffer_add_span(story, line->tag);
	if (imap_command_has_search(line)) {
		uint8_t *scratch = memory_new(line->search.node_count);

		buffer_printf(story, " %zu %d", line->search.node_count,
		    imap_search_evaluate(&line->search, test_leaf, NULL, scratch));
		free(scratch);
	} else if (line->verb == IMAP_FETCH) {
		imap_sequence_write(story, &line->fetch.set);
		imap_sequence_resolve(&line->fetch.set, 12);
		imap_sequence_write(story, &line->fetch.set);
		for (size_t i = 0; i < line->fetch.item_count; i++)
			buffer_add_span(story, line->fetch.items[i].echo);
	} else if (line->verb == IMAP_CREATE) {
		imap_write_mailbox(story, line->mailbox.mailbox, false);
	}
	buffer_add_octet(story, '\n');
	show(line, imap_redact_command);
	show(line, imap_redact_stranger);
}

static void
tell(struct imap_event *event, struct buffer *story)
{
	switch (event->kind) {
	case IMAP_EVENT_COMMAND:
		use(event->command, story);
		imap_command_free(&event->command);
		break;
	case IMAP_EVENT_MESSAGE_BEGINS:
		buffer_printf(story, "message %llu ", (unsigned long long)event->message.size_octets);
		buffer_add_span(story, event->message.mailbox);
		break;
	case IMAP_EVENT_MESSAGE_OCTETS:
	case IMAP_EVENT_LINE:
		buffer_add_span(story, event->octets);
		break;
	case IMAP_EVENT_ERROR:
		assert(event->error.text != NULL);
		buffer_printf(story, "error %s ", event->error.text);
		buffer_add_span(story, event->error.tag);
		break;
	default:
		buffer_printf(story, "event %d\n", event->kind);
	}
}

static void
feed(struct imap_parser *parser, struct span input, struct buffer *story, size_t fed)
{
	struct imap_event event;

	while (imap_parser_feed(parser, &input, &event) != IMAP_EVENT_NEED_MORE) {
		if (event.kind == IMAP_EVENT_COMMAND) {
			assert(arena_used(event.command->arena) <= 16384 + FACTOR * fed);
			if (event.command->verb == IMAP_IDLE) {
				tell(&event, story);
				imap_parser_expect_line(parser, 10);
				continue;
			}
		}
		tell(&event, story);
	}
	assert(input.length == 0);
	assert(imap_parser_memory(parser) <= 16384 + FACTOR * fed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
	static const struct imap_limits small = { .line_octets = 200, .literal_octets = 30, .command_octets = 300,
		.list_nodes = 20, .message_octets = 50, .discard_octets = 60 };
	struct buffer whole = { 0 }, parts = { 0 };
	struct imap_parser *parser;
	const struct imap_limits *limits;

	if (length == 0)
		return 0;
	limits = octets[0] & 1 ? &small : octets[0] & 2 ? &imap_limits_before_login : &imap_limits_after_login;
	parser = imap_parser_new(limits);
	imap_parser_set_utf8(parser, octets[0] & 4);
	feed(parser, span_of(octets + 1, length - 1), &whole, length);
	imap_parser_free(&parser);

	parser = imap_parser_new(limits);
	imap_parser_set_utf8(parser, octets[0] & 4);
	for (size_t i = 1; i < length; i++)
		feed(parser, span_of(octets + i, 1), &parts, i);
	imap_parser_free(&parser);

	assert(span_equals(buffer_span(&whole), buffer_span(&parts)));
	buffer_free(&whole);
	buffer_free(&parts);
	return 0;
}
