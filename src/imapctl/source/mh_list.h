/*
 * The messages of one MH folder: files whose names are numbers, in the order of these, with what the files
 * beside them say: nmh's .mh_sequences, and the marks of Claws Mail and Sylpheed.  Blocking.
 */
#ifndef IMAPCTL_MH_LIST_H
#define IMAPCTL_MH_LIST_H

#include "source.h"

struct mh_message {
	uint64_t number;
	char *name;		/* the number as the file has it */
	unsigned flags;		/* enum message_flag */
	struct buffer keywords;	/* names of sequences, with a space between two */
	bool has_colour;	/* a label of Claws Mail or Sylpheed that is no keyword */
};

struct mh_list {
	struct mh_message *messages;
	size_t count;
};

/* Does a file of this name hold a message? */
bool mh_is_message(const char *name);

/* List; *list is empty before.  Gives 0 or errno.  Marks are not read. */
int mh_list_read(struct mh_list *list, const char *path);

/*
 * Set flags and keywords.  Seen is what is in no sequence "unseen"; where Claws Mail or Sylpheed have marks,
 * these say it, and a message without a mark is new.
 */
void mh_marks_read(struct mh_list *list, const char *path);

void mh_list_free(struct mh_list *list);

#endif
