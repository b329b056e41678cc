/*
 * What this host's directory.db has beside LDAP: shared accounts, and mailboxes.
 */
#include "hosted.h"

#include "entries.h"

/* A shared account is a matter of this host; no entry may have its name. */
static enum directory_status
check_no_entry(struct ldap_directory *ldap, struct span name)
{
	struct arena *arena;
	struct directory_user user;
	struct entry_names names;
	enum directory_status status;

	if (ldap->local == NULL)
		return DIRECTORY_READ_ONLY;
	arena = arena_new();
	status = entries_find(ldap, name, arena, &user, &names);
	arena_free(&arena);
	return status == DIRECTORY_OK ? DIRECTORY_EXISTS : status == DIRECTORY_NOT_FOUND ? DIRECTORY_OK : status;
}

enum directory_status
hosted_add_shared(struct directory *directory, struct span name)
{
	struct ldap_directory *ldap = ldap_own(directory);
	enum directory_status status = check_no_entry(ldap, name);

	return status == DIRECTORY_OK ? directory_add_shared(ldap->local, name) : status;
}

/* All others are to be made again in LDAP. */
enum directory_status
hosted_restore(struct directory *directory, const struct directory_user *user)
{
	struct ldap_directory *ldap = ldap_own(directory);
	enum directory_status status = user->is_shared ? check_no_entry(ldap, user->name) : DIRECTORY_READ_ONLY;

	return status == DIRECTORY_OK ? directory_restore(ldap->local, user) : status;
}

/* Whether the name is that of a shared account, whose row may be changed here. */
static bool
is_shared(struct ldap_directory *ldap, struct span name)
{
	struct arena *arena = arena_new();
	struct directory_user row;
	bool is = ldap->local != NULL && directory_lookup(ldap->local, name, arena, &row) == DIRECTORY_OK &&
	    row.is_shared;

	arena_free(&arena);
	return is;
}

enum directory_status
hosted_set_credential(struct directory *directory, struct span name, struct span credential)
{
	(void)credential;
	return is_shared(ldap_own(directory), name) ? DIRECTORY_SHARED : DIRECTORY_READ_ONLY;
}

enum directory_status
hosted_set_home(struct directory *directory, struct span name, struct span home)
{
	struct ldap_directory *ldap = ldap_own(directory);

	return is_shared(ldap, name) ? directory_set_home(ldap->local, name, home) : DIRECTORY_READ_ONLY;
}

enum directory_status
hosted_set_limit(struct directory *directory, struct span name, enum directory_resource resource, int64_t limit)
{
	struct ldap_directory *ldap = ldap_own(directory);

	return is_shared(ldap, name) ? directory_set_limit(ldap->local, name, resource, limit) : DIRECTORY_READ_ONLY;
}

/* Of a shared account here, and by users who have mailboxes here, it is this host's matter. */
enum directory_status
hosted_allow(struct directory *directory, struct span principal, struct span delegate, bool is_allowed)
{
	struct ldap_directory *ldap = ldap_own(directory);

	return is_shared(ldap, principal) ? directory_allow(ldap->local, principal, delegate, is_allowed) :
	    DIRECTORY_READ_ONLY;
}

enum directory_status
hosted_list_delegates(struct directory *directory, const struct directory_user *principal, struct arena *arena,
    struct span **names_out, size_t *count_out)
{
	struct ldap_directory *ldap = ldap_own(directory);

	*count_out = 0;
	return principal->is_shared ? directory_list_delegates(ldap->local, principal, arena, names_out, count_out) :
	    DIRECTORY_OK;
}

/* Give the mailbox on this host to whichever entry is next to have the name. */
enum directory_status
hosted_release(struct directory *directory, struct span name)
{
	struct ldap_directory *ldap = ldap_own(directory);

	return ldap->local == NULL ? DIRECTORY_READ_ONLY : directory_release(ldap->local, name);
}

/* The row that the entry of this name has, when the row has another one. */
static enum directory_status
delete_by_entry(struct ldap_directory *ldap, struct span name, struct arena *arena)
{
	struct directory_user user;
	struct entry_names names;
	enum directory_status status = entries_find(ldap, name, arena, &user, &names);

	if (status != DIRECTORY_OK)
		return status;
	names.count = 0;		/* a row that is not there is not to be made */
	if (entries_claim(ldap, name, &names, arena, &user) != DIRECTORY_OK)
		return DIRECTORY_NOT_FOUND;
	return directory_delete(ldap->local, user.name);
}

/* Forget the mailbox on this host: for a user whose entry is gone. */
enum directory_status
hosted_delete(struct directory *directory, struct span name)
{
	struct ldap_directory *ldap = ldap_own(directory);
	struct arena *arena;
	enum directory_status status;

	if (ldap->local == NULL)
		return DIRECTORY_READ_ONLY;
	if ((status = directory_delete(ldap->local, name)) != DIRECTORY_NOT_FOUND)
		return status;
	arena = arena_new();
	status = delete_by_entry(ldap, name, arena);
	arena_free(&arena);
	return status;
}

struct directory *
hosted_registry(struct directory *directory)
{
	return ldap_own(directory)->local;
}

/* Those who have a mailbox here. */
enum directory_status
hosted_list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	struct ldap_directory *ldap = ldap_own(directory);

	if (ldap->local != NULL)
		return directory_list(ldap->local, after, arena, users_out, limit, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}

enum directory_status
hosted_list_limited(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	struct ldap_directory *ldap = ldap_own(directory);

	if (ldap->local != NULL)
		return directory_list_limited(ldap->local, after, arena, users_out, limit, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}

enum directory_status
hosted_list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out)
{
	struct ldap_directory *ldap = ldap_own(directory);

	if (ldap->local != NULL)
		return directory_list_retired(ldap->local, after, arena, retired_out, limit, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}

enum directory_status
hosted_count(struct directory *directory, uint64_t *count_out)
{
	struct ldap_directory *ldap = ldap_own(directory);

	if (ldap->local != NULL)
		return directory_count(ldap->local, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}
