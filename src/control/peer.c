/*
 * Rights by user and group, read once: a user database may be slow, and the loop may not wait for it.
 */
#include "peer.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

void
group_members_init(struct group_members *members, const char *name)
{
	struct group *group = getgrnam(name);
	size_t limit = 0;
	char **names;

	*members = (struct group_members){ .exists = group != NULL };
	if (group == NULL)
		return;
	members->gid = group->gr_gid;
	names = group->gr_mem;
	while (names[limit] != NULL)
		limit++;
	members->members = memory_new_array(limit + 1, sizeof *members->members);
	for (size_t i = 0; i < limit; i++) {
		struct passwd *user = getpwnam(names[i]);

		if (user != NULL)
			members->members[members->count++] = user->pw_uid;
	}
}

void
group_members_fini(struct group_members *members)
{
	free(members->members);
	*members = (struct group_members){ .exists = false };
}

static bool
is_member(const struct group_members *members, uid_t uid, gid_t gid)
{
	if (!members->exists)
		return false;
	for (size_t i = 0; i < members->count; i++) {
		if (members->members[i] == uid)
			return true;
	}
	return members->gid == gid;
}

bool
rights_allow(const struct rights *rights, uid_t uid, gid_t gid, enum control_right right)
{
	if (uid == 0 || uid == geteuid() || is_member(&rights->change, uid, gid))
		return true;
	return right == CONTROL_VIEW && is_member(&rights->view, uid, gid);
}
