/*
 * A header block as fields: RFC 5322 section 2.2.  Lines end in CRLF or a bare LF.  Spans point into the
 * block.  Any thread; pure.
 */
#ifndef MIME_HEADER_H
#define MIME_HEADER_H

#include "base/buffer.h"

#define MIME_HEADER_OCTETS_MAX (10 * 1024 * 1024)	/* of a header block; what comes after is not read */
#define MIME_FIELD_OCTETS_MAX  (1024 * 1024)		/* of one field's value; longer ones are cut */

struct mime_field {
	struct span name;	/* without the colon; empty for a line that is no field */
	struct span value;	/* after the colon, folding and all, without the last line end */
	struct span whole;	/* from the name through the last line end */
};

/* Octets through the empty line that ends the header; the whole message if it has none. */
size_t mime_header_length(struct span message);

/*
 * Walk the fields of a header block: start with *offset = 0; false at the empty line or the end.  The
 * whole spans of all fields, one after the other, are the block without its empty line.
 */
bool mime_field_next(struct span block, size_t *offset, struct mime_field *field_out);

/* Find the first field of that name, case ignored; untouched if there is none. */
bool mime_field_find(struct span block, struct span name, struct mime_field *field_out);

/*
 * Append a value without the line ends that fold it and without space at its ends: RFC 5322 section
 * 2.2.3.  A NUL or a CR or LF on its own becomes a space.  Stops after MIME_FIELD_OCTETS_MAX octets.
 */
void mime_unfold(struct span value, struct buffer *out);

#endif
