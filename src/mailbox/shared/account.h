/*
 * One user with work in hand: a store, a queue of jobs that at most one worker runs at a time, and the
 * states of the mailboxes that sessions have open.  Writes that wait together are committed together and
 * answered after the commit (DESIGN section 7).  Loop thread, except where said.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "base/list.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "store/mark.h"
#include "store/quota.h"
#include "states.h"

struct account;
struct accounts;
struct faults;

enum account_kind {
	ACCOUNT_READ,		/* outside of transactions */
	ACCOUNT_IMAGE,		/* likewise, and not even in one that reads: for store/image.h and store/pages.h */
	ACCOUNT_DERIVED,	/* in a transaction of its own that needs no flush: STORE_DERIVED */
	ACCOUNT_LAZY,		/* changes flags only: may be flushed within a second */
	ACCOUNT_DURABLE,	/* done() comes after the flush */
	ACCOUNT_CLOSE,		/* private to account.c: close the store */
	ACCOUNT_SHRINK,		/* private to paging.c: give pages in memory back, if the store is open */
	ACCOUNT_FOLD,		/* private to folding.c: fold the WAL, if the store is open */
	ACCOUNT_ASIDE,		/* the store is closed, and work() gets NULL: for what concerns the file; not when it is gone */
	ACCOUNT_REMOVE,		/* likewise, and nothing is opened or made any more */
};

#define ACCOUNT_MUCH_OCTETS (1024 * 1024)

/*
 * A job on a user's store.  Lives inside what it works on.  The caller fills in kind, work and done, and
 * is_alone if it writes more than ACCOUNT_MUCH_OCTETS: what several jobs of one transaction write stays in memory, so
 * that each of them can be undone.
 */
struct account_job {
	struct job job;
	struct account *account;
	enum account_kind kind;
	bool is_alone;			/* writes much: gets a transaction of its own */
	/* Worker.  What it returns becomes status; anything but STORE_OK undoes its changes. */
	enum store_status (*work)(struct store *store, struct account_job *job);
	/* Loop.  Comes always, in the order of submission; may free the job. */
	void (*done)(struct account_job *job);
	enum store_status status;	/* of work and commit together; to be read in done() */
	/* Private to account.c. */
	bool needs_flush, is_broken, is_open, is_trial, is_training_due;
	uint64_t file, backlog, wal_octets, wal_bound, page_octets;
	enum store_finding news;
	bool has_unsettled_flags;
	bool is_retention_over;
	bool has_quota_news;
	struct store_quota_news quota_news;
	char *error;
};

struct accounts_settings {
	struct loop *loop;
	struct workers *storage;
	const char *data_directory;	/* borrowed for life */
	uint64_t era;			/* of its marks */
	struct faults *faults;	/* gets what is wrong */
	size_t open_max;		/* stores open at a time, as far as they are idle */
	bool is_always_durable;		/* flag-sync always */
	struct store_quota quota;	/* of each user */
	int64_t retention_s;		/* how long expunged mail is kept: store/retained.h */
	/* A store has failed: what is on the disk is unknown.  Comes before the job's done(). */
	void (*on_lost)(struct account *account);
};

struct accounts *accounts_new(const struct accounts_settings *settings);
void accounts_set_limits(struct accounts *accounts, size_t open_max, bool is_always_durable,
    const struct store_quota *quota, int64_t retention_s);

/*
 * Say what one user may keep, from the next job on; known until said anew, whether the account has work in hand or not.
 *
 *	limits	0: as in the settings; copied
 */
void accounts_set_limits_of(struct accounts *accounts, const char *mailbox_id, const struct store_amounts *limits);

/* What that comes to. */
struct store_amounts accounts_limits_of(const struct accounts *accounts, const char *mailbox_id);

/*
 * The user was deleted: whoever else has work in hand in the account may do nothing there any more.  Nobody new may be led
 * to the mailbox id.
 */
void accounts_orphan(struct accounts *accounts, const char *mailbox_id);

/* The user has another name now, for the log and for who owns the mailboxes. */
void accounts_rename(struct accounts *accounts, const char *mailbox_id, const char *user);

/* Any thread, as long as the account is held. */
bool account_is_orphan(const struct account *account);

/* Close every store; calls back once, never before it returns, when all accounts are gone.  Nobody may
 * hold one or get one any more. */
void accounts_stop(struct accounts *accounts, void (*on_stopped)(void *context), void *context);

/* Only when stopped, or when there never was an account.  Accepts NULL, leaves NULL behind. */
void accounts_free(struct accounts **accounts);

size_t accounts_count(const struct accounts *accounts);
size_t accounts_open_count(const struct accounts *accounts);

/*
 * Hold the account of a mailbox id (directory/directory.h), whose user has this name; its file is made with the
 * first job, unless there was one before.
 */
struct account *account_hold(struct accounts *accounts, const char *mailbox_id, const char *user);

/* Hold once more what is held. */
struct account *account_keep(struct account *account);

/* Let go.  Jobs under way go on.  Accepts NULL, leaves NULL behind. */
void account_release(struct account **account);

/* Submit.  The account stays as long as it has jobs. */
void account_submit(struct account *account, struct account_job *job);

/* The same for what no user has asked for: the account counts as no more in use than before. */
void account_submit_quietly(struct account *account, struct account_job *job);

/*
 * The account is about to move elsewhere: nothing is done to its file but what users ask for, and it stays open.  In pairs.
 */
void account_begin_copy(struct account *account);
void account_end_copy(struct account *account);
bool account_is_copied(const struct account *account);

/*
 * Sessions begin no command any more; and then no job, except by account_submit_inside(): those that are submitted wait.
 * account_open() lets all of it go on.  Whoever shuts the account holds it.
 */
void account_halt(struct account *account);
void account_shut(struct account *account);
void account_open(struct account *account);
bool account_is_halted(const struct account *account);
bool account_is_shut(const struct account *account);
void account_submit_inside(struct account *account, struct account_job *job);

/* From now on nothing is opened or made under this mailbox id: jobs fail with STORE_NOT_FOUND.  Or it is again. */
void accounts_note_gone(struct accounts *accounts, const char *mailbox_id, bool is_gone);

/* No job is under way or waits. */
bool account_has_no_jobs(const struct account *account);

/* Something of what its user may keep has a limit. */
bool account_has_quota(const struct account *account);

/* Where its messages are indexed; lives as long as the account. */
struct index_seat;
struct index_seat *account_index_seat(struct account *account);

/* Reading of bodies is under way: what was expunged is not purged meanwhile.  In pairs. */
void account_begin_reading(struct account *account);
void account_end_reading(struct account *account);

/*
 * One of the user's sessions holds so many octets to put messages in order, and no more as many as before.  Gives how
 * many all of them hold.
 */
size_t account_note_gathered(struct account *account, size_t before, size_t now);

/* Something was expunged: purge when there is time. */
void account_has_garbage(struct account *account);

/* The states of open mailboxes, linked by state->link; and those of all accounts that nobody holds. */
struct states *account_states(struct account *account);
struct state_cache *account_state_cache(struct account *account);

/* States of mailboxes of others in which \Seen is this user's, linked by overlay->link. */
struct list *account_overlays(struct account *account);

/* What STATUS has read of mailboxes that nobody has open: shared/status_rows.h. */
struct status_rows;
struct status_rows *account_status_rows(struct account *account);

/* What searches have found out of its contents, linked by insight->link; and the bound on that of all accounts. */
struct list *account_insights(struct account *account);
struct insights *account_insight_cache(struct account *account);

/* What is kept beside states, of all accounts, while nobody uses it: 128 MiB, for ten minutes. */
struct state_cache *account_extra_cache(struct account *account);

/* What FETCH has sent of contents, of all accounts: 64 MiB, for a minute without use. */
struct state_cache *account_body_cache(struct account *account);

/* What watches the account, for bulletin.h alone; NULL: nothing. */
struct bulletin;
struct bulletin *account_bulletin(const struct account *account);
void account_set_bulletin(struct account *account, struct bulletin *bulletin);

/* The session whose job is being taken home, an identity and no more; NULL outside of that. */
const void *account_actor(const struct account *account);
void account_set_actor(struct account *account, const void *actor);

/* A state has gone: the account may go, too, if nothing else keeps it. */
void account_tend(struct account *account);

/* Where the file and its mark are; any thread, as long as the account is held. */
const char *account_path(const struct account *account);
const char *account_mark_path(const struct account *account);

/* The mailbox id, and the name of its user, as account_hold() or accounts_rename() got them.  Any thread. */
const char *account_id(const struct account *account);
const char *account_user(const struct account *account);

struct loop *account_loop(const struct account *account);

#endif
