/*
 * The mailboxes of other users that a session may see, for commands that mean many: one file after the other, each in a
 * job of its own.  Loop thread.
 */
#ifndef ABROAD_H
#define ABROAD_H

#include "door.h"

struct abroad_mailbox {
	struct account *account;
	struct store_mailbox row;	/* name as the session says it; no special_use: those are the owner's */
	unsigned rights;
	struct account *viewer;		/* as a door has it */
	struct span line;		/* of look(); or empty */
};

/* Lives in what the command keeps, zeroed at first; what it finds lives in the arena. */
struct abroad {
	struct session_job job;
	struct arena *arena;
	struct door *doors;		/* one for each owner; name is what stands before the names in the file */
	size_t door_count, next;
	struct abroad_mailbox *mailboxes;
	size_t count, capacity;
	/* Worker, for each that is found; may write its line.  NULL: nothing to do. */
	enum store_status (*look)(struct store *store, struct abroad *abroad, struct abroad_mailbox *mailbox);
	void (*done)(struct session *session, struct abroad *abroad);
	void *context;			/* the command's */
};

/*
 * Find all for which the session has these rights.  The file of an owner that cannot be read is left out: that is in the
 * log.
 *
 *	is_wanted	asks whether something below a name may be meant; NULL: it may
 *	done		comes once, at once where nothing is shared
 */
void abroad_find(struct session *session, struct abroad *abroad, unsigned rights,
    bool (*is_wanted)(const struct abroad *abroad, struct span name),
    void (*done)(struct session *session, struct abroad *abroad));

#endif
