/*
 * The lines that separate messages in mbox files: `From `, a sender, a date.  RFC 4155 describes one form;
 * programs write many, and some archives forget to quote "From here on we ..." in bodies.  Pure.
 */
#ifndef IMAPCTL_SEPARATOR_H
#define IMAPCTL_SEPARATOR_H

#include "base/span.h"

#define SEPARATOR_OCTETS_MAX 1000	/* a longer line is none: RFC 5322 section 2.1.1 */

struct from_line {
	bool is_dated;		/* ends in a date of any form, or is "From -" */
	bool has_inner_date;	/* a date stands in it with other words behind: may be a separator */
	bool is_writers_clock;	/* the date is when the file was written, not when the message came */
	bool has_date;
	int64_t date_s;		/* since 1970 UTC, with has_date */
};

/* Read a line, with or without its line end.  False: it does not begin with "From ". */
bool from_line_read(struct span line, struct from_line *out);

/* Whether a text begins as a header field does. */
bool field_follows(struct span text);

/* Whether it begins with header fields, one of them of a name that mail has. */
bool header_follows(struct span text);

/* A line of a message without the `>` that a writer of mboxrd put before it, if it is a From_ line. */
struct span separator_unquoted(struct span line);

#endif
