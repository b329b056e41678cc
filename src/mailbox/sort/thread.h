/*
 * Messages as threads: ORDEREDSUBJECT and REFERENCES of RFC 5256 section 3, and REFS of draft-ietf-morg-inthread: as
 * REFERENCES, without a look at subjects, and the thread with the most recent INTERNALDATE last.  No recursion: a thread
 * may be as deep as there are messages.  Any thread, one at a time.
 */
#ifndef MAILBOX_SORT_THREAD_H
#define MAILBOX_SORT_THREAD_H

#include "sorter.h"

/* A message, or, without one, something that messages refer to: a dummy.  Node 0 is the root. */
struct thread_node {
	uint32_t message;		/* place in messages, from 1 on; 0: none */
	uint32_t parent;
	uint32_t children;		/* how many */
	uint32_t child, next;		/* the first of them, and the next sibling; 0: none */
	uint32_t top;			/* the highest node above, or this one; 0: not known yet */
};

struct thread {
	enum imap_thread_algorithm algorithm;
	const struct keys *keys;	/* borrowed, as the messages of the sorter */
	struct imap_sort by_date, by_arrival;
	struct sorter sorter;		/* all messages by sent date */
	struct sorter arrivals;		/* by internal date: of REFS */
	uint32_t *nodes_of;		/* the node of each message */
	struct thread_node *nodes;
	size_t node_count, node_capacity;
	uint32_t *linked;		/* the node of each message identifier; 0: none yet */
	uint32_t *titled;		/* the node of each subject */
	size_t identifiers, subjects;	/* how many there are */
	uint64_t steps;			/* taken up the tree, to find loops */
	unsigned step;			/* of thread_advance() */
	size_t placed;			/* messages that have their nodes */
	bool is_too_much;		/* for memory or time */

	struct buffer list;		/* the outcome: uint32_t that are places of messages, or these: */
};

#define THREAD_OPEN  UINT32_MAX		/* "(" */
#define THREAD_CLOSE (UINT32_MAX - 1)	/* ")" */

/* Messages in the order of their numbers, of which the keys know thread_fields(). */
void thread_init(struct thread *thread, enum imap_thread_algorithm algorithm, struct keys *keys,
    const struct sort_message *messages, size_t count);

/* Accepts a zeroed one. */
void thread_fini(struct thread *thread);

/* How many octets it holds. */
size_t thread_octets(const struct thread *thread);

/* Which texts are looked at: enum store_ordering_fields. */
unsigned thread_fields(enum imap_thread_algorithm algorithm);

/* Do some milliseconds of what is left to do, more for hundreds of thousands.  True: the list is there, or is_too_much. */
bool thread_advance(struct thread *thread);

/* As sorter_steps(). */
uint64_t thread_steps(const struct thread *thread, uint64_t *total);

#endif
