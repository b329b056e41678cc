/*
 * Replies, appended to a buffer: RFC 9051 section 9 and section 7.  The caller writes "* " and "\r\n" except
 * where it says otherwise.  Pure.
 */
#ifndef IMAP_WRITER_H
#define IMAP_WRITER_H

#include "imap/date.h"
#include "imap/flags.h"
#include "imap/partial.h"
#include "imap/sequence.h"

enum imap_condition { IMAP_OK, IMAP_NO, IMAP_BAD, IMAP_BYE, IMAP_PREAUTH };

/*
 * A string: quoted when it is short, of one line and printable ASCII (with is_utf8: also valid UTF-8), else
 * a literal.  NUL cannot be sent so: the caller uses literal8.
 */
void imap_write_string(struct buffer *out, struct span text, bool is_utf8);

/* Quoted as it is (section 4.3): no CR, LF or NUL. */
void imap_write_quoted(struct buffer *out, struct span text);

/* As an atom when it may be one, else a string. */
void imap_write_astring(struct buffer *out, struct span text, bool is_utf8);

/* NIL when text.at is NULL. */
void imap_write_nstring(struct buffer *out, struct span text, bool is_utf8);

/* "{42}\r\n" or "~{42}\r\n"; the caller sends the octets. */
void imap_write_literal_header(struct buffer *out, uint64_t size_octets, bool is_literal8);

/* A canonical name as this session reads it, as astring. */
void imap_write_mailbox(struct buffer *out, struct span name, bool is_utf8);

/*
 * A whole condition line: "a1 OK [READ-WRITE] done\r\n".
 *
 *	tag	"*" for an untagged one
 *	code	without brackets, or empty
 *	text	one line; octets that would break it are left out; never empty in what is sent
 */
void imap_write_condition(struct buffer *out, struct span tag, enum imap_condition condition, struct span code,
    struct span text);

/*
 * "* 12 FETCH (UID 345 FLAGS (\Seen))\r\n", written by hand because 100,000 of them follow each other.
 *
 *	number	 0: "* 345 UIDFETCH (FLAGS (\Seen))\r\n", RFC 9586 section 3.3; then there must be a UID
 *	uid	 0: leave it out
 *	modseq	 0: leave it out
 */
void imap_write_fetch_flags(struct buffer *out, uint32_t number, uint32_t uid, uint64_t flags,
    const struct imap_keywords *keywords, bool is_recent, uint64_t modseq);

/*
 * "* 12 FETCH (UID 345 MODSEQ (67))\r\n": all that is to be told of a STORE with .SILENT, RFC 7162 section 3.1.3.
 * A number of 0 does what it does in imap_write_fetch_flags().
 */
void imap_write_fetch_modseq(struct buffer *out, uint32_t number, uint32_t uid, uint64_t modseq);

/* "* 12 EXPUNGE\r\n", "* 7 EXISTS\r\n". */
void imap_write_number_line(struct buffer *out, uint32_t number, const char *word);

/*
 * What ESEARCH says: RFC 4731 section 3.1, RFC 9051 section 7.3.4, RFC 9394 section 3.1, RFC 7377 section 2.1.
 * min, max: 0 when nothing was found; as count, told when returns asks for them.
 */
struct imap_esearch {
	struct span tag;
	struct span mailbox;		/* canonical; empty: the mailbox is not told, nor the two next */
	uint32_t uidvalidity;
	bool is_utf8;			/* how the client reads names */
	bool is_uid;
	unsigned returns;		/* IMAP_RETURN_* of search.h */
	uint32_t min, max;
	uint32_t count;
	bool has_set;			/* of ALL or PARTIAL; false when they have none of what was found */
	struct imap_partial partial;	/* with IMAP_RETURN_PARTIAL */
	uint64_t modseq;		/* 0: leave it out */
};

/*
 * The whole line with "* " and line end in two pieces: up to where the set stands, which with has_set the caller writes,
 * and what is behind it.
 */
void imap_write_esearch_begin(struct buffer *out, const struct imap_esearch *result);
void imap_write_esearch_end(struct buffer *out, const struct imap_esearch *result);

#endif
