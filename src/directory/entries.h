/*
 * What entries in LDAP say of users.  Those that take a struct directory keep the promises of directory/directory.h.
 */
#ifndef ENTRIES_H
#define ENTRIES_H

#include "entry.h"
#include "ldap_directory.h"

/* Ask the servers; when none answers, who was known a short while ago still is, without names. */
enum directory_status entries_find(struct ldap_directory *ldap, struct span name, struct arena *arena,
    struct directory_user *user_out, struct entry_names *names_out);

/* Get the mailbox id that belongs to the entry on this host, and give one to a new user. */
enum directory_status entries_claim(struct ldap_directory *ldap, struct span name, const struct entry_names *names,
    struct arena *arena, struct directory_user *user);

enum directory_status entries_lookup(struct directory *directory, struct span name, struct arena *arena,
    struct directory_user *user_out);
enum directory_status entries_find_groups(struct directory *directory, struct arena *arena, struct directory_user *user);
enum directory_status entries_verify(struct directory *directory, struct span credential, struct span password, bool *is_match_out);
enum directory_status entries_permit(struct directory *directory, struct arena *arena, struct directory_login *login);

#endif
