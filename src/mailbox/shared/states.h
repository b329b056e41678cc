/*
 * The states of an account, found by their mailboxes and by their names: tables of lists, whose neighbours may be others'.
 * There are some hundred when a client has looked at all its mailboxes.  Loop thread.
 */
#ifndef MAILBOX_STATES_H
#define MAILBOX_STATES_H

#include "base/hash.h"
#include "base/list.h"

#define STATES_LISTS 64

struct states {
	struct list by_mailbox[STATES_LISTS];	/* by state->link */
	struct list by_name[STATES_LISTS];	/* by state->name_link */
	size_t count;
};

static inline void
states_init(struct states *states)
{
	for (size_t i = 0; i < STATES_LISTS; i++) {
		list_init(&states->by_mailbox[i]);
		list_init(&states->by_name[i]);
	}
	states->count = 0;
}

/* Where those of a mailbox are; ids are given one after the other. */
static inline struct list *
states_of(struct states *states, uint64_t mailbox_id)
{
	return &states->by_mailbox[mailbox_id % STATES_LISTS];
}

/* Where those of a name are: who chooses names can only make their own slow. */
static inline struct list *
states_named(struct states *states, struct span name)
{
	static const struct hash_secret none;

	return &states->by_name[hash_octets(&none, name) % STATES_LISTS];
}

#endif
