/*
 * Which mailboxes of another server are pulled, and what they are called here.  Blocking.
 */
#ifndef IMAPCTL_PULL_PLAN_H
#define IMAPCTL_PULL_PLAN_H

#include "../remote/remote.h"
#include "../source/source.h"
#include "base/map.h"

struct planned {
	struct buffer sent;		/* the name as the server writes it */
	struct buffer name;		/* here: UTF-8 */
	struct buffer encoded;		/* the same in modified UTF-7 */
	int separator;
	unsigned attributes;		/* enum imap_reply_attribute */
	bool is_subscribed;
	bool is_foreign;		/* in a namespace of others, or one that is shared */
	uint64_t messages;		/* as STATUS has it; 0 if that was refused */
};

struct pull_plan {
	struct planned *at;
	size_t count;
	bool is_gmail;			/* all mail is in one mailbox, and labels say where it belongs */
	uint64_t messages;		/* in all of them */
	struct map *listed;		/* the names of all mailboxes that the source has, as it writes them */
};

struct pull_plan_settings {
	const char *const *patterns, *const *excluded;	/* of names here, as in LIST */
	size_t pattern_count, excluded_count;
	struct span only;		/* one mailbox, as the server calls it, in UTF-8; empty: no such limit */
	struct span others, shared;	/* first levels here that are not the user's */
};

/*
 * Ask the server.  What is left out is noted, and mailboxes that can have no name here are refused.
 *
 *	refuse	is told of mailboxes that should be pulled, and cannot
 *
 * False: the connection is lost.
 */
typedef void pull_plan_refuse(struct span origin, struct span reason, void *context);
bool pull_plan_make(struct pull_plan *plan, struct remote *there, const struct pull_plan_settings *settings, struct source *notes,
    pull_plan_refuse *refuse, void *context);

/* The mailbox of this name at the source, or NULL. */
struct planned *pull_plan_find(const struct pull_plan *plan, struct span sent);

void pull_plan_free(struct pull_plan *plan);

#endif
