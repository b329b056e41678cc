/*
 * STORE: what its two files share.  Loop thread.
 */
#ifndef STORE_COMMAND_H
#define STORE_COMMAND_H

#include "../session/door.h"
#include "commands.h"

struct overlaid;

struct store_command {
	struct session_job job;
	struct session_follower follower;	/* also of one that was the first */
	enum store_status status;
	struct imap_store *request;
	struct arena *arena;
	struct door door;
	uint64_t mailbox_id;
	uint32_t *uids;
	size_t count;
	bool is_behind;			/* the state lacks what others do that have begun before it */
	bool is_by_uid;			/* or by "$", which stands for UIDs: one that is gone is no error */
	bool has_ghosts;
	uint32_t lowest_uid;		/* of view_set_limit() */
	struct store_flag_known *known;	/* NULL: not asked for */
	struct store_flag_current *current;	/* NULL: they are looked up */
	uint64_t current_modseq;
	struct store_flag_result *results;
	size_t told;			/* of the results */
	uint32_t number;		/* of the message that was told last */
	size_t known_keywords;
	struct store_keywords news;
	struct overlaid *overlaid;	/* \Seen is the user's own: the job leaves it alone; or NULL */
	void (*submit)(struct session *session, struct store_command *command);	/* change the flags in the mailbox's file */
};

/* With an overlay: the other flags first, by command->submit(), then \Seen of those messages that the job has found. */
void store_begin_overlaid(struct session *session, struct store_command *command);

/* The job is home, and what it has changed is known to all. */
void store_go_on_overlaid(struct session *session, struct store_command *command);

#endif
