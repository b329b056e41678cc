/*
 * "METADATA" lines, for GETMETADATA and for LIST with RETURN (METADATA ...): RFC 5464 section 4.4.1, RFC 9590.  Some
 * entries are no rows: what a mailbox is used for (RFC 6154 section 4), and what the operator says of the server.
 */
#ifndef ANNOTATIONS_H
#define ANNOTATIONS_H

#include "imap/command.h"
#include "store/mailbox.h"
#include "store/metadata.h"

#define ANNOTATION_SPECIAL_USE "/private/specialuse"

/* What is asked for.  Borrowed. */
struct annotation_request {
	enum imap_depth depth;
	uint64_t octets_max;		/* larger values are left out */
	bool is_utf8;			/* names */
	struct span comment, admin;	/* of the server; at is NULL: there is none */
};

/* Of what: a mailbox with its name as it is told, or the server. */
struct annotation_subject {
	struct store_annotated annotated;
	struct span name;		/* canonical; empty: the server */
	const char *special_use;	/* or NULL */
};

/*
 * Append the lines of one entry and, by depth, of those below it; the entry itself is NIL when it has no value and
 * nothing is asked for below it.
 *
 *	longest	 is raised to the octets of the largest value that was left out
 *
 * Worker thread.
 */
enum store_status annotations_write(struct buffer *out, struct store *store, const struct annotation_subject *subject,
    const struct annotation_request *request, struct span entry, uint64_t *longest);

/* "* METADATA name entry\r\n": it has changed.  RFC 5464 section 4.4.2.  Any thread. */
void annotations_write_change(struct buffer *out, struct span name, struct span entry, bool is_utf8);

#endif
