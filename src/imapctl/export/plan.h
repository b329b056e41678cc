/*
 * Which mailboxes are exported: those of the user's own that the patterns mean, and names that are subscribed without
 * being a mailbox.  Blocking.
 */
#ifndef IMAPCTL_PLAN_H
#define IMAPCTL_PLAN_H

#include "../remote/remote.h"
#include "../target/target.h"
#include "base/arena.h"

struct plan {
	struct arena *arena;
	const char *const *patterns;	/* as LIST has them, in UTF-8; no pattern: all */
	size_t pattern_count;
	struct target_mailbox *mailboxes;	/* INBOX first, as the server lists them; UIDVALIDITY is not set */
	size_t count, room;
	uint64_t messages;		/* in all of them, when it was asked */
	/* while it is made */
	struct span *others;		/* prefixes of the mailboxes of others */
	size_t other_count;
	bool is_subscriptions;		/* the reply is one of LIST (SUBSCRIBED) */
};

/*
 * Ask the server; *plan has its patterns.  False: the connection is lost, or the server does not tell: trouble_out
 * says why then.
 */
bool plan_make(struct plan *plan, struct remote *remote, struct buffer *trouble_out);

void plan_free(struct plan *plan);

#endif
