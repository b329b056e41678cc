/*
 * Many sources as one: each is opened when its turn comes, and what it gives comes into its mailbox.  Blocking.
 */
#ifndef IMAPCTL_SEVERAL_H
#define IMAPCTL_SEVERAL_H

#include "source.h"

struct several;

/* Opens a file or folder as source_open() does. */
typedef struct source *several_opener(const char *path);

struct several *several_new(void);

/*
 * Add a file or folder.
 *
 *	name	UTF-8, of its mailbox; empty: the one that is named for the import.  See folder_name.h
 *	open	NULL: it is a mailbox without messages
 */
void several_add(struct several *several, const char *path, struct span name, several_opener *open);

/* Add something that is not imported, and why. */
void several_refuse(struct several *several, const char *path, const char *reason);

/* Add something that cannot be read; error is an errno. */
void several_fail(struct several *several, const char *path, int error);

/* Count something that is no mail; what is said of it, "a calendar, not mail". */
void several_leave_out(struct several *several, const char *path, const char *what);

size_t several_count(const struct several *several);

/* A message that comes again is left out: each mailbox of a Takeout has all messages with its label. */
void several_drop_copies(struct several *several);

/* What all this is as a source, also while more is added.  source_close() frees it. */
struct source *several_source(struct several *several);

#endif
