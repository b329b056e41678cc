/*
 * Who may ask what: root and the daemon's own user everything, members of two groups as the names say.
 */
#ifndef CONTROL_PEER_H
#define CONTROL_PEER_H

#include <sys/types.h>

#include <stdbool.h>

#include "control/control.h"

#define GROUP_CHANGE	"imapd-admin"
#define GROUP_VIEW	"imapd-view"

struct group_members {
	gid_t gid;
	uid_t *members;		/* beside those whose primary group it is */
	size_t count;
	bool exists;
};

/* Read a group and its members.  Blocks. */
void group_members_init(struct group_members *members, const char *name);
void group_members_fini(struct group_members *members);

struct rights {
	struct group_members change, view;
};

bool rights_allow(const struct rights *rights, uid_t uid, gid_t gid, enum control_right right);

#endif
