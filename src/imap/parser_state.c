/*
 * What a parser holds of the command at hand, and its end.  Pure.
 */
#include "parser_state.h"

#include "base/memory.h"

#define TEXT_KEPT_OCTETS 65536	/* memory a parser keeps between commands */

/* The text may hold a password. */
void
parser_clear_text(struct imap_parser *parser)
{
	if (parser->text.length > 0)
		memory_wipe(parser->text.at, parser->text.length);
	buffer_clear(&parser->text);
	if (parser->text.capacity > TEXT_KEPT_OCTETS)
		buffer_free(&parser->text);
	parser->is_text_lent = false;
}

void
parser_start_line(struct imap_parser *parser)
{
	parser->line_octets = 0;
	parser->saw_cr = false;
	parser->announcement = (struct announcement){ .at = NO_BRACE };
}

/* What comes next is a new command. */
void
parser_start_command(struct imap_parser *parser)
{
	parser_start_line(parser);
	parser_clear_text(parser);
	imap_command_free(&parser->append);
	parser->message = (struct imap_append_message){ .index = 0 };
	parser->command_octets = 0;
	parser->kind = NOT_ASKED;
	parser->forgotten_pairs = 0;
	parser->limits = parser->next_limits;
	parser->skipped = 0;
	parser->remaining = 0;
	parser->state = LINE;
}
