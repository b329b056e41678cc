/*
 * Who has been given rights in whose mailboxes, as directory.db has it (directory_share_list()), in memory: so that a
 * name of another's mailbox costs no job where nothing is shared, and as much whether there is such a user or not.  What
 * decides are the rights in the users' files (store/acl.h); here is never less than there.  Loop thread.
 */
#ifndef SHARES_H
#define SHARES_H

#include "directory/directory.h"
#include "role.h"
#include "store/acl.h"

struct account;

/* One who shares. */
struct share_owner {
	char id[DIRECTORY_ID_LENGTH + 1];	/* of the mailbox */
	struct span name;
	bool is_shared;			/* a shared account */
	struct map *given;		/* by the identifiers who were given rights */
	unsigned grants;		/* under way */
	unsigned generation;		/* of them: rises with each */
	bool is_surplus_possible;	/* since it was last looked for: see shares_tidy() */
	bool is_tidying;
};

/* Read them, unless that was done, in a job before whatever is looked up next; and end. */
void shares_begin(struct mailbox_role *role);
void shares_end(struct mailbox_role *role);

/* Whether users share anything on this host, or shared accounts do. */
bool shares_are_any(const struct mailbox_role *role, bool is_shared);

/* The owner of this name, if somebody may have rights there; else NULL. */
const struct share_owner *shares_find(const struct mailbox_role *role, struct span name,
    const struct store_identity *who);

/* All who share with somebody, in the order of their names; from the arena. */
const struct share_owner **shares_list(const struct mailbox_role *role, const struct store_identity *who,
    struct arena *arena, size_t *count_out);

/* A user has come from another server, and with the mailbox rights in it, which the directory has. */
void shares_learn(struct mailbox_role *role, const char *mailbox_id, struct span name, bool is_shared,
    const struct span *identifiers, size_t count);

/* A user has gone to another server: what is shared with the name stays, and what the user has shared is not found. */
void shares_forget_owner(struct mailbox_role *role, struct span name);

/* A user is no more: nothing is shared with whoever gets the name next, and what the user has shared is not found. */
void shares_forget_user(struct mailbox_role *role, struct span name);

/* A user has another name: who shares with the one shares with the other, and what the user shares is found by it. */
void shares_rename_user(struct mailbox_role *role, struct span from, struct span to);

#endif
