/*
 * The last answers about a mailbox that took long to find, as octets: what a program asks again, which opens the mailbox
 * for each page that it shows.  A question that holds all its answer hangs on needs never be forgotten.  Loop thread.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "base/buffer.h"

#define ANSWERS_OCTETS_MAX (4 * 1024 * 1024)	/* of all questions and answers about one mailbox */

struct answer {
	struct buffer question, answer;
};

/* Zeroed: none. */
struct answers {
	struct answer at[8];		/* the oldest first */
	size_t count;
	size_t octets;
};

/* The answer, borrowed until the next call; at is NULL if it is not known. */
struct span answers_find(const struct answers *answers, struct span question);

/* Remember; copies, and forgets the oldest.  What is too long is not remembered. */
void answers_add(struct answers *answers, struct span question, struct span answer);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void answers_fini(struct answers *answers);

#endif
