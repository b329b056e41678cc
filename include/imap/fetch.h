/*
 * What FETCH asks for: RFC 9051 section 6.4.5, RFC 3501 section 6.4.5, RFC 3516, RFC 7162 section 3.1.4, RFC 8474
 * section 5, RFC 8514 section 4.2, RFC 8970, RFC 9394 section 3.3.
 * ALL, FAST and FULL come out expanded; an item asked for twice comes once.  Pure.
 */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "imap/partial.h"
#include "imap/sequence.h"

enum imap_fetch_kind {
	IMAP_FETCH_UID,
	IMAP_FETCH_FLAGS,
	IMAP_FETCH_INTERNALDATE,
	IMAP_FETCH_RFC822_SIZE,
	IMAP_FETCH_MODSEQ,
	IMAP_FETCH_EMAILID,
	IMAP_FETCH_THREADID,
	IMAP_FETCH_SAVEDATE,
	IMAP_FETCH_PREVIEW,
	IMAP_FETCH_ENVELOPE,
	IMAP_FETCH_BODY,		/* BODY without a section: no extension data */
	IMAP_FETCH_BODYSTRUCTURE,
	IMAP_FETCH_SECTION,		/* BODY[...] and BODY.PEEK[...] */
	IMAP_FETCH_BINARY,
	IMAP_FETCH_BINARY_SIZE,
	IMAP_FETCH_RFC822,		/* as BODY[] */
	IMAP_FETCH_RFC822_HEADER,	/* as BODY.PEEK[HEADER] */
	IMAP_FETCH_RFC822_TEXT,		/* as BODY[TEXT] */
};

enum imap_section {
	IMAP_SECTION_ALL,		/* the whole message or part */
	IMAP_SECTION_HEADER,
	IMAP_SECTION_HEADER_FIELDS,
	IMAP_SECTION_HEADER_FIELDS_NOT,
	IMAP_SECTION_TEXT,
	IMAP_SECTION_MIME,		/* only behind a part number */
};

struct imap_fetch_item {
	enum imap_fetch_kind kind;
	bool sets_seen;			/* answering sets \Seen, unless the mailbox is open read-only */
	enum imap_section section;	/* the RFC822 forms have it filled in, too */
	uint32_t *part;			/* part numbers from 1 on: 4.2 is { 4, 2 } */
	size_t part_depth;		/* 0: the message itself */
	struct span *fields;		/* names for HEADER.FIELDS and HEADER.FIELDS.NOT */
	size_t field_count;
	bool is_lazy;			/* PREVIEW (LAZY), RFC 8970 section 4.1 */
	bool has_partial;
	uint64_t partial_offset, partial_length;	/* length >= 1 */
	struct span echo;		/* how the reply names it: "BODY[1.HEADER.FIELDS (To)]<0>" */
};

struct imap_fetch {
	struct imap_sequence set;
	struct imap_fetch_item *items;	/* at least one */
	size_t item_count;
	bool sets_seen;			/* some item does */
	bool has_changed_since;
	uint64_t changed_since;
	bool wants_vanished;		/* RFC 7162 section 3.2.6 */
	bool has_range;			/* PARTIAL */
	struct imap_partial range;	/* of the messages in the set that are there */
};

/* Whether an item of this kind is asked for. */
static inline bool
imap_fetch_has(const struct imap_fetch *fetch, enum imap_fetch_kind kind)
{
	for (size_t i = 0; i < fetch->item_count; i++)
		if (fetch->items[i].kind == kind)
			return true;
	return false;
}

#endif
