/*
 * A small text file that lies beside mail, line by line.  Blocking.
 */
#ifndef IMAPCTL_LINES_H
#define IMAPCTL_LINES_H

#include <stdio.h>

#include "base/span.h"

struct lines {
	FILE *file;
	char *line;
	size_t room;
};

/* Open the file of that name in a folder.  False: it is not there or cannot be read. */
bool lines_open(struct lines *lines, const char *folder, const char *name);

/* The next line without its end, borrowed until the next call.  False at the end of the file. */
bool lines_next(struct lines *lines, struct span *text_out);

void lines_close(struct lines *lines);

#endif
