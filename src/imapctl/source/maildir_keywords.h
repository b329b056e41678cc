/*
 * The keywords of one maildir's messages: Dovecot's letters in the file names, and Courier's lists beside
 * them.  Blocking.
 */
#ifndef IMAPCTL_MAILDIR_KEYWORDS_H
#define IMAPCTL_MAILDIR_KEYWORDS_H

#include "base/map.h"
#include "source.h"

#define MAILDIR_LETTERS 26	/* a to z */

struct maildir_keywords {
	char *names[MAILDIR_LETTERS];	/* of the letters; NULL: it has none */
	bool has_more;			/* Dovecot knows more keywords than there are letters */
	struct map *lists;		/* Courier's: "Work $Label1" as a struct buffer, by unique name; or NULL */
};

/* *keywords is zeroed. */
void maildir_keywords_read(struct maildir_keywords *keywords, const char *path);

void maildir_keywords_free(struct maildir_keywords *keywords);

/* The keywords of a message in Courier's lists, with a space between two; empty when it has none.  Borrowed. */
struct span maildir_keywords_of(const struct maildir_keywords *keywords, struct span base);

#endif
