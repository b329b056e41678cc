/*
 * The one door between the name of a mailbox and a handle on it.  A command that gets a name from its client asks
 * authorize() on the loop, and one of the others within its job; nobody else looks a mailbox up by its name.
 */
#ifndef DOOR_H
#define DOOR_H

#include "session.h"
#include "store/acl.h"
#include "store/mailbox.h"

/* Lives in the line's arena, as long as the command. */
struct door {
	struct account *account;	/* whose file: jobs for the mailbox go there */
	struct span name;		/* in that file */
	unsigned rights;		/* STORE_RIGHT_*, that the command needs */
};

/*
 * Find whose file a name means.  Says nothing of whether the mailbox is there, or whether the session may: that is for
 * the job.  Loop thread.
 */
void authorize(struct session *session, struct span name, unsigned rights, struct door *door);

/* The mailbox's state if it is loaded, and nothing else is to be found out first; else NULL.  Loop thread. */
struct state *door_state(const struct door *door);

/*
 * Within a job on door->account, in its transaction.  STORE_NOT_FOUND: not there, or not to be seen by this session.
 * Worker thread.
 */
enum store_status door_find(struct store *store, const struct door *door, struct arena *arena,
    struct store_mailbox *mailbox_out);

/* The mailboxes that may be seen, in the order of the octets of their names: store_mailbox_list(). */
enum store_status door_list(struct store *store, const struct door *door, struct arena *arena,
    struct store_mailbox **mailboxes_out, size_t *count_out);

/* As store_mailbox_create(), _delete() and _rename(). */
enum store_status door_create(struct store *store, const struct door *door, const char *special_use,
    uint64_t *mailbox_id_out);
enum store_status door_delete(struct store *store, const struct door *door, struct arena *arena,
    uint64_t *mailbox_id_out);
enum store_status door_rename(struct store *store, const struct door *from, const struct door *to);

#endif
