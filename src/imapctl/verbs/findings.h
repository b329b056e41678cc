/*
 * Records that a verb makes itself, printed as those of the server.
 */
#ifndef IMAPCTL_FINDINGS_H
#define IMAPCTL_FINDINGS_H

#include "../ctl/ctl.h"

/* A zeroed one is empty. */
struct findings {
	struct answer answer;
	struct arena *arena;
};

/* Add a record; the line is emptied. */
void findings_add(struct findings *findings, struct buffer *line);

void findings_free(struct findings *findings);

#endif
