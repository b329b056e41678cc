/*
 * Flags and keywords of many messages: each set that occurs is there once, so that two are the same when their pointers
 * are.  Keywords differ in more than case.  Pure.
 */
#ifndef IMAPCTL_FLAG_SETS_H
#define IMAPCTL_FLAG_SETS_H

#include "../source/source.h"

struct flag_set {
	struct buffer text;		/* "(\Seen work)", as the first message had it */
};

struct flag_sets;

struct flag_sets *flag_sets_new(void);
void flag_sets_free(struct flag_sets **sets);

/* The set of a message.  Lives as long as the sets. */
const struct flag_set *flag_sets_get(struct flag_sets *sets, const struct message *message);

#endif
