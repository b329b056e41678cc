/*
 * The messages that a command is to put in order: those that its search finds, one after the other by their numbers, and
 * the keys that know what is compared of them.  What the store does not have of a message is made from the header, and
 * then kept.  Loop thread.
 */
#ifndef MAILBOX_SORT_GATHER_H
#define MAILBOX_SORT_GATHER_H

#include "../search/run.h"
#include "keys.h"

struct sort_message {
	uint64_t content_id;
	int64_t internal_date_s;
	uint32_t number, size;
	uint32_t slot;			/* in the keys, if there are any */
};

struct sort_made;

/* The first member of what session->running points to, zeroed, in the line's arena. */
struct sort_gather {
	struct search_run run;
	struct session_job job;		/* loading, or keeping */
	struct sort_message *messages;
	size_t count, capacity;
	size_t next;			/* the first whose slot is not known */
	uint32_t number;		/* the last that was looked at for messages */
	uint64_t modseq;		/* the highest of all that were found */
	bool needs_keys;
	unsigned fields;		/* that the keys are to know: enum store_ordering_fields */
	struct keys *keys;		/* or NULL; a worker's while a job runs */
	size_t keys_octets;		/* as the last job left them */
	struct buffer question;		/* what is asked, of which UIDs; empty: too long to be remembered */
	struct buffer answer;		/* remembered from the last time; empty: not known */
	bool is_gone;			/* a message had no content any more */
	struct sort_made *made;		/* what is to be kept */
	size_t made_count, made_octets;
	size_t noted;			/* octets with which it counts among what the user's sessions hold */
	void (*on_gathered)(struct session *session, enum reply reply);
};

/*
 * Begin with needs_keys, fields and on_gathered set, and the question: all but the messages that the answer hangs on, at
 * least an octet.
 *
 *	on_gathered	comes once, maybe before this returns: REPLY_DONE, the keys know all, or the answer is remembered; else
 *			what the command is to be ended with
 */
void sort_gather_begin(struct session *session, struct sort_gather *gather);

/* So many octets are held beside what was gathered.  False: the user's sessions hold too much. */
bool sort_gather_note(struct session *session, size_t octets);

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
static inline int64_t
sort_sent_s(const struct keys *keys, const struct sort_message *message)
{
	return keys->has_sent_date[message->slot] ? keys->sent_s[message->slot] : message->internal_date_s;
}

/* Free what it holds, and end the command. */
void sort_gather_finish(struct session *session, enum reply reply);

#endif
