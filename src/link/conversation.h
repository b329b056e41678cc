/*
 * The lines that open a link, as text: what the cas says, and what it makes of the answers.  Pure.
 */
#ifndef LINK_CONVERSATION_H
#define LINK_CONVERSATION_H

#include "base/buffer.h"
#include "link/link.h"

#define LINK_LINE_MAX 16384

/* Append a quoted string of RFC 3501 section 9: TEXT-CHAR only, what else there is is left out. */
void conversation_add_quoted(struct buffer *out, struct span text);

/* Append `L1 ID (...)` and `L2 AUTHENTICATE EXTERNAL ...`. */
void conversation_open(struct buffer *out, struct span user, const struct link_facts *facts);

/* The same with `L2 AUTHENTICATE X-IMAPD-CARRY ...`. */
void conversation_open_carried(struct buffer *out, struct span user, struct span state, const struct link_facts *facts);

/* The same with `L2 AUTHENTICATE PLAIN ...`; the caller wipes the buffer. */
void conversation_open_with_password(struct buffer *out, struct span user, struct span password,
    const struct link_facts *facts);

/*
 * Read one line of the mailbox role, without its end.
 *
 *	is_greeting	it is the first one
 *
 * True: the conversation is over, result_out says how; its spans point into the line.
 */
bool conversation_read(struct span line, bool is_greeting, struct link_result *result_out);

#endif
