/*
 * What the user of a file has \Seen in mailboxes of others, whose messages lie in their owner's file.  It is kept as
 * ranges of UIDs that lie together, each with the modseq that the owner's mailbox gave the change (RFC 7162).
 *
 * A change is written before it has a modseq, and is settled when it has one: until then it counts as newer than
 * anything that was told.  So whatever is lost in between, nobody takes an older state for the newest.
 *
 * Worker threads only; store/store.h says how transactions go.
 */
#ifndef STORE_SEEN_H
#define STORE_SEEN_H

#include "base/arena.h"
#include "store/message.h"

/* A mailbox of another. */
struct store_seen_mailbox {
	const char *owner;		/* mailbox id of the directory */
	uint64_t id;			/* in the owner's file */
	uint32_t uidvalidity;		/* there; for store_seen_load() of no account */
};

struct store_seen_range {
	uint32_t first, last;
	bool is_seen;
	uint64_t modseq;		/* 0: not settled */
};

struct store_seen {
	uint32_t uidvalidity;		/* with which it was written; with another one it means nothing */
	uint64_t floor_modseq;		/* no message counts as changed before */
	bool is_doubtful;		/* clients may know what the file does not: store_seen_raise() */
	struct store_seen_range *ranges;	/* rising; from malloc */
	size_t count;
};

/* Give what is known of a mailbox, to store_seen_fini(); nothing is known of one that was never looked at. */
enum store_status store_seen_load(struct store *store, const struct store_seen_mailbox *mailbox,
    struct store_seen *seen_out);

/* Accepts a zeroed one, leaves a zeroed one behind. */
void store_seen_fini(struct store_seen *seen);

/* Set or clear \Seen of the messages in these ranges, which rise; what they were before goes.  Not settled. */
enum store_status store_seen_change(struct store *store, const struct store_seen_mailbox *mailbox,
    const struct store_uid_range *ranges, size_t count, bool is_seen);

/* All that is not settled has this modseq. */
enum store_status store_seen_settle(struct store *store, const struct store_seen_mailbox *mailbox, uint64_t modseq);

/* The same, and no message counts as changed before this modseq: what was in doubt is no more. */
enum store_status store_seen_raise(struct store *store, const struct store_seen_mailbox *mailbox, uint64_t modseq);

/* Write other ranges that say the same of the messages that are there.  Everything is settled. */
enum store_status store_seen_replace(struct store *store, const struct store_seen_mailbox *mailbox,
    const struct store_seen_range *ranges, size_t count);

/* Forget a mailbox that is gone. */
enum store_status store_seen_forget(struct store *store, const char *owner, uint64_t mailbox_id);

/* Give the ids of all mailboxes of an owner of which something is known, from the arena. */
enum store_status store_seen_mailboxes(struct store *store, const char *owner, struct arena *arena,
    uint64_t **ids_out, size_t *count_out);

#endif
