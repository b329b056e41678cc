/*
 * The items of a FETCH reply that need no database: they are in the packed state.  RFC 9051 section 7.5.2.
 * Any thread.
 */
#ifndef MAILBOX_FETCH_LINE_H
#define MAILBOX_FETCH_LINE_H

#include "../session/view.h"
#include "imap/fetch.h"
#include "store/message.h"

/* What all lines of one command share.  Copied, so that a worker can read it while the state changes. */
struct fetch_style {
	struct imap_keywords keywords;	/* of a table that is held meanwhile */
	bool is_rev2;			/* IMAP4rev2 is enabled */
	bool is_utf8;			/* quoted strings may hold UTF-8 */
	bool has_recent;		/* \Recent is told */
	bool is_uid_only;		/* UIDFETCH, RFC 9586 section 3.3 */
	bool adds_uid;			/* UID FETCH without the item UID */
	bool adds_modseq;		/* CHANGEDSINCE without the item MODSEQ, RFC 7162 section 3.1.4.1 */
	bool has_condstore;		/* UID and MODSEQ go with flags that are added: RFC 7162 section 3.2.4 */
};

/* One message to be told of. */
struct fetch_entry {
	uint32_t number;
	bool is_recent;
	bool adds_flags;		/* \Seen was set on the way: RFC 3501 section 6.4.5 */
	struct store_message message;
};

/* Is it an item that fetch_line_item() writes? */
bool fetch_line_has(enum imap_fetch_kind kind);

/* "* 12 FETCH (" with what the style adds. */
void fetch_line_begin(const struct fetch_style *style, const struct fetch_entry *entry, struct buffer *out);

/* The space in front of the item with this index, unless nothing stands before it. */
void fetch_line_space(const struct fetch_style *style, size_t index, struct buffer *out);

void fetch_line_item(const struct fetch_style *style, const struct fetch_entry *entry,
    enum imap_fetch_kind kind, struct buffer *out);

/* The flags if they are to be added, and the end of the line. */
void fetch_line_end(const struct fetch_style *style, const struct imap_fetch *program,
    const struct fetch_entry *entry, struct buffer *out);

#endif
