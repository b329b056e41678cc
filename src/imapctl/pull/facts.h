/*
 * What --verify keeps of each message.  Pure.
 */
#ifndef IMAPCTL_FACTS_H
#define IMAPCTL_FACTS_H

#include "base/digest.h"
#include "flag_sets.h"

struct fact {
	uint32_t uid;
	bool is_known;			/* it has come; the rest is there */
	bool is_used;			/* compared with one of the other side */
	uint8_t digest[DIGEST_LENGTH];
	const struct flag_set *flags;
	int64_t date_s;
};

struct verification {
	struct flag_sets *sets;
	struct fact *there;		/* beside transfer->uids */
	struct fact *here;		/* of one mailbox here, rising by UID */
	size_t here_count, here_capacity;
};

void facts_fill(struct verification *verification, struct fact *fact, uint32_t uid, const struct message *message);

#endif
