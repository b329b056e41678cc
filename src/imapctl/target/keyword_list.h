/*
 * How a maildir keeps flags and keywords: letters in the names of files, of which dovecot-keywords says what those from
 * a to z mean; and for messages with more keywords than there are letters the list of Courier.  Blocking.
 */
#ifndef IMAPCTL_KEYWORD_LIST_H
#define IMAPCTL_KEYWORD_LIST_H

#include "../source/maildir_keywords.h"

struct keyword_list {
	struct maildir_keywords known;	/* its lists hold messages with a keyword that has no letter */
	bool has_new_letters, has_new_lines;
};

/* Read what lies in a folder; *list is zeroed. */
void keyword_list_read(struct keyword_list *list, const char *folder);

/* Write what is new.  False: errno. */
bool keyword_list_write(struct keyword_list *list, const char *folder);

/*
 * A message will have these: give letters to new keywords, and note what has none.
 *
 *	base	its name before ":2,"
 */
void keyword_list_note(struct keyword_list *list, struct span base, unsigned flags, struct span keywords);

/* Append what stands behind ":2,", in the order of the letters. */
void keyword_list_add_letters(const struct keyword_list *list, unsigned flags, struct span keywords, struct buffer *out);

/* The other direction, for a whole name.  Gives the flags. */
unsigned keyword_list_read_letters(const struct keyword_list *list, struct span name, struct buffer *keywords_out);

void keyword_list_free(struct keyword_list *list);

#endif
