/*
 * A directory in LDAP servers, as the files of its back end share it.
 */
#ifndef LDAP_DIRECTORY_H
#define LDAP_DIRECTORY_H

#include "backend.h"
#include "base/memory.h"
#include "memo.h"
#include "servers.h"

struct ldap_directory {
	struct directory directory;
	struct directory *local;	/* NULL: no mailboxes on this host */
	bool gives_mailboxes;
	struct servers *servers;
	struct memo *memo, *grouped;	/* by the name asked for; with their groups, by their own name */
	char *base, *filter, *user_attribute, *home_attribute, *server_name;
	char *quota_attribute, *delegate_attribute, *master_group;	/* likewise */
	unsigned quota_unit;
	char *group_attribute, *group_base, *group_filter;	/* NULL, or as in the settings */
	unsigned timeout_s;
};

/* Which one a directory of this back end is. */
static inline struct ldap_directory *
ldap_own(struct directory *directory)
{
	return CONTAINER_OF(directory, struct ldap_directory, directory);
}

#endif
