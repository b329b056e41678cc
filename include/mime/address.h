/*
 * Address lists: RFC 5322 sections 3.4 and 4.4, and whatever else is found in From and To.  Never fails:
 * what is no address comes out as a mailbox without a domain.  Linear time.  Any thread; pure.
 */
#ifndef MIME_ADDRESS_H
#define MIME_ADDRESS_H

#include "base/buffer.h"

enum mime_address_kind {
	MIME_ADDRESS,
	MIME_ADDRESS_GROUP_START,	/* name holds the group's name */
	MIME_ADDRESS_GROUP_END
};

struct mime_address {
	enum mime_address_kind kind;
	struct span name;	/* display name, or the comment behind the address; RFC 2047 words as written */
	struct span route;	/* "@a,@b" of <@a,@b:c@d>, or empty */
	struct span mailbox;	/* local part, unquoted */
	struct span domain;	/* may be empty */
};

/* Reads one list.  A zeroed reader with rest set is at its start. */
struct mime_address_reader {
	struct span rest;	/* the field's value, folding and all; borrowed */
	bool is_in_group;
	struct buffer text, comment;	/* hold the strings of the last address */
};

/*
 * Read the next address: false at the end.  Its spans are borrowed until the next call.  A group that was
 * started is always ended.
 */
bool mime_address_next(struct mime_address_reader *reader, struct mime_address *address_out);

/* Frees what it holds. */
void mime_address_reader_fini(struct mime_address_reader *reader);

#endif
