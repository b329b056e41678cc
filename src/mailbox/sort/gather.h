/*
 * The messages that a command is to put in order: those that its search finds, one after the other by their numbers,
 * each with what is kept of it to be compared.  What is not kept yet is made from the header, and then kept.  Loop
 * thread, except take().
 */
#ifndef MAILBOX_SORT_GATHER_H
#define MAILBOX_SORT_GATHER_H

#include "../search/run.h"
#include "store/ordering.h"

struct sort_message {
	uint64_t content_id;
	int64_t internal_date_s;
	uint32_t number, size;
};

struct sort_made;

/* The first member of what session->running points to, zeroed, in the line's arena. */
struct sort_gather {
	struct search_run run;
	struct session_job job;		/* loading, or keeping */
	struct sort_message *messages;
	size_t count, capacity;
	size_t next;			/* the first that was not taken */
	uint32_t number;		/* the last that was looked at for messages */
	uint64_t modseq;		/* the highest of all that were found */
	bool has_orderings;
	unsigned fields;		/* of theirs that are wanted: enum store_ordering_fields */
	bool is_full;			/* take() has said so */
	struct sort_made *made;		/* what is to be kept */
	size_t made_count, made_octets;
	/*
	 * Worker.  One more message; without has_orderings the ordering is empty.  Borrowed until return.  False: this
	 * is more than memory is to be used for.
	 */
	bool (*take)(struct sort_gather *gather, const struct sort_message *message, const struct store_ordering *ordering);
	void (*on_gathered)(struct session *session, enum reply reply);
};

/*
 * Begin with has_orderings, fields, take and on_gathered set.
 *
 *	on_gathered	comes once, maybe before this returns: REPLY_DONE, all were taken; else what the command is to be
 *			ended with
 */
void sort_gather_begin(struct session *session, struct sort_gather *gather);

/* The sent date: RFC 5256 section 2.2. */
int64_t sort_sent_s(const struct sort_message *message, const struct store_ordering *ordering);

/* Free what it holds, and end the command. */
void sort_gather_finish(struct session *session, enum reply reply);

#endif
