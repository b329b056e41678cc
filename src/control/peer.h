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
#define PEER_NAME_SIZE	64

/* What the system's databases say of somebody. */
struct peer {
	uid_t uid;		/* these two are given: by the socket */
	gid_t gid;
	char name[PEER_NAME_SIZE];	/* the number where there is no name */
	bool is_in_change, is_in_view;
};

/* Fill in all but uid and gid.  Blocks: user databases may be slow. */
void peer_look_up(struct peer *peer);

/* The number of a group; false: there is none of that name.  Blocks. */
bool peer_find_group(const char *name, gid_t *gid_out);

bool peer_may(const struct peer *peer, enum control_right right);

#endif
