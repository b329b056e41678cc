/*
 * An APPEND or REPLACE, from the first octet of its first message to its answer.  Loop thread.
 */
#ifndef APPENDED_H
#define APPENDED_H

#include "../session/door.h"
#include "../session/marking.h"
#include "../session/session.h"
#include "incoming.h"
#include "store/quota.h"

/* Where the messages go. */
struct append_place {
	uint64_t mailbox_id;
	uint32_t uidvalidity;
	bool is_unasked;		/* remembered, and yet to be found */
	struct store_amounts room;	/* for messages that are still to come */
};

struct append {
	struct session *session;
	struct session_follower follower;	/* also of one that was the first */
	struct list link;		/* in session->whole */
	struct incoming incoming;
	size_t capacity;		/* of incoming.messages */
	struct span tag;
	bool is_literal8, is_synchronizing;	/* of the message that comes in */
	bool has_nul;			/* where it must not be */
	bool is_small;			/* rendered in the job that stores it */
	bool is_ready, is_submitted;	/* rendered, or refused; its job is out */
	enum reply refusal;		/* of a whole command, before its job; REPLY_DONE: none */
	enum store_status status;
	bool is_replace;		/* RFC 8508: another message goes with it */
	uint64_t replaced_id;		/* its mailbox */
	uint32_t replaced_uid;
	uint32_t replaced_size;		/* octets: room for what takes its place */
	uint64_t replaced_modseq;
	bool is_replaced_gone;
	struct append_place place;	/* the loop's: what comes behind reads it while the job is out */
	struct append_place found;	/* the job's, whose place it is when that is home */
	struct door door;
	struct door source;		/* of the message that is replaced */
	struct store_parting parting;	/* how it leaves */
	struct job render;
	struct session_job lookup, store;
	struct marking marking;
	struct store_message *results;
	size_t known_keywords;
	struct store_keywords news;
};

/* Find the mailbox, by its name, for append->found, within a job.  STORE_NOT_FOUND: as door_find() says. */
enum store_status appended_find(struct store *store, struct append *append);

/* What goes when the message comes makes room for it. */
struct store_amounts appended_credit(const struct append *append);

/* What is said of a mailbox that is not there. */
enum reply appended_reply(enum store_status status);

/*
 * The command is whole, and follower.line set: store it, behind those that came before it, and answer in its turn.  Takes
 * session->incoming.
 */
void appended_store(struct session *session, struct append *append);

/* Accepts NULL. */
void appended_free(struct append *append);

#endif
