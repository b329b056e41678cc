/*
 * Messages that have left their mailboxes and are kept for a while, so that they can be brought back.  They are in no
 * mailbox and count for no quota.  Worker threads only; store/store.h says how transactions go.
 */
#ifndef STORE_RETAINED_H
#define STORE_RETAINED_H

#include "store/message.h"

/* How a message left.  As in the file. */
enum store_leaving {
	STORE_LEFT_EXPUNGED,
	STORE_LEFT_DELETED,		/* its mailbox was */
	STORE_LEFT_MOVED,		/* to another user's file */
	STORE_LEFT_REPLACED,
	STORE_LEFT_DAMAGED,		/* set aside by a repair: stays until it is brought back or let go */
	STORE_LEAVING_COUNT
};

struct store_parting {
	enum store_leaving how;
	struct span by;			/* who did it, borrowed; empty: nobody knows */
};

/*
 * Keep what leaves from now on for so long, and let go what has been kept for longer; 0: keep nothing.  Not stored;
 * after opening it is 0.
 */
void store_set_retention(struct store *store, int64_t seconds);

/* Whether store_purge() would let something go that was kept.  Costs nothing. */
bool store_is_retention_over(const struct store *store);

/* Give how many messages store_purge() has let go that were kept, since this was asked last. */
uint64_t store_take_let_go(struct store *store);

struct store_retained {
	uint64_t id;			/* rises with time; of this file; another may get it when this one has gone */
	uint64_t mailbox_id;
	const char *mailbox;		/* its name now, or its last */
	bool is_mailbox_gone;
	struct store_message message;	/* as it was; the flags without keywords, no modseq */
	const char *keywords;		/* names, with a space between two; NULL: none */
	int64_t left_s;			/* since 1970 UTC */
	enum store_leaving how;
	const char *by;			/* NULL: nobody knows */
};

/* Strings are borrowed until return.  False stops early.  Must not call the store. */
typedef bool store_retained_visitor(const struct store_retained *retained, void *context);

/* Visit those with ids from after on, the id itself left out, rising. */
enum store_status store_retained_each(struct store *store, uint64_t after, store_retained_visitor *visitor, void *context);

/*
 * Bring one back into a mailbox, under the next UID, without \Deleted; then it is kept no more.
 *
 *	wanted	as it was visited; of it the id, mailbox_id and the message's uid and content_id count
 *	into_id	0: the mailbox it was in, which is made anew when there is none of its name
 *	arena	for the mailbox's name
 *
 * STORE_NOT_FOUND: it is not kept any more, or there is no mailbox into_id.  STORE_OVER_QUOTA, STORE_LIMIT as
 * store_append().
 */
struct store_returned {
	uint64_t mailbox_id;
	const char *mailbox;
	bool is_made;			/* the mailbox */
	struct store_message message;
};

enum store_status store_retained_restore(struct store *store, const struct store_retained *wanted, uint64_t into_id,
    struct arena *arena, struct store_returned *returned_out);

#endif
