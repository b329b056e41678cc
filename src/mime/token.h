/*
 * The lexical parts of structured fields: RFC 5322 section 3.2, RFC 2045 section 5.1.  A cursor with an
 * end, never read behind.  Any thread.
 */
#ifndef MIME_TOKEN_H
#define MIME_TOKEN_H

#include "base/buffer.h"

struct cursor {
	const uint8_t *at, *end;
};

static inline struct cursor
cursor_of(struct span span)
{
	return (struct cursor){ span.at, span.length == 0 ? span.at : span.at + span.length };
}

static inline bool
cursor_is_at(const struct cursor *cursor, uint8_t octet)
{
	return cursor->at < cursor->end && *cursor->at == octet;
}

static inline bool
token_is_space(uint8_t octet)
{
	return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n' || octet == 0;
}

/*
 * Skip white space and comments.  With comment not NULL, the text of the last comment replaces what it
 * holds.  A comment that is not closed ends with the text.
 */
void token_skip_space(struct cursor *cursor, struct buffer *comment);

/* At a quote: append what is in the quoted string, unescaped and on one line, and go behind it. */
void token_read_quoted(struct cursor *cursor, struct buffer *out);

/* Append one octet of a header value; what may not stand in a reply's line becomes a space. */
static inline void
token_add(struct buffer *out, uint8_t octet)
{
	buffer_add_octet(out, octet == 0 || octet == '\r' || octet == '\n' ? ' ' : octet);
}

#endif
