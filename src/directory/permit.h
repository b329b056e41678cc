/*
 * Who may log in as whom, by what entries in LDAP say.  Worker thread.
 */
#ifndef PERMIT_H
#define PERMIT_H

#include <ldap.h>

#include "directory/directory.h"

/* Read who an entry names as delegates: names, or distinguished names. */
void permit_read(LDAP *ldap, LDAPMessage *entry, const char *attribute, struct arena *arena,
    struct directory_user *user);

/*
 * Fill is_permitted and is_master of a login whose users' groups are known.
 *
 *	master_group	prepared; NULL: there are no masters
 */
void permit_by_entries(struct directory_login *login, const char *master_group);

#endif
