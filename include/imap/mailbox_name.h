/*
 * Mailbox names: canonical UTF-8 inside, modified UTF-7 (RFC 3501 section 5.1.3) for clients of IMAP4rev1,
 * UTF-8 (RFC 9051 section 5.1) for others.  Separator "/".  Pure.
 */
#ifndef IMAP_MAILBOX_NAME_H
#define IMAP_MAILBOX_NAME_H

#include "base/buffer.h"

#define IMAP_SEPARATOR '/'
#define IMAP_NAME_OCTETS_MAX 1000
#define IMAP_NAME_LEVELS_MAX 100

/* Append the modified UTF-7 of valid UTF-8; it always exists, and is the only one. */
void imap_utf7_encode(struct span utf8, struct buffer *out);

/*
 * Append the UTF-8.  False, with nothing appended, on whatever imap_utf7_encode() would not write: printable
 * ASCII, NUL or controls in base64, stray bits, adjacent shifts, unpaired surrogates, octets above 126.
 */
bool imap_utf7_decode(struct span utf7, struct buffer *out);

/*
 * Append the UTF-8 of a name as some server wrote it: modified UTF-7, or UTF-8 where it is that.  What is neither is taken
 * for ISO 8859-1, and an ampersand that begins nothing stands for itself.
 *
 *	is_utf8	the session speaks UTF-8: nothing is modified UTF-7
 */
void imap_utf7_decode_lax(struct span name, bool is_utf8, struct buffer *out);

/* Valid UTF-8 without NUL? */
bool imap_utf8_is_valid(struct span text);

enum imap_name_status {
	IMAP_NAME_OK,
	IMAP_NAME_BAD_ENCODING,		/* not modified UTF-7, or not UTF-8 */
	IMAP_NAME_BAD_CHARACTER,	/* a control (RFC 9051 section 5.1 with RFC 5198) */
	IMAP_NAME_EMPTY_LEVEL,		/* empty, "/a", "a//b", "a/" */
	IMAP_NAME_TOO_LONG,		/* IMAP_NAME_OCTETS_MAX */
	IMAP_NAME_TOO_DEEP,		/* IMAP_NAME_LEVELS_MAX */
};

/* A sentence for the client. */
const char *imap_name_status_text(enum imap_name_status status);

/*
 * Make the canonical name of what a client sent and append it: decoded, in normalization form C, "INBOX" in
 * any case in capitals, also as first level ("inbox/x" is "INBOX/x").  "." and ".." are names like others:
 * no file is ever named by them.  Appends nothing on failure.
 *
 *	is_utf8	the session speaks UTF-8, not modified UTF-7
 */
enum imap_name_status imap_name_canonical(struct span sent, bool is_utf8, struct buffer *out);

/* Append a piece of a name or pattern in normalization form C; what is no UTF-8 as it is. */
void imap_name_compose(struct span text, struct buffer *out);

/* Append the name as the session sees it, not quoted: imap_write_mailbox() does both. */
void imap_name_for_session(struct span name, bool is_utf8, struct buffer *out);

/* Names below this one begin with it and a separator. */
bool imap_name_is_below(struct span name, struct span ancestor);

/* The name above, or empty. */
struct span imap_name_parent(struct span name);

#endif
