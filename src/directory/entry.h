/*
 * One user as the LDAP servers tell it.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include "servers.h"

/* What to look for; all borrowed. */
struct entry_search {
	const char *base, *filter;		/* expanded */
	bool is_base_fixed;			/* it must exist, whoever is looked for */
	const char *user_attribute;
	const char *home_attribute;		/* NULL: there is none */
	const char *group_attribute;		/* NULL: there is none */
	const char *quota_attribute;		/* likewise, and the next */
	const char *delegate_attribute;
	unsigned quota_unit;
	unsigned timeout_s;
	struct span name;			/* as asked for: preferred among several values */
};

/* All names that an entry has, prepared. */
struct entry_names {
	struct span *at;
	size_t count;
};

/*
 * Find the one entry.  user_out gets name, credential (the entry's distinguished name), its version, home groups,
 * quota and what the entry is known by, names_out gets the names, that of user_out first, all in the arena; untouched on
 * failure.
 *
 * DIRECTORY_AMBIGUOUS: there are several; logged.  DIRECTORY_UNAVAILABLE: no server answered, or not to the
 * question; logged.  DIRECTORY_CORRUPT: the entry lacks what makes a user; logged.
 */
enum directory_status entry_find(struct servers *servers, const struct entry_search *search, struct arena *arena,
    struct directory_user *user_out, struct entry_names *names_out);

/*
 * Whether there is an entry that is known by this, as entry_find() has told; of the search, base and time-out alone
 * count.  DIRECTORY_UNAVAILABLE: nobody can say.
 */
enum directory_status entry_is_there(struct servers *servers, const struct entry_search *search, struct span entry,
    bool *is_there_out);

/* What an entry is known by where its server tells no more than its distinguished name. */
struct span entry_of_dn(struct span dn, struct arena *arena);

#endif
