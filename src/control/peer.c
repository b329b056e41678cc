/*
 * Rights by user and group.  They are looked up for each call, so that whoever joins or leaves a group
 * need not wait for a restart.
 */
#include "peer.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"

#define ENTRY_MAX  ((size_t)1 << 20)	/* of a group with very many members */
#define GROUPS_MAX 65536		/* the kernel's own limit */

bool
peer_find_group(const char *name, gid_t *gid_out)
{
	struct group entry, *found = NULL;
	size_t size = 4096;
	char *octets = NULL;
	int error = ERANGE;

	assert_off_loop();
	while (error == ERANGE && size <= ENTRY_MAX) {
		octets = memory_resize(octets, size, 1);
		error = getgrnam_r(name, &entry, octets, size, &found);
		size *= 2;
	}
	if (found != NULL)
		*gid_out = found->gr_gid;
	free(octets);
	return found != NULL;
}

static bool
contains(const gid_t *groups, int count, const char *name)
{
	gid_t gid;

	if (!peer_find_group(name, &gid))
		return false;
	for (int i = 0; i < count; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

/* All groups of a user, given; the first is the one that the socket told. */
static gid_t *
list_groups(const char *name, gid_t gid, int *count_out)
{
	int count = 64;
	gid_t *groups = memory_new_array((size_t)count, sizeof *groups);

	if (getgrouplist(name, gid, groups, &count) < 0) {
		count = count < GROUPS_MAX ? count : GROUPS_MAX;
		groups = memory_resize(groups, (size_t)count, sizeof *groups);
		if (getgrouplist(name, gid, groups, &count) < 0)
			count = 0;
	}
	*count_out = count;
	return groups;
}

void
peer_look_up(struct peer *peer)
{
	struct passwd entry, *found = NULL;
	char octets[16384];
	gid_t *groups = NULL;
	int count = 1;

	assert_off_loop();
	if (getpwuid_r(peer->uid, &entry, octets, sizeof octets, &found) != 0)
		found = NULL;
	if (found != NULL) {
		snprintf(peer->name, sizeof peer->name, "%s", found->pw_name);
		groups = list_groups(found->pw_name, peer->gid, &count);
	} else {
		snprintf(peer->name, sizeof peer->name, "%u", (unsigned)peer->uid);
	}
	peer->is_in_change = contains(groups == NULL ? &peer->gid : groups, count, GROUP_CHANGE);
	peer->is_in_view = contains(groups == NULL ? &peer->gid : groups, count, GROUP_VIEW);
	free(groups);
}

bool
peer_may(const struct peer *peer, enum control_right right)
{
	if (peer->uid == 0 || peer->uid == geteuid() || peer->is_in_change)
		return true;
	return right == CONTROL_VIEW && peer->is_in_view;
}
