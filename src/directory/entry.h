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
	unsigned timeout_s;
	struct span name;			/* as asked for: preferred among several values */
};

/*
 * Find the one entry.  user_out gets name, credential (the entry's distinguished name), its version and
 * home, in the arena; untouched on failure.
 *
 * DIRECTORY_NOT_FOUND: none, or several, which is logged.  DIRECTORY_UNAVAILABLE: no server answered, or
 * not to the question; logged.  DIRECTORY_CORRUPT: the entry lacks what makes a user; logged.
 */
enum directory_status entry_find(struct servers *servers, const struct entry_search *search,
    struct arena *arena, struct directory_user *user_out);

#endif
