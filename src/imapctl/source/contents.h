/*
 * What a file holds, by how it begins.  Blocking.
 */
#ifndef IMAPCTL_CONTENTS_H
#define IMAPCTL_CONTENTS_H

#include <stdbool.h>

#include "several.h"

enum contents {
	CONTENTS_OTHER,
	CONTENTS_NOTHING,	/* no octet at all */
	CONTENTS_MESSAGE,	/* one */
	CONTENTS_MANY,		/* a file of many messages */
	CONTENTS_TAKEOUT,	/* an mbox of Google's */
};

/*
 * Look at a file, expanded if it is compressed.
 *
 *	open_out	how it is read; NULL for CONTENTS_OTHER and CONTENTS_NOTHING
 *	why_out		for CONTENTS_OTHER: what it is instead, in words
 */
enum contents contents_of(const char *path, several_opener **open_out, const char **why_out);

#endif
