/*
 * The one door between the name of a mailbox and a handle on it.  A command that gets a name from its client asks
 * authorize() on the loop, and one of the others within its job; nobody else looks a mailbox up by its name.
 *
 * Names below namespace-others are those of other users, "Other Users/NAME/mailbox", and those below namespace-shared are of
 * shared accounts.  What is not there, and what may not
 * be seen, are one: the same answer for the same work (RFC 4314 section 6).  A user to whom nothing of NAME's is given
 * cannot tell whether there is a NAME: such names are looked for among the user's own.
 */
#ifndef DOOR_H
#define DOOR_H

#include "imap/rights.h"
#include "session.h"
#include "store/acl.h"
#include "store/retained.h"
#include "store/mailbox.h"

/* Lives as long as the command. */
struct door {
	struct account *account;	/* whose file: jobs for the mailbox go there */
	struct span name;		/* in that file */
	unsigned rights;		/* IMAP_RIGHT_*, that the command needs; 0: any that says that the mailbox is there */
	const struct store_identity *who;	/* NULL: the owner of the file, who may everything */
	struct account *looker;		/* the session's, where it is not the owner's */
	struct account *viewer;		/* after door_find(): who has a \Seen of their own there; NULL: it is that of the file */
	bool is_seen_shared;		/* as configured */
	bool is_reserved;		/* below one of these, and nobody's: nothing can be made there */
	unsigned granted;		/* after door_find() and door_check(): the rights that there are */
};

/*
 * Find whose file a name means.  Says nothing of whether the mailbox is there, or whether the session may: that is for
 * the job.  The account stays as long as the session.  Loop thread.
 *
 *	arena	of the command, for the name
 */
void authorize(struct session *session, struct arena *arena, struct span name, unsigned rights, struct door *door);

/* The same for all of a user's own mailboxes, and for all that one who shares has. */
struct share_owner;
void authorize_own(struct session *session, unsigned rights, struct door *door);
void authorize_owner(struct session *session, const struct share_owner *owner, unsigned rights, struct door *door);

/* The selected mailbox: what was found before, for door_check(). */
void authorize_selected(const struct session *session, unsigned rights, struct door *door);

/*
 * What names of other users begin with, or those of shared accounts, without the last separator; empty: there is nothing of
 * the kind on this host.
 */
struct span door_prefix(const struct session *session, bool is_shared);

/* The mailbox's state if it is loaded, and nothing else is to be found out first; else NULL.  Loop thread. */
struct state *door_state(const struct door *door);

/* How messages leave that a command of this session takes away; the name comes from the arena. */
struct store_parting door_parting(const struct session *session, struct arena *arena, enum store_leaving how);

/*
 * Within a job on door->account, in its transaction.  STORE_NOT_FOUND: not there, or not to be seen by this session.
 * STORE_DENIED: it may be seen, and a right is missing.  Worker thread.
 */
enum store_status door_find(struct store *store, struct door *door, struct arena *arena,
    struct store_mailbox *mailbox_out);

/*
 * The same, and with a mailbox of one's own those whose names follow, in the order of the octets of these.
 *
 *	count_max	at least 1: how many in all
 *	count_out	1 for another's
 */
enum store_status door_find_from(struct store *store, struct door *door, size_t count_max, struct arena *arena,
    struct store_mailbox **mailboxes_out, size_t *count_out);

/* Who of the file has a \Seen of their own in this mailbox: shared/overlay.h.  NULL: nobody.  Any thread. */
struct account *door_viewer(const struct door *door, const struct store_mailbox *mailbox);

/* Find out anew what may be done with a mailbox that was found before; then as door_find(). */
enum store_status door_check(struct store *store, struct door *door, uint64_t mailbox_id);

/*
 * The mailboxes for which the session has all the rights, in the order of the octets of their names:
 * store_mailbox_list().
 *
 *	prefix		of their names
 *	rights_out	NULL, or count_out of them: what may be done with each
 */
enum store_status door_list(struct store *store, const struct door *door, struct span prefix, struct arena *arena,
    struct store_mailbox **mailboxes_out, unsigned **rights_out, size_t *count_out);

/* As store_mailbox_create(), _delete() and _rename(), the last within one file. */
enum store_status door_create(struct store *store, const struct door *door, struct arena *arena,
    const char *special_use, uint64_t *mailbox_id_out);
enum store_status door_delete(struct store *store, struct door *door, const struct store_parting *parting,
    struct arena *arena, uint64_t *mailbox_id_out);
enum store_status door_rename(struct store *store, struct door *from, const struct door *to, struct arena *arena);

#endif
