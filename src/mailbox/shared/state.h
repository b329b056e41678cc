/*
 * The state of one open mailbox, shared by all sessions on it: which messages there are and their flags.
 * Loaded once by a job and kept current by the results of jobs, in the order of their commits.  Loop thread.
 */
#ifndef STATE_H
#define STATE_H

#include "account.h"
#include "answers.h"
#include "keywords.h"
#include "modseqs.h"
#include "state_cache.h"
#include "store/message.h"

enum state_phase {
	STATE_LOADING,
	STATE_READY,
	STATE_GONE,		/* the mailbox was deleted, or the store has failed */
};

struct overlay;

/* What the rooms above keep beside a state, one of each. */
enum state_extras { STATE_SORT, STATE_FETCH, STATE_BODIES, STATE_EXTRAS };

/* Lives inside its owner. */
struct state_extra {
	struct state *state;
	void (*on_gone)(struct state_extra *extra);	/* the state goes */
};

struct state {
	struct list link, name_link;	/* in account_states() */
	struct state_place place;	/* in account_state_cache(), when nobody holds it */
	struct account *account;
	uint64_t mailbox_id;
	struct overlay *overlay;	/* whose \Seen its messages have; NULL: that of the file */
	struct span name;		/* NULL: loading, or something was renamed since */
	enum state_phase phase;
	enum store_status status;	/* why it is gone */

	struct store_message *messages;	/* rising UIDs */
	size_t count, capacity;
	struct modseqs modseqs;		/* of the messages */
	uint32_t unseen, deleted;	/* of them, so many without \Seen, with \Deleted */
	uint64_t size_octets;		/* of all of them */
	uint64_t deleted_octets;	/* of those with \Deleted */
	uint32_t uidvalidity, uidnext;
	uint32_t recent_uid;		/* UIDs from here on no read-write view has been told of */
	uint32_t claimed_uid;		/* UIDs below the file will not call recent any more, as far as is known */
	uint64_t highest_modseq;
	uint64_t flags_modseq;		/* the highest that a change of flags was given */
	uint64_t expunged_modseq;	/* the highest that an expunge was given, or 0 */

	struct keywords *keywords;	/* held */
	struct answers answers;		/* to what takes long to find */
	struct state_extra *extras[STATE_EXTRAS];	/* or NULL */

	unsigned holders;
	struct list listeners;
	struct list waiters;
	struct state_load *load;	/* the job under way */
};

/*
 * Is told what happens to a state.  Lives inside its owner, who puts it into state->listeners and takes it out.
 */
struct state_listener {
	struct list link;
	/* Something has changed, or the state is gone.  Must not change or release the state: defer. */
	void (*on_change)(struct state_listener *listener);
	/* The flags of this message, as it is still, are about to change.  NULL: who cares. */
	void (*on_flags)(struct state_listener *listener, const struct store_message *message);
	/* Messages with these UIDs, rising, are going with this modseq; the state still has them. */
	void (*on_going)(struct state_listener *listener, const uint32_t *uids, size_t count, uint64_t modseq);
};

/*
 * Wants a state to be ready.  Lives inside its owner.
 */
struct state_waiter {
	struct list link;
	void (*on_ready)(struct state_waiter *waiter, struct state *state);	/* phase READY or GONE */
};

/*
 * Find or load the state of a mailbox and hold it.  on_ready comes once, from a job or, when it is ready,
 * at once.
 */
void state_hold(struct account *account, uint64_t mailbox_id, struct state_waiter *waiter);

/*
 * The same for one who has a \Seen of their own in another's mailbox: overlay.h.
 *
 *	viewer	held by the caller; NULL: as state_hold()
 */
void state_hold_for(struct account *account, uint64_t mailbox_id, struct account *viewer,
    struct state_waiter *waiter);

/* Let go of what on_ready gave; after the last one the state is kept for a while.  A view holds it, too. */
void state_release(struct state **state);

/* The state of a mailbox if it is loaded and ready, else NULL.  Not held. */
struct state *state_find(struct account *account, uint64_t mailbox_id);
struct state *state_find_named(struct account *account, struct span name);
struct state *state_find_for(struct account *account, uint64_t mailbox_id, const struct account *viewer);

/* The mailbox's row as it is in the file; name is borrowed from the state, special_use is left out. */
void state_row(const struct state *state, struct store_mailbox *mailbox_out);

/* How many messages no read-write view has been told of. */
uint32_t state_recent_count(const struct state *state);

/* Index of the first message with this UID or a higher one. */
size_t state_lower_bound(const struct state *state, uint32_t uid);

/*
 * The first index from this one on, count at the end, near which messages have changed since: those passed over have not.
 * Looks at spans of messages, not at each.
 */
size_t state_changed_from(const struct state *state, size_t index, uint64_t since);

/* The message with this UID, or NULL.  Borrowed until the state changes. */
const struct store_message *state_message(const struct state *state, uint32_t uid);

/* For state_change.c alone: something has changed; and what it costs to keep the state. */
void state_tell_listeners(struct state *state);
size_t state_octets(const struct state *state);

/*
 * Results of jobs: called in done(), in the order in which jobs come home, whoever submitted them.  Each
 * finds the states of the mailbox by itself, overlays too, which keep their \Seen; and does nothing when it is not open.
 */
void state_appended(struct account *account, uint64_t mailbox_id, const struct store_message *messages,
    size_t count);
void state_flags_changed(struct account *account, uint64_t mailbox_id,
    const struct store_flag_result *results, size_t count);

/*
 * What the user of an overlay has seen, or has not: changes.h.  Only that one has other flags then.
 *
 *	uids	rising
 */
void state_seen_changed(struct state *overlaid, const uint32_t *uids, size_t count, bool is_seen, uint64_t modseq);

/* uids rise. */
void state_expunged(struct account *account, uint64_t mailbox_id, const uint32_t *uids, size_t count,
    uint64_t modseq);

/*
 * What store_keyword_news() gave.  To come before the flags that need it.
 */
void state_keywords_changed(struct account *account, uint64_t mailbox_id, const struct store_keywords *news);

/* What to tell store_keyword_news() in a job that is submitted now. */
size_t state_known_keywords(struct account *account, uint64_t mailbox_id);

/* Mailboxes were renamed: states are found by their ids alone until they are loaded again. */
void state_forget_names(struct account *account);

/* The mailbox was deleted: its sessions are told BYE. */
void state_deleted(struct account *account, uint64_t mailbox_id);

/* All messages have changed, and those of overlays in a way of their own: sessions have to look at the mailbox anew. */
void state_outdated(struct account *account, uint64_t mailbox_id);

/* The store has failed: what is on the disk is unknown, so every state of the account is gone. */
void state_all_lost(struct account *account);

/* All messages are told of now by a read-write view: none of them is recent to any other session. */
void state_claim_recent(struct state *state);

/* The job that brought the last message has written that down already. */
void state_note_claimed(struct account *account, uint64_t mailbox_id);

#endif
