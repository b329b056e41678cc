/*
 * Who the process is.  Started by root it makes its files as the configured user, binds its ports as
 * root, and stays the user from then on, with the right to bind them again.
 */
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "internal.h"

static bool
fail(const char *what)
{
	log_error("privileges", log_text("call", what), log_text("reason", strerror(errno)));
	return false;
}

bool
identity_find(const struct config *config, struct identity *identity_out)
{
	struct identity identity = { config->user, geteuid(), getegid(), false, NULL, 0 };

	if (config->user != NULL) {
		struct passwd *user = getpwnam(config->user);

		if (user == NULL)
			return fail("getpwnam");
		identity.uid = user->pw_uid;
		identity.gid = user->pw_gid;
	}
	if (config->group != NULL) {
		struct group *group = getgrnam(config->group);

		if (group == NULL)
			return fail("getgrnam");
		identity.gid = group->gr_gid;
	}
	identity.is_change = identity.uid != geteuid() || identity.gid != getegid();
	*identity_out = identity;
	return true;
}

/* Those that the user is a member of, as at a login: a key may be for such a group. */
static bool
take_groups(const struct identity *identity)
{
	if (identity->user != NULL)
		return initgroups(identity->user, identity->gid) == 0;
	return setgroups(1, &identity->gid) == 0;
}

static bool
keep_groups(struct identity *identity)
{
	identity->own_count = getgroups(0, NULL);
	if (identity->own_count < 0)
		return false;
	identity->own_groups = memory_new_array((size_t)identity->own_count + 1, sizeof *identity->own_groups);
	identity->own_count = getgroups(identity->own_count, identity->own_groups);
	return identity->own_count >= 0;
}

bool
identity_borrow(struct identity *identity)
{
	if (!identity->is_change)
		return true;
	if (geteuid() != 0) {
		errno = EPERM;
		return fail("only root can become the configured user");
	}
	if (!keep_groups(identity) || !take_groups(identity))
		return fail("initgroups");
	if (setegid(identity->gid) != 0 || seteuid(identity->uid) != 0)
		return fail("seteuid");
	return true;
}

bool
identity_return(struct identity *identity)
{
	bool is_good;

	if (!identity->is_change)
		return true;
	is_good = seteuid(0) == 0 && setegid(0) == 0 &&
	    setgroups((size_t)identity->own_count, identity->own_groups) == 0;
	free(identity->own_groups);
	identity->own_groups = NULL;
	return is_good || fail("seteuid");
}

static bool
keep_capabilities(uint32_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { kept, kept, 0 } };

	return syscall(SYS_capset, &header, data) == 0;
}

/*
 * Become the user, on all threads.  Of root's capabilities the loop thread keeps the one to bind ports below
 * 1024, unless a container has taken it away; workers keep none.
 */
static bool
become_user(uid_t uid)
{
	if (uid == 0)
		return true;
	if (prctl(PR_SET_KEEPCAPS, 1) != 0)
		return fail("prctl");
	if (setresuid(uid, uid, uid) != 0)
		return fail("setresuid");
	if (!keep_capabilities(UINT32_C(1) << CAP_NET_BIND_SERVICE) && !keep_capabilities(0))
		return fail("capset");
	if (setuid(0) == 0)
		abort();	/* privileges that come back were never given up */
	return true;
}

bool
identity_become(const struct identity *identity)
{
	if (!identity->is_change)
		return true;
	if (!take_groups(identity))
		return fail("initgroups");
	if (setresgid(identity->gid, identity->gid, identity->gid) != 0)
		return fail("setresgid");
	return become_user(identity->uid);
}

void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warning("limit", log_text("limit", "RLIMIT_NOFILE"),
		    log_text("reason", strerror(errno)));
}
