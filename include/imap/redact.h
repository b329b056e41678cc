/*
 * What is said in a session, for people who look on: without passwords, tokens, SASL's answers, literals and what
 * messages hold.  What is taken out is counted: `{312 octets}`.  Text is printable ASCII; an octet that is not stands there
 * as `\x1b`.  Pure; one thread at a time.
 */
#ifndef IMAP_REDACT_H
#define IMAP_REDACT_H

#include "base/buffer.h"
#include "imap/parser.h"

#define IMAP_REDACT_MAX 1000	/* octets of a line; how many more there are is said behind them */

/* Append a command as its client has sent it.  Of LOGIN nothing but its name is left, of AUTHENTICATE the mechanism. */
void imap_redact_command(const struct imap_command_line *line, struct buffer *out);

/* The same of somebody who has not logged in: but for ID, what stands behind the name may be a password as well. */
void imap_redact_stranger(const struct imap_command_line *line, struct buffer *out);

/* Append the beginning of an APPEND or REPLACE, whose messages do not come here. */
void imap_redact_message(const struct imap_append_message *message, struct buffer *out);

/* Append text that holds no secret. */
void imap_redact_text(struct span text, struct buffer *out);

/* Append what stands in place of so many octets. */
void imap_redact_octets(uint64_t count, struct buffer *out);

/*
 * Replies, fed as they are written, cut anywhere.  Strings of a FETCH are what messages hold, the others are the
 * protocol's.  Begins between two lines.
 */
struct imap_redactor {
	struct buffer line;		/* redacted, so far */
	uint64_t left_out;		/* octets behind IMAP_REDACT_MAX */
	uint64_t literal;		/* octets of it that are still to come */
	uint64_t announced;		/* the number of "{12}" at the end, so far */
	uint64_t quoted;		/* octets of the string at hand */
	enum { REDACT_TEXT, REDACT_QUOTED, REDACT_ESCAPED } state;
	enum { NO_LITERAL, LITERAL_OPEN, LITERAL_CLOSED } announcement;
	bool has_list, is_fetch;
};

/* Call back with each line that has ended, borrowed, without its end. */
typedef void imap_redacted(struct span line, void *context);
void imap_redactor_feed(struct imap_redactor *redactor, struct span octets, imap_redacted *each, void *context);

/* Its memory; it may then begin anew. */
void imap_redactor_fini(struct imap_redactor *redactor);

#endif
