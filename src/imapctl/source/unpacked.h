/*
 * A source of what lies in a temporary folder.
 */
#ifndef IMAPCTL_UNPACKED_H
#define IMAPCTL_UNPACKED_H

#include "source.h"
#include "unpack.h"

/*
 * Give a source that removes the folder when it is closed.
 *
 *	unpack	taken
 *	inner	of what is in the folder; taken
 *	path	what it came from, which is named instead of the folder
 *	what	words before those of the inner source
 */
struct source *unpacked_source(struct unpack *unpack, struct source *inner, const char *path, const char *what);

#endif
