/*
 * Which row of directory.db, and so which mailbox, belongs to an entry in LDAP: the same one, by whatever name
 * the entry is found, and no other entry's, whatever name that has.  Worker thread.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include "directory/directory.h"

/* All borrowed. */
struct claim {
	struct span entry;		/* what the entry is known by: column user.entry */
	struct span dn;			/* where it is: column user.entry_dn */
	const struct span *names;	/* prepared; the first is that of a new row */
	size_t name_count;		/* 0: they are not known now, no row can be made or named anew */
	const struct directory_quota *quota;	/* for the row; NULL: not known now */

	/* Ask the server whether there is an entry that is known by this.  Any status but DIRECTORY_OK: it cannot say. */
	enum directory_status (*ask)(void *context, struct span entry, bool *is_there_out);
	void *context;
};

/*
 * Find the row of an entry, or make it.  An entry of a row is known again by what it is known by or, when no entry
 * is known by that any more, by its place: it was made anew, or a server has other identities than its replica.
 * A row of one of its names that belongs to no entry yet, from before entries were noted, becomes its own: the
 * first in the order of octets, if there are several; the others are logged.
 *
 *	user	gets mailbox_id, created_s and the row's name, in the arena; untouched on failure
 *
 * DIRECTORY_AMBIGUOUS: the row of one of its names belongs to another entry; logged.  DIRECTORY_UNAVAILABLE: also
 * when there is no row and no name.
 */
enum directory_status claim_mailbox(struct directory *local, const struct claim *claim, struct arena *arena,
    struct directory_user *user);

#endif
