/*
 * The role, as its sessions and deliveries know it.  Loop thread.
 */
#ifndef ROLE_H
#define ROLE_H

#include "account.h"
#include "directory/directory.h"
#include "imap/parser.h"
#include "lmtp/lmtp.h"
#include "loop/job.h"
#include "mailbox/mailbox.h"

struct mailbox_role {
	struct mailbox_parts parts;
	struct accounts *accounts;
	struct job_queue *directory_jobs;
	struct list sessions;			/* struct session */
	struct list deliveries;			/* struct delivery_session */
	struct listener **listeners;
	size_t listener_count;
	struct lmtp_settings lmtp;
	struct imap_limits limits;		/* message_octets by the configuration */
	int lock;				/* of the data directory */
	uint64_t sessions_count, deliveries_count, logins, appended, delivered;
	unsigned jobs;				/* lookups, passwords and deliveries under way */
	unsigned verifying;			/* passwords of them */
	bool is_stopping, is_closing_accounts;
	struct timer drain;			/* who leaves next; drain.c */
	uint64_t drain_end_us, drain_share;
	mailbox_stopped *on_stopped;
	void *stopped_context;
};

/*
 * Who a name is.  Lives inside whatever asks; stays until done().
 */
struct role_lookup {
	struct job job;
	struct mailbox_role *role;
	struct directory_name names[LMTP_LOOKUP_NAMES];	/* the first that exists counts */
	size_t name_count;
	void (*done)(struct role_lookup *lookup);	/* loop */
	enum directory_status status;			/* filled by the worker */
	struct directory_name found;			/* the user's name */
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
	struct buffer *credential;	/* NULL, or gets what proves the user; stays empty if nothing does */
};

void role_look_up(struct mailbox_role *role, struct role_lookup *lookup);

/* Something has ended: a stop may go on. */
void role_check_stopped(struct mailbox_role *role);

/* Let nobody in any more; deliveries end when they have answered. */
void role_close(struct mailbox_role *role);

/* Tell every session BYE, whatever it does. */
void role_bye_all(struct mailbox_role *role);

/* drain.c */
void role_drain_on_due(void *context);

/* Serve LMTP on a stream, taken. */
void delivery_accept(struct mailbox_role *role, struct stream *stream);
void delivery_stop_all(struct mailbox_role *role);
void delivery_configure(struct mailbox_role *role);

#endif
