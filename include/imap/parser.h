/*
 * From octets to commands, pushed in as they come: RFC 9051 section 9, RFC 7888.  Lines end in CRLF; a bare
 * LF is taken for one.  Memory follows what was received, never what was announced, and an octet costs the
 * same however the input is cut.  Pure; one thread at a time.
 *
 * Strings in quotes may hold UTF-8 in every mode (RFC 9051 section 4.3: a client of IMAP4rev2 logs in before
 * it can ENABLE anything) and no other octet above 127.  NUL is refused everywhere but in messages of APPEND,
 * where the caller refuses it unless is_literal8.
 */
#ifndef IMAP_PARSER_H
#define IMAP_PARSER_H

#include "imap/capability.h"
#include "imap/command.h"

struct imap_parser;

struct imap_limits {
	size_t line_octets;		/* between two line ends */
	size_t literal_octets;		/* one literal, messages of APPEND aside */
	size_t command_octets;		/* lines and literals of one command, messages aside */
	size_t list_nodes;		/* elements of lists, search keys, fetch items, ranges excepted */
	uint64_t message_octets;	/* one message of APPEND: NO [TOOBIG] above */
	uint64_t discard_octets;	/* a non-synchronizing literal refused up to here is skipped; above: BYE */
};

/* For strangers: 8 KiB lines, 4 KiB literals, 16 KiB in all, 100 nodes.  An ID may be longer: what does not fit is
 * read and forgotten. */
extern const struct imap_limits imap_limits_before_login;
/* 64 KiB lines, 128 KiB literals, 1 MiB in all, 10,000 nodes, messages of 64 MiB. */
extern const struct imap_limits imap_limits_after_login;

enum imap_event_kind {
	IMAP_EVENT_NEED_MORE,		/* all input is eaten */
	IMAP_EVENT_CONTINUE,		/* a synchronizing literal: send "+ OK", then go on feeding */
	IMAP_EVENT_COMMAND,		/* command is given to the caller: imap_command_free() */
	IMAP_EVENT_MESSAGE_BEGINS,	/* message is borrowed until the next feed */
	IMAP_EVENT_MESSAGE_OCTETS,	/* octets, a part of the input */
	IMAP_EVENT_MESSAGE_ENDS,
	IMAP_EVENT_LINE,		/* octets: the line asked for, without its end; borrowed until next feed */
	IMAP_EVENT_ERROR,		/* error, borrowed until the next feed; the command is over, and with
					   it the messages of an APPEND that came before the error */
};

/*
 * A message of APPEND.  When is_synchronizing the caller sends "+ OK" itself when it is ready for the
 * octets, or refuses by imap_parser_skip_command().  All it points to lives until COMMAND or ERROR.
 */
enum imap_replaces { IMAP_REPLACES_NOTHING, IMAP_REPLACES_NUMBER, IMAP_REPLACES_UID };

struct imap_append_message {
	struct span tag;
	enum imap_replaces replaces;	/* of REPLACE, RFC 8508 */
	uint64_t replaced;		/* the number or UID; 0: "*" */
	struct span mailbox;		/* canonical UTF-8 */
	struct imap_flags flags;
	bool has_date;
	struct imap_date_time date;
	uint64_t size_octets;		/* 0 gives up the whole APPEND, RFC 3502 section 6.3.11 */
	bool is_literal8;
	bool is_utf8;			/* "UTF8 (" stands before it, RFC 6855 section 4 */
	bool is_synchronizing;
	size_t index;			/* 0 for the first of MULTIAPPEND */
};

enum imap_error_status { IMAP_ERROR_BAD, IMAP_ERROR_NO };

struct imap_error {
	struct span tag;		/* "*" when there is none */
	enum imap_error_status status;
	const char *code;		/* without brackets: "TOOBIG", "BADCHARSET (US-ASCII UTF-8)"; or NULL */
	const char *text;
	bool is_fatal;			/* say BYE and close: the octets that follow cannot be understood */
	bool is_foreign;		/* HTTP, TLS or the like: close without a word */
	bool is_syntax;			/* counts towards the limit of bad commands */
};

struct imap_event {
	enum imap_event_kind kind;
	struct imap_command_line *command;
	struct imap_append_message message;
	struct span octets;
	struct imap_error error;
};

/* The limits are borrowed as long as the parser lives. */
struct imap_parser *imap_parser_new(const struct imap_limits *limits);
void imap_parser_free(struct imap_parser **parser);

/* From the next command on. */
void imap_parser_set_limits(struct imap_parser *parser, const struct imap_limits *limits);

/* The session has enabled IMAP4rev2 or UTF8=ACCEPT: mailbox names are UTF-8, no longer modified UTF-7. */
void imap_parser_set_utf8(struct imap_parser *parser, bool is_utf8);

/* The session has enabled IMAP4rev2: short non-synchronizing literals are part of it, whatever is masked. */
void imap_parser_set_rev2(struct imap_parser *parser, bool is_rev2);

/* What these capabilities bring is unknown from now on; copies. */
void imap_parser_set_masked(struct imap_parser *parser, const struct imap_capabilities *masked);

/*
 * Eat input up to the next event.  Moves *input past what was eaten: call again until NEED_MORE.  After a
 * COMMAND nothing behind it has been looked at, so the caller may stop, change modes, or free the parser.
 * After an error the parser goes on behind the command, skipping its non-synchronizing literals.
 */
enum imap_event_kind imap_parser_feed(struct imap_parser *parser, struct span *input,
    struct imap_event *event_out);

/*
 * After a COMMAND: the next line is no command but an answer (AUTHENTICATE, DONE of IDLE); it comes as
 * LINE, or as fatal ERROR when longer than max_octets.
 */
void imap_parser_expect_line(struct imap_parser *parser, size_t max_octets);

/* Go back to commands when the line asked for has not begun; false if it has. */
bool imap_parser_cancel_line(struct imap_parser *parser);

/*
 * Between MESSAGE_BEGINS and COMMAND: the caller has answered the command itself.  What the client still
 * sends of it is eaten without an event.  A synchronizing literal not yet allowed ends it at once; with
 * is_allowed (the caller has sent "+ OK") its octets are eaten, too.
 */
void imap_parser_skip_command(struct imap_parser *parser, bool is_allowed);

/* Nothing of a next command has come: the moment for STARTTLS and for an autologout. */
bool imap_parser_is_idle(const struct imap_parser *parser);

/* Octets held, for accounting and tests. */
size_t imap_parser_memory(const struct imap_parser *parser);

#endif
