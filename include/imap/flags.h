/*
 * Flags and keywords in commands and replies: RFC 9051 sections 2.3.2 and 9 ("flag", "flag-list").
 * Pure.
 */
#ifndef IMAP_FLAGS_H
#define IMAP_FLAGS_H

#include "base/arena.h"
#include "base/buffer.h"

/* The bits are those of the store's flag set; keywords of a mailbox follow from bit 5 on. */
#define IMAP_FLAG_ANSWERED	(UINT64_C(1) << 0)
#define IMAP_FLAG_FLAGGED	(UINT64_C(1) << 1)
#define IMAP_FLAG_DELETED	(UINT64_C(1) << 2)
#define IMAP_FLAG_SEEN		(UINT64_C(1) << 3)
#define IMAP_FLAG_DRAFT		(UINT64_C(1) << 4)
#define IMAP_FLAGS_SYSTEM	UINT64_C(0x1f)
#define IMAP_KEYWORD_BIT_FIRST	5
#define IMAP_KEYWORD_COUNT_MAX	58	/* bits 5 to 62 */
#define IMAP_KEYWORD_OCTETS_MAX 128

/* What a command names: each flag and each keyword (without regard to case) once. */
struct imap_flags {
	uint64_t system;	/* IMAP_FLAG_* */
	struct span *keywords;	/* as the client wrote them */
	size_t keyword_count;
};

/* The bit of "\Seen" and its kind, in any case; 0 for anything else, "\Recent" among it. */
uint64_t imap_flag_from_name(struct span name);

/* May this be a keyword: an atom of 1 to IMAP_KEYWORD_OCTETS_MAX octets?  "$Forwarded" is one. */
bool imap_keyword_is_valid(struct span name);

/*
 * Append "(\Seen $Forwarded)".
 *
 *	keywords  keywords[i] stands for bit IMAP_KEYWORD_BIT_FIRST + i; bits past keyword_count are skipped
 *	is_recent also show \Recent (RFC 3501 section 2.3.2)
 */
void imap_flags_write(struct buffer *out, uint64_t bits, const struct span *keywords, size_t keyword_count,
    bool is_recent);

#endif
