/*
 * A line of a file of aliases, as virtual(5) of Postfix has them and `imapctl alias list` writes them.  Pure.
 */
#ifndef IMAPCTL_ALIAS_FILE_H
#define IMAPCTL_ALIAS_FILE_H

#include "base/span.h"

enum alias_line {
	ALIAS_LINE_NOTHING,	/* a comment, or nothing */
	ALIAS_LINE_PAIR,	/* an alias and a user */
	ALIAS_LINE_HALF,	/* an alias alone */
	ALIAS_LINE_SEVERAL,	/* an alias and more than one user */
	ALIAS_LINE_MORE		/* more users of the line before */
};

/*
 * Read a line without its end.
 *
 *	alias_out, user_out	borrowed from the line; empty where there is none
 */
enum alias_line alias_line_read(struct span line, struct span *alias_out, struct span *user_out);

/* Whether this is the head of the table that `imapctl alias list` prints. */
bool alias_line_is_head(struct span line);

#endif
