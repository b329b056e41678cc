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
	struct buffer question;		/* what is asked, of which UIDs; empty: too long to be remembered */
	struct buffer answer;		/* remembered from the last time; empty: not known */
	bool is_gone;			/* a message had no content any more */
	struct sort_made *made;		/* what is to be kept */
	size_t made_count, made_octets;
	/*
	 * Worker.  One more message; without has_orderings the ordering is empty, and if the message is gone meanwhile.
	 * Borrowed until return.  False: this is more than memory is to be used for.
	 */
	bool (*take)(struct sort_gather *gather, const struct sort_message *message, const struct store_ordering *ordering);
	size_t (*held)(const struct sort_gather *gather);	/* octets, of all that was taken */
	size_t noted;			/* octets with which it counts among what the user's sessions hold */
	void (*on_gathered)(struct session *session, enum reply reply);
};

/*
 * Begin with has_orderings, fields, take, held and on_gathered set, and the question: all but the messages that the answer
 * hangs on, at least an octet.
 *
 *	on_gathered	comes once, maybe before this returns: REPLY_DONE, all were taken, or the answer is remembered; else
 *			what the command is to be ended with
 */
void sort_gather_begin(struct session *session, struct sort_gather *gather);

/*
 * Remember the answer, for who asks the same of the same messages: neither they nor their internal dates ever change.
 * At least an octet.
 */
void sort_gather_remember(struct session *session, struct span answer);

/*
 * Putting the messages in order is so far.  Each of the mailbox is searched, gathered and put in order, and of these three
 * parts is made one count of messages: it neither goes back nor towards another goal (RFC 9585 section 4).
 */
void sort_gather_tell_order(struct session *session, uint64_t done, uint64_t total);

/* The number by which the client knows a message. */
static inline uint32_t
sort_gather_name(const struct session *session, size_t place)
{
	const struct sort_gather *gather = session->running;
	uint32_t number = gather->messages[place].number;

	return session->line->is_uid ? view_uid(gather->run.view, number) : number;
}

/* The sent date: RFC 5256 section 2.2. */
int64_t sort_sent_s(const struct sort_message *message, const struct store_ordering *ordering);

/* Free what it holds, and end the command. */
void sort_gather_finish(struct session *session, enum reply reply);

#endif
