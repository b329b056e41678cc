/*
 * Flags and keywords in commands and replies: RFC 9051 sections 2.3.2 and 9 ("flag", "flag-list").
 * Pure.
 */
#ifndef IMAP_FLAGS_H
#define IMAP_FLAGS_H

#include "base/arena.h"
#include "base/buffer.h"

/*
 * What a message has, in one word as the store keeps it.  Bits 0 to 4 are the system flags.  While bit 63 is not set,
 * bits 5 to 62 are the first keywords of the mailbox; else they are the id of a set, which has all keywords of the
 * message: few messages have others than the first, and so the word is all that any has.
 */
#define IMAP_FLAG_ANSWERED	(UINT64_C(1) << 0)
#define IMAP_FLAG_FLAGGED	(UINT64_C(1) << 1)
#define IMAP_FLAG_DELETED	(UINT64_C(1) << 2)
#define IMAP_FLAG_SEEN		(UINT64_C(1) << 3)
#define IMAP_FLAG_DRAFT		(UINT64_C(1) << 4)
#define IMAP_FLAGS_SYSTEM	UINT64_C(0x1f)
#define IMAP_KEYWORD_BIT_FIRST	5
#define IMAP_KEYWORD_BITS	58	/* bits 5 to 62 */
#define IMAP_FLAGS_HAS_SET	(UINT64_C(1) << 63)
#define IMAP_KEYWORD_OCTETS_MAX 128

/* What a command names: each flag and each keyword (without regard to case) once. */
struct imap_flags {
	uint64_t system;	/* IMAP_FLAG_* */
	struct span *keywords;	/* as the client wrote them */
	size_t keyword_count;
};

struct imap_keyword_set {
	uint64_t id;
	const uint16_t *members;	/* numbers of keywords, rising */
	size_t count;
};

/* The keywords of a mailbox, numbered from 0. */
struct imap_keywords {
	const struct span *names;
	size_t count;
	const struct imap_keyword_set *sets;	/* by rising ids: those that its messages have, and maybe more */
	size_t set_count;
};

/* The bit of "\Seen" and its kind, in any case; 0 for anything else, "\Recent" among it. */
uint64_t imap_flag_from_name(struct span name);

/* May this be a keyword: an atom of 1 to IMAP_KEYWORD_OCTETS_MAX octets?  "$Forwarded" is one. */
bool imap_keyword_is_valid(struct span name);

/*
 * Append "(\Seen $Forwarded)"; what has no name in the mailbox is left out.
 *
 *	is_recent also show \Recent (RFC 3501 section 2.3.2)
 */
void imap_flags_write(struct buffer *out, uint64_t flags, const struct imap_keywords *keywords, bool is_recent);

/* Append all flags and keywords that a message of the mailbox can have; the same with these system flags alone. */
void imap_flags_write_all(struct buffer *out, const struct imap_keywords *keywords);
void imap_flags_write_permitted(struct buffer *out, uint64_t system, const struct imap_keywords *keywords);

/* Whether a message with these flags has the keyword of this number. */
bool imap_flags_have(uint64_t flags, const struct imap_keywords *keywords, size_t number);

#endif
