/*
 * Cutting fields out of a header block: BODY[HEADER.FIELDS (...)] and HEADER.FIELDS.NOT.  RFC 9051 section
 * 6.4.5.1.  Any thread, one at a time.
 */
#ifndef MAILBOX_FETCH_FIELDS_H
#define MAILBOX_FETCH_FIELDS_H

#include "base/buffer.h"

struct map;

/* The names of one item, ready for looking up: a field costs the same however many names there are. */
struct fetch_fields {
	struct map *names;
	uint64_t beginnings;	/* of names, by first octet and length: few other fields get as far as the map */
	size_t longest;		/* octets */
};

void fetch_fields_init(struct fetch_fields *fields, const struct span *names, size_t count);
void fetch_fields_fini(struct fetch_fields *fields);

/*
 * Append the fields that are named, or with is_not those that are not, each as it stands with its
 * continuation lines, and the empty line if the block has one.
 *
 *	header	a header block through its empty line
 */
void fetch_fields_cut(const struct fetch_fields *fields, struct span header, bool is_not, struct buffer *out);

#endif
