/*
 * What happens to a user's mailboxes, for sessions that have asked to be told of more than the one they have
 * selected (NOTIFY, RFC 5465).  Changes are noted where they are known, gathered, looked up in the store by one job,
 * and then shown to all watchers: a change costs one look, however many watch.  Loop thread.
 *
 * Nothing is noted while nobody watches.
 */
#ifndef MAILBOX_BULLETIN_H
#define MAILBOX_BULLETIN_H

#include "account.h"
#include "imap/notify.h"
#include "store/mailbox.h"

struct bulletin;

/* A mailbox whose messages have changed, as it was when it was looked up. */
struct bulletin_mailbox {
	struct store_mailbox row;
	unsigned events;		/* IMAP_EVENTS_OF_MESSAGES of them */
	bool is_subscribed;
	const void *origin;		/* account_actor() of all of it; NULL: several, or no session */
};

/* A name that was made, deleted, renamed or subscribed to. */
struct bulletin_name {
	struct span name, old_name;	/* old_name: it was renamed; else empty */
	unsigned event;			/* IMAP_EVENT_MAILBOX_NAME or _SUBSCRIPTION_CHANGE */
	bool exists, has_children, is_subscribed;
	const char *special_use;	/* or NULL */
	const void *origin;
};

/* An annotation that was set or taken away. */
struct bulletin_annotation {
	struct span name;		/* of the mailbox; empty: of the server */
	struct span entry;
	bool is_subscribed;
	const void *origin;
};

/* Borrowed until on_issue() returns. */
struct bulletin_issue {
	const struct bulletin_mailbox *mailboxes;
	size_t mailbox_count;
	const struct bulletin_name *names;
	size_t name_count;
	const struct bulletin_annotation *annotations;
	size_t annotation_count;
};

struct bulletin_watcher {
	struct list link;
	void (*on_issue)(struct bulletin_watcher *watcher, const struct bulletin_issue *issue);
};

/* Begin and end to watch.  The account is held meanwhile, by the caller. */
void bulletin_watch(struct account *account, struct bulletin_watcher *watcher);
void bulletin_unwatch(struct account *account, struct bulletin_watcher *watcher);

/* Messages of a mailbox have come, gone or changed. */
void bulletin_note_messages(struct account *account, uint64_t mailbox_id, unsigned events);

/* A mailbox was made (also those above it that were missing) or deleted; renamed; subscribed to or no more. */
void bulletin_note_name(struct account *account, struct span name);
void bulletin_note_renamed(struct account *account, struct span from, struct span to);
void bulletin_note_subscription(struct account *account, struct span name);

/* An annotation of a mailbox, or with an empty name of the server, was set or taken away. */
void bulletin_note_metadata(struct account *account, struct span name, struct span entry);

#endif
