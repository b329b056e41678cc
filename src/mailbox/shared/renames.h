/*
 * Users who have another name here, as long as files of other users may say the old one: directory/renaming.h.  Loop thread.
 */
#ifndef RENAMES_H
#define RENAMES_H

#include "directory/renaming.h"
#include "role.h"

/* Whatever looks into the files has this in role->renames. */
struct rename {
	struct list link;
	struct directory_rename row;
};

/* The one that a name, old or new, belongs to; NULL: none. */
const struct rename *renames_find(const struct mailbox_role *role, struct span name);

/* The old name of a user; empty: there is none. */
struct span renames_former(const struct mailbox_role *role, struct span name);

#endif
