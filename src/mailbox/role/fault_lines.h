/*
 * What store_verify() finds, as records of an answer: with the mailbox's name, and one for each message of a content.
 */
#ifndef ROLE_FAULT_LINES_H
#define ROLE_FAULT_LINES_H

#include "user_verb.h"

#define FAULT_LINES_MAX 1000	/* in one call; what is more is counted */

/* Zeroed at first. */
struct fault_lines {
	struct buffer text;		/* a line for each, of word, mailbox, uid, content and text, with tabs */
	int64_t count;
};

/* Look up where the findings are, and take them.  Worker. */
enum store_status fault_lines_take(struct fault_lines *lines, struct store *store, struct buffer *findings);

/* Add that SQLite cannot read all of the file, and what it says; NULL: nothing. */
void fault_lines_add_pages(struct fault_lines *lines, const char *error);

/* Answer a record of this kind for each that was taken; gives how many, and begins anew. */
int64_t fault_lines_reply(const struct user_verb *verb, struct span kind, struct fault_lines *lines);

void fault_lines_fini(struct fault_lines *lines);

#endif
