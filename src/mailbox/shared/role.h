/*
 * What all sessions and deliveries of the role share.  Loop thread.
 */
#ifndef ROLE_H
#define ROLE_H

#include "account.h"
#include "directory/directory.h"
#include "imap/parser.h"
#include "lmtp/lmtp.h"
#include "loop/job.h"
#include "mailbox/mailbox.h"
#include "metrics/metrics.h"
#include "store/packed.h"

struct map;

struct mailbox_role {
	struct mailbox_parts parts;
	struct accounts *accounts;
	struct job_queue *directory_jobs;
	struct shares *shares;			/* shares.h */
	struct list sessions;			/* struct session */
	struct map *by_sid;			/* those with a user, by the ids that the cas gave them */
	uint64_t joined;			/* how often one came last into the list */
	struct list deliveries;			/* struct delivery_session */
	struct list images;			/* that are read by operators: role/image.c */
	struct list restores;			/* that operators send: role/restore.c */
	struct list movers;			/* struct mover: users on their way from here or to here */
	struct list renames;			/* struct rename, renames.h: users whose old name some file may still say */
	/* A stream of the link wants to move a user (src/link/README): takes it, with what was not read.  NULL: not now */
	void (*on_mover)(struct mailbox_role *role, struct stream *stream, struct span wish);
	struct listener **listeners;
	size_t listener_count;
	struct lmtp_settings lmtp;
	struct imap_limits limits;		/* message_octets by the configuration */
	enum store_compression compression;	/* of what comes in: storage-compression */
	struct mailbox_lock lock;		/* of the data directory */
	const char *data_directory;		/* which a reload does not change; borrowed */
	struct faults *faults;
	struct timer trials;			/* whether they are over */
	struct job disk_trial;
	bool is_disk_tried, is_disk_good;
	struct role_retention *retention;	/* role/retention.c */
	struct job ending;			/* says in the lock's file that all is closed */
	uint64_t sessions_in[METRIC_LMTP];	/* of each state, enum metric_state */
	uint64_t untold_count;			/* sessions with news that their clients do not read */
	uint64_t sessions_count, deliveries_count, logins, appended, delivered;
	unsigned jobs;				/* lookups, passwords and deliveries under way */
	unsigned verifying;			/* passwords of them */
	bool is_stopping, is_closing_accounts;
	void (*on_ended)(struct mailbox_role *role);	/* a session, delivery or lookup has: a stop may go on */
	struct timer drain;			/* who leaves next */
	uint64_t drain_end_us, drain_share;
	mailbox_stopped *on_stopped;
	void *stopped_context;
};

/* A question to the directory, or a change of it.  Lives inside whatever asks; stays until done(). */
struct role_ask {
	struct job job;
	struct mailbox_role *role;
	enum directory_status (*work)(struct role_ask *ask, struct directory *directory);	/* worker */
	void (*done)(struct role_ask *ask);	/* loop; may free it */
	enum directory_status status;		/* what work() gave */
};

/* Ask, in turn with lookups. */
void role_submit_ask(struct mailbox_role *role, struct role_ask *ask);

/*
 * Who a name is.  Lives inside whatever asks; stays until done().
 */
struct role_lookup {
	struct job job;
	struct mailbox_role *role;
	struct directory_name names[LMTP_LOOKUP_NAMES + 1];	/* the first that exists counts */
	size_t name_count;
	bool takes_aliases;		/* each may be an alias, too */
	struct directory_name catch_all;	/* an alias that counts last; empty: none */
	bool is_login;			/* who may not log in does not exist, unless ... */
	bool may_be_shared, may_be_disabled;
	const struct directory_claim *claim;	/* NULL, or of a login, instead of names: found is whose mail it is */
	struct directory_name prover;	/* filled with a claim: who acts as that; empty: the same */
	bool is_master;
	void (*done)(struct role_lookup *lookup);	/* loop */
	enum directory_status status;			/* filled by the worker */
	struct directory_name found;			/* the user's name */
	bool is_shared;				/* no user, but a shared account */
	bool is_elsewhere;			/* the user's mail is at a server of another kind; what is here waits for the move */
	bool asks_disk;
	uint64_t free_octets;			/* with asks_disk: on the disk; UINT64_MAX: cannot be told */
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
	struct directory_quota quota;	/* noted before done() */
	struct buffer *credential;	/* NULL, or gets what proves the user; stays empty if nothing does */
	struct buffer groups;		/* of who logs in: names, each behind a NUL; the caller frees it */
	struct directory_name former;	/* of who logs in: the name before, while rights may still be given to it; or empty */
};

/* Make role->directory_jobs. */
void role_lookups_init(struct mailbox_role *role);

void role_look_up(struct mailbox_role *role, struct role_lookup *lookup);

/* Have another job done on the directory, in turn with lookups; counted in role->jobs, until its done() says otherwise. */
void role_ask_directory(struct mailbox_role *role, struct job *job);

/* What a user may keep, from the next job on. */
void role_note_quota(struct mailbox_role *role, const char *mailbox_id, const struct directory_quota *quota);

#endif
