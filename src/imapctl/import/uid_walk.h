/*
 * Sets of UIDs whose order means something, as in COPYUID and APPENDUID (RFC 9051 section 7.1).  Pure.
 */
#ifndef IMAPCTL_UID_WALK_H
#define IMAPCTL_UID_WALK_H

#include "base/span.h"

/* Walk a set of UIDs in the order of its text, "4:6,2". */
struct uid_walk {
	struct span rest;
	uint32_t next, last;	/* of the range that is walked; 0: none */
	bool is_broken;
};

/* False at the end, or where the text makes no sense: is_broken. */
bool uid_walk_next(struct uid_walk *walk, uint32_t *uid_out);

#endif
