/*
 * What a mailbox of another server holds before messages are appended to it, so that none comes there twice.  A message
 * is the same when its date and its octets are, but for line ends and odd dates, of which servers make others.
 * Blocking.
 */
#ifndef IMAPCTL_PRESENT_H
#define IMAPCTL_PRESENT_H

#include "../remote/remote.h"
#include "../target/target.h"

/* Whether servers make another date of it: those of 1970 and before, and of the future. */
bool present_is_odd_date(int64_t date_s);

struct present {
	struct remote *remote;
	struct present_entry *entries;	/* by date */
	size_t count, room;
	/* what a reply is for */
	struct present_entry *run;
	size_t run_count;
};

/* Ask for dates and sizes in the mailbox that is selected; *present is zeroed but for remote.  False: connection lost. */
bool present_learn(struct present *present);

/*
 * Ask for a message.  Each one there stands for one that is asked for.  False: the connection is lost.
 */
bool present_has(struct present *present, const struct target_message *message, bool *has_out);

void present_free(struct present *present);

#endif
