/*
 * Users who get another name, as directory.db remembers it until all that knew the old one know the new one.  The mailbox
 * id stays, and what is keyed by it.  In the SQLite file alone, else DIRECTORY_READ_ONLY.  Worker thread, as
 * directory/directory.h.
 */
#ifndef DIRECTORY_RENAMING_H
#define DIRECTORY_RENAMING_H

#include "directory/directory.h"

#define DIRECTORY_RENAME_ID_LENGTH 32

struct directory_rename {
	struct directory_name name, new_name;
	char rename_id[DIRECTORY_RENAME_ID_LENGTH + 1];
	bool is_alias;			/* the old name becomes an alias */
	bool is_switched;		/* here the user has the new name */
	bool is_told;			/* nobody is to be told by this host how it ended */
	bool is_walked;			/* no user's file of this host says the old name */
	bool is_over;			/* by directory_rename_begin(): it has ended already, and nothing is noted */
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];	/* by directory_rename_list(): of the user, when switched; or empty */
};

/* What is in the way of a rename; DIRECTORY_UNHINDERED: nothing. */
enum directory_hindrance {
	DIRECTORY_UNHINDERED,
	DIRECTORY_NO_USER,		/* nobody has the old name */
	DIRECTORY_SAME_NAME,
	DIRECTORY_NEW_IS_USER,
	DIRECTORY_NEW_IS_ALIAS,		/* somebody else's: the user's own becomes the name */
	DIRECTORY_NEW_IS_GROUP,
	DIRECTORY_USERS_MOVE,		/* this one or another: what a copy says of names would be lost */
	DIRECTORY_USERS_ARE_RENAMED	/* one of the names belongs to a rename that has not ended */
};

/*
 * Note that a user gets another name.  Durable.  One that has been noted with both names is given as it is, under the id
 * that it is asked for by now, unless this host has ordered it; so is one that has ended, when that user has the new name
 * still and nobody the old one.
 *
 *	rename		both names prepared; is_alias, is_told and is_walked to be filled in.  An empty id: this host orders
 *			it, and the user must be there; when nobody is to be told it is switched at once.  Filled
 *	hindrance_out	unless DIRECTORY_UNHINDERED nothing was noted
 */
enum directory_status directory_rename_begin(struct directory *directory, struct directory_rename *rename,
    enum directory_hindrance *hindrance_out);

/*
 * The one step that renames a user here: durable; all that names the user in the directory says the new name.  Fine when it
 * has ended, or the user is not here.  One that was never noted, or is not any more, happens all the same if it can.
 *
 *	hindrance_out	unless DIRECTORY_UNHINDERED nothing has changed
 */
enum directory_status directory_rename_switch(struct directory *directory, const struct directory_rename *rename,
    enum directory_hindrance *hindrance_out);

/* It does not happen: forget it, unless it is switched. */
enum directory_status directory_rename_drop(struct directory *directory, const struct directory_rename *rename);

/* All mailbox servers know how it ended. */
enum directory_status directory_rename_told(struct directory *directory, const struct directory_rename *rename);

/* No user's file of this host says the old name any more. */
enum directory_status directory_rename_walked(struct directory *directory, const struct directory_rename *rename);

/* List what is noted, all of it; in the arena. */
enum directory_status directory_rename_list(struct directory *directory, struct arena *arena,
    struct directory_rename **renames_out, size_t *count_out);

/* A mailbox, and whose it is; the span lives in the arena asked into. */
struct directory_mailbox {
	struct span name;
	char mailbox_id[DIRECTORY_ID_LENGTH + 1];
};

/*
 * List the mailboxes of all who are there, or were, in the order of their ids, a page at a time, as directory_list().
 *
 *	after	the last mailbox id of the page before; empty at first
 */
enum directory_status directory_list_mailboxes(struct directory *directory, struct span after, struct arena *arena,
    struct directory_mailbox *mailboxes_out, size_t limit, size_t *count_out);

/* The old name of a user, while files of this host may still say it; empty: there is none. */
enum directory_status directory_find_former(struct directory *directory, struct span name,
    struct directory_name *former_out);

#endif
