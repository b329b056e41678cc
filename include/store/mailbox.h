/*
 * The mailboxes of one user and their subscriptions.  Names are UTF-8 in NFC with '/'
 * between levels, at most STORE_NAME_MAX octets; the caller has checked them and written INBOX
 * upper-case.  Worker threads only; store/store.h says how transactions go.
 */
#ifndef STORE_MAILBOX_H
#define STORE_MAILBOX_H

#include "base/arena.h"
#include "store/keyword.h"

#define STORE_NAME_MAX	   1000		/* octets, also of a keyword */
#define STORE_MAILBOX_MAX  10000	/* mailboxes of one user; more is STORE_LIMIT */

/* Whose \Seen the messages have for those who are not the owner. */
enum store_seen_sharing {
	STORE_SEEN_AS_CONFIGURED,
	STORE_SEEN_PRIVATE,		/* each has their own: store/seen.h */
	STORE_SEEN_SHARED,		/* all have the owner's */
};

struct store_parting;

struct store_mailbox {
	uint64_t id;			/* never given twice in one file */
	const char *name;
	const char *special_use;	/* such as "\\Sent" or "\\Drafts \\Sent" (RFC 6154), or NULL */
	uint32_t uidvalidity;		/* never given twice in one file */
	uint32_t uidnext;
	uint32_t recent_uid;		/* no read-write session has seen messages from here on */
	uint32_t messages, unseen, deleted;
	uint64_t size_octets;		/* of all messages */
	uint64_t deleted_octets;	/* of those with \Deleted */
	uint64_t highest_modseq;	/* RFC 7162; at least 1 */
	enum store_seen_sharing seen_sharing;
};

/* Give all mailboxes whose names begin so, in the order of the octets of these, from the arena. */
enum store_status store_mailbox_list(struct store *store, struct span prefix, struct arena *arena,
    struct store_mailbox **mailboxes_out, size_t *count_out);

/* The same from this name on, at most so many. */
enum store_status store_mailbox_list_from(struct store *store, struct span name, size_t count_max, struct arena *arena,
    struct store_mailbox **mailboxes_out, size_t *count_out);

/* Give one mailbox; its strings come from the arena. */
enum store_status store_mailbox_find(struct store *store, struct span name, struct arena *arena,
    struct store_mailbox *mailbox_out);
enum store_status store_mailbox_get(struct store *store, uint64_t mailbox_id, struct arena *arena,
    struct store_mailbox *mailbox_out);

/* Whether there is no mailbox with this id. */
enum store_status store_mailbox_is_gone(struct store *store, uint64_t mailbox_id, bool *is_gone_out);

/* Whether there is a mailbox below this name, which need not be one itself. */
enum store_status store_mailbox_has_children(struct store *store, struct span name, bool *has_children_out);

/*
 * Make a mailbox, and those above it that are missing (RFC 9051 section 6.3.4).
 *
 *	special_use	 such as "\\Sent", with a space between several, or NULL
 *	mailbox_id_out	 may be NULL
 *
 * STORE_EXISTS; STORE_LIMIT: the user has too many; STORE_OVER_QUOTA.
 */
enum store_status store_mailbox_create(
    struct store *store, struct span name, const char *special_use, uint64_t *mailbox_id_out);

/*
 * Delete a mailbox with its messages; those below it stay, and so does its subscription (RFC 9051
 * sections 6.3.5 and 6.3.8).  STORE_FORBIDDEN: INBOX.
 *
 *	parting	as for store_expunge()
 */
enum store_status store_mailbox_delete(struct store *store, struct span name, const struct store_parting *parting);

/*
 * Rename a mailbox together with those below it; makes the new name's missing parents.  Renaming
 * INBOX moves its messages into a new mailbox under new UIDs and leaves INBOX, and what is below
 * it, in place (RFC 9051 section 6.3.6).  Subscriptions stay as they are.
 *
 * STORE_EXISTS: one of the new names is taken.  STORE_FORBIDDEN: the new name lies below the old
 * one.  STORE_LIMIT: a new name would be too long.
 */
enum store_status store_mailbox_rename(struct store *store, struct span from, struct span to);

/* Set or, with NULL, take away the special use. */
enum store_status store_mailbox_set_special_use(struct store *store, uint64_t mailbox_id,
    const char *special_use);

/* Say whose \Seen it is.  All messages count as changed when it was another's: each viewer has to look anew. */
enum store_status store_mailbox_share_seen(struct store *store, uint64_t mailbox_id, enum store_seen_sharing sharing);

/*
 * Give the next modseq to a change that is kept elsewhere.  A lazy transaction will do.
 */
enum store_status store_mailbox_take_modseq(struct store *store, uint64_t mailbox_id, uint64_t *modseq_out);

/*
 * Take over the messages that are recent: sets recent_uid to uidnext.
 *
 *	recent_uid_out	 what it was before: messages from there on are recent to the caller's session
 *
 * RFC 3501 section 2.3.2.  A lazy transaction will do.
 */
enum store_status store_mailbox_claim_recent(struct store *store, uint64_t mailbox_id,
    uint32_t *recent_uid_out);

/*
 * Subscriptions are names, with or without a mailbox (RFC 9051 section 6.3.7).  Both ways are fine
 * when nothing changes.
 */
enum store_status store_subscribe(struct store *store, struct span name);
enum store_status store_unsubscribe(struct store *store, struct span name);
enum store_status store_subscription_list(struct store *store, struct arena *arena,
    struct span **names_out, size_t *count_out);

/* Whether a name, or one below it, is among them; and let what is begin with another name instead. */
enum store_status store_subscription_has(struct store *store, struct span name, bool *is_there_out);
enum store_status store_subscription_rename(struct store *store, struct span from, struct span to);

#endif
