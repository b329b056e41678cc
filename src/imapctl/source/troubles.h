/*
 * What a walk through folders met that is no message, kept until the source is asked for its next.
 */
#ifndef IMAPCTL_TROUBLES_H
#define IMAPCTL_TROUBLES_H

#include "base/list.h"
#include "source.h"

struct troubles {
	struct list waiting;
};

void troubles_init(struct troubles *troubles);
void troubles_free(struct troubles *troubles);

/* Something could not be read; error is an errno. */
void troubles_unreadable(struct troubles *troubles, const char *path, int error);

/* Something is not imported, because of its contents or name. */
void troubles_refused(struct troubles *troubles, const char *path, const char *reason);

/* A folder can be no mailbox: one line for it, not one for each message. */
void troubles_refused_folder(struct troubles *troubles, const char *path, const char *why, uint64_t messages);

/* Hand the oldest over as a source does.  False: there is none. */
bool troubles_give(struct troubles *troubles, struct message *message, enum source_result *result_out);

#endif
