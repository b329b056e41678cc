/*
 * Messages as threads: ORDEREDSUBJECT and REFERENCES of RFC 5256 section 3, and REFS of draft-ietf-morg-inthread: as
 * REFERENCES, without a look at subjects, and the thread with the most recent INTERNALDATE last.  No recursion: a thread
 * may be as deep as there are messages.  Any thread, one at a time.
 */
#ifndef MAILBOX_SORT_THREAD_H
#define MAILBOX_SORT_THREAD_H

#include "imap/ordering.h"
#include "sorter.h"

/* A message, or, without one, something that messages refer to: a dummy.  Node 0 is the root. */
struct thread_node {
	uint8_t id[IMAP_LINK_OCTETS];
	uint32_t message;		/* place in messages, from 1 on; 0: none */
	uint32_t parent;
	uint32_t children;		/* how many */
	uint32_t child, next;		/* the first of them, and the next sibling; 0: none */
	uint32_t top;			/* the highest node above, or this one; 0: not known yet */
};

struct thread_message {
	uint32_t node;
	uint32_t subject_offset, subject_length;	/* in subjects */
	bool is_reply;
};

struct thread {
	enum imap_thread_algorithm algorithm;
	struct imap_sort by_date, by_arrival;
	struct sorter sorter;		/* all messages by sent date */
	struct sorter arrivals;		/* by internal date: of REFS */
	struct thread_message *messages;
	struct buffer subjects;
	struct thread_node *nodes;
	size_t node_count, node_capacity;
	uint32_t *table;		/* from the id to the node: open addressing, 0 is empty */
	unsigned table_bits;
	uint64_t seed;
	uint64_t steps;			/* taken up the tree, to find loops */
	unsigned step;			/* of thread_advance() */

	struct buffer list;		/* the outcome: uint32_t that are places of messages, or these: */
};

#define THREAD_OPEN  UINT32_MAX		/* "(" */
#define THREAD_CLOSE (UINT32_MAX - 1)	/* ")" */

void thread_init(struct thread *thread, enum imap_thread_algorithm algorithm);
void thread_fini(struct thread *thread);

/* How many octets it holds. */
size_t thread_octets(const struct thread *thread);

/* Which texts are looked at: enum store_ordering_fields. */
unsigned thread_fields(enum imap_thread_algorithm algorithm);

/* Add a message, in the order of numbers; copies.  False: this is more than memory or time is to be used for. */
bool thread_add(struct thread *thread, const struct sort_message *message, const struct store_ordering *ordering);

/* All are added: do some milliseconds of what is left to do, more for hundreds of thousands.  True: the list is there. */
bool thread_advance(struct thread *thread);

/* As sorter_steps(). */
uint64_t thread_steps(const struct thread *thread, uint64_t *total);

#endif
