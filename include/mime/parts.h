/*
 * The part table: a tree of parts as octets that outlive it, the same on every host, read without
 * parsing the message again.  Reading trusts nothing: a damaged table finds nothing.  Any thread; pure.
 *
 *	octet 1: version, 1.  Then a number of parts, then each part in the order of the tree: kind,
 *	encoding, parent + 1 (0: none), offset, header length, body length, lines of the body, type,
 *	subtype, charset.  Numbers are little-endian base 128, strings have their length before them.
 */
#ifndef MIME_PARTS_H
#define MIME_PARTS_H

#include "mime/part.h"

/* Append the table of a tree. */
void mime_parts_write(const struct mime_tree *tree, struct buffer *out);

/* Append the table that the same message has behind so many octets of further fields. */
void mime_parts_shift(struct span table, uint32_t octets, struct buffer *out);

struct mime_parts_entry {
	uint32_t index, parent;			/* parent is MIME_NO_PART for the first */
	enum mime_kind kind;
	enum mime_encoding encoding;
	uint32_t header_offset, header_length, body_offset, body_length, body_lines;
	struct span type, subtype, charset;	/* borrowed from the table; charset empty if not said */
};

/*
 * Walk the table: start with *position = 0; false at the end or where it is damaged.  Pass the same entry
 * each time: it tells how far the walk has come.
 */
bool mime_parts_next(struct span table, size_t *position, struct mime_parts_entry *entry_out);

struct mime_range {
	uint32_t offset, length;
};

/*
 * What a section names.  RFC 9051 section 6.4.5.1:
 *	[1.2]		 body		[1.2.MIME]	mime
 *	[1.2.HEADER]	 header		[1.2.TEXT]	text	: only where has_message
 * With no numbers: [] is body (the whole message), [HEADER] is header, [TEXT] is text; no mime.
 */
struct mime_section {
	struct mime_range mime, body, header, text;
	bool has_message;		/* header and text are those of a message */
	bool is_multipart;
	enum mime_encoding encoding;	/* of body; for the whole message MIME_BINARY: as it is */
	uint32_t body_lines;
	struct span type, subtype, charset;
};

/*
 * Find the part with these numbers, as in [1.2.3].  False, with section_out untouched: there is none.
 */
bool mime_parts_find(struct span table, const uint32_t *numbers, size_t count,
    struct mime_section *section_out);

#endif
