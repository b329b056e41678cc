/*
 * What the two halves of the parser share: parser.c takes octets, parser_line.c knows what a line that has ended
 * means.  Private to this room.
 */
#ifndef PARSER_STATE_H
#define PARSER_STATE_H

#include "imap/parser.h"

enum parser_state {
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
	bool is_utf8, is_rev2;
	struct imap_capabilities masked;
	enum parser_state state;
	struct buffer text;		/* of this command since its start, or since the last message */
	size_t line_octets;		/* in this line */
	size_t command_octets;		/* in this command */
	bool saw_cr;
	enum { NOT_ASKED, IS_APPEND, IS_OTHER } kind;	/* asked once, at the first literal */
	size_t forgotten_pairs;		/* of an ID */
	bool is_text_lent;		/* a LINE event points into text until the next feed */
	struct announcement announcement;
	uint64_t remaining;		/* of a literal, message or skipped literal */
	uint64_t skipped;
	size_t raw_max;
	struct imap_command_line *append;	/* an APPEND whose first message has begun */
	struct imap_append_message message;
	struct buffer error_tag;
};

/* Forget the line, keep the text. */
void parser_start_line(struct imap_parser *parser);
/* What comes next is a new command. */
void parser_start_command(struct imap_parser *parser);
void parser_clear_text(struct imap_parser *parser);

/* Fill in an error about the command at hand, with its tag; returns true, as what ends in an event does. */
bool parser_tell_error(struct imap_parser *parser, struct imap_event *event, const char *text);
/* The same, and take nothing any more. */
bool parser_tell_fatal(struct imap_parser *parser, struct imap_event *event, const char *text);
/* The line at hand goes on, but nobody wants it. */
void parser_skip_line(struct imap_parser *parser);

/* The command is full: make room, if it is an ID, by forgetting what is read.  False: there is no room. */
bool parser_forget_pairs(struct imap_parser *parser);

/* A line has ended: of a command, or before a literal or message.  True when there is an event. */
bool parser_end_line(struct imap_parser *parser, struct imap_event *event);

#endif
