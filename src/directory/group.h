/*
 * The groups of a user as the LDAP servers tell them.  Worker thread.
 */
#ifndef GROUP_H
#define GROUP_H

#include "servers.h"

/* Where to look for the entries of groups; all borrowed. */
struct group_search {
	const char *base, *filter;		/* expanded */
	unsigned timeout_s;
};

/*
 * Add an entry's values of an attribute to the groups of a user: each is a name, or a distinguished name (RFC 4514)
 * whose first value is one, as in memberOf.  What cannot be a name is left out.
 */
void groups_add(LDAP *ldap, LDAPMessage *entry, const char *attribute, struct arena *arena,
    struct directory_user *user);

/*
 * Find the entries of a user's groups, and add their names (RFC 4519 section 2.3: cn).  Without such a base there are
 * none.  On failure the user is as before.  DIRECTORY_UNAVAILABLE: no server answered, or not to the question; logged.
 */
enum directory_status groups_find(struct servers *servers, const struct group_search *search, struct arena *arena,
    struct directory_user *user);

#endif
