/*
 * The doors of the directory, which hand over to the back end that was opened.  Worker thread.
 */
#include "directory/directory.h"

#include <assert.h>

#include "backend.h"
#include "base/thread.h"
#include "sql/sql.h"

const char *
directory_status_text(enum directory_status status)
{
	static const char *const texts[DIRECTORY_STATUS_COUNT] = {
		[DIRECTORY_OK] = "done",
		[DIRECTORY_NOT_FOUND] = "no such user",
		[DIRECTORY_EXISTS] = "the user exists already",
		[DIRECTORY_UNAVAILABLE] = "the directory is not available now",
		[DIRECTORY_CORRUPT] = "the directory is damaged, of a later version, or cannot be read",
		[DIRECTORY_READ_ONLY] = "users are kept elsewhere; change them there",
		[DIRECTORY_ELSEWHERE] = "the user's mail is on another server",
		[DIRECTORY_AMBIGUOUS] = "several users may be meant by the name",
		[DIRECTORY_SHARED] = "nobody logs in to a shared account",
		[DIRECTORY_BUSY] = "the user is being renamed",
	};

	return texts[status];
}

void
directory_close(struct directory **directory)
{
	if (*directory == NULL)
		return;
	assert_off_loop();
	(*directory)->backend->close(*directory);
	*directory = NULL;
}

void
directory_begin_reading(struct directory *directory)
{
	assert_off_loop();
	if (directory->backend->begin_reading != NULL)
		directory->backend->begin_reading(directory);
}

void
directory_end_reading(struct directory *directory)
{
	assert_off_loop();
	if (directory->backend->end_reading != NULL)
		directory->backend->end_reading(directory);
}

enum directory_status
directory_lookup(struct directory *directory, struct span name, struct arena *arena,
    struct directory_user *user_out)
{
	assert_off_loop();
	return directory->backend->lookup(directory, name, arena, user_out);
}

enum directory_status
directory_find_groups(struct directory *directory, struct arena *arena, struct directory_user *user)
{
	assert_off_loop();
	return directory->backend->find_groups == NULL ? DIRECTORY_OK :
	    directory->backend->find_groups(directory, arena, user);
}

bool
directory_is_verifier(const struct directory *directory)
{
	return directory->backend->verify != NULL;
}

bool
directory_asks_home(const struct directory *directory)
{
	return directory->backend->asks_home;
}

enum directory_status
directory_verify(struct directory *directory, struct span credential, struct span password,
    bool *is_match_out)
{
	enum directory_status status;

	assert_off_loop();
	assert(directory_is_verifier(directory));
	thread_begin_wait(true);
	status = directory->backend->verify(directory, credential, password, is_match_out);
	thread_end_wait();
	return status;
}

enum directory_status
directory_add(struct directory *directory, struct span name, struct span credential)
{
	assert_off_loop();
	return directory->backend->add(directory, name, credential);
}

enum directory_status
directory_import(struct directory *directory, struct directory_newcomer *newcomers, size_t count, unsigned flags)
{
	assert_off_loop();
	return directory->backend->import == NULL ? DIRECTORY_READ_ONLY :
	    directory->backend->import(directory, newcomers, count, flags);
}

enum directory_status
directory_add_shared(struct directory *directory, struct span name)
{
	assert_off_loop();
	return directory->backend->add_shared(directory, name);
}

enum directory_status
directory_restore(struct directory *directory, const struct directory_user *user)
{
	assert_off_loop();
	return directory->backend->restore == NULL ? DIRECTORY_READ_ONLY : directory->backend->restore(directory, user);
}

enum directory_status
directory_set_credential(struct directory *directory, struct span name, struct span credential)
{
	assert_off_loop();
	return directory->backend->set_credential(directory, name, credential);
}

enum directory_status
directory_set_enabled(struct directory *directory, struct span name, bool is_enabled)
{
	assert_off_loop();
	return directory->backend->set_enabled(directory, name, is_enabled);
}

enum directory_status
directory_set_home(struct directory *directory, struct span name, struct span home)
{
	assert_off_loop();
	return directory->backend->set_home(directory, name, home);
}

enum directory_status
directory_set_limit(struct directory *directory, struct span name, enum directory_resource resource, int64_t limit)
{
	assert_off_loop();
	return directory->backend->set_limit(directory, name, resource, limit);
}

enum directory_status
directory_release(struct directory *directory, struct span name)
{
	assert_off_loop();
	return directory->backend->release(directory, name);
}

enum directory_status
directory_set_master(struct directory *directory, struct span name, bool is_master)
{
	assert_off_loop();
	return directory->backend->set_master(directory, name, is_master);
}

enum directory_status
directory_allow(struct directory *directory, struct span principal, struct span delegate, bool is_allowed)
{
	assert_off_loop();
	return directory->backend->allow(directory, principal, delegate, is_allowed);
}

enum directory_status
directory_list_delegates(struct directory *directory, const struct directory_user *principal, struct arena *arena,
    struct span **names_out, size_t *count_out)
{
	assert_off_loop();
	return directory->backend->list_delegates(directory, principal, arena, names_out, count_out);
}

enum directory_status
directory_join(struct directory *directory, struct span group, struct span name)
{
	assert_off_loop();
	return directory->backend->join(directory, group, name);
}

enum directory_status
directory_leave(struct directory *directory, struct span group, struct span name)
{
	assert_off_loop();
	return directory->backend->leave(directory, group, name);
}

enum directory_status
directory_list_members(struct directory *directory, const struct directory_member *after, struct arena *arena,
    struct directory_member *members_out, size_t limit, size_t *count_out)
{
	assert_off_loop();
	return directory->backend->list_members(directory, after, arena, members_out, limit, count_out);
}

enum directory_status
directory_lookup_alias(struct directory *directory, struct span alias, struct arena *arena, struct directory_user *user_out)
{
	assert_off_loop();
	return directory->backend->lookup_alias == NULL ? DIRECTORY_NOT_FOUND :
	    directory->backend->lookup_alias(directory, alias, arena, user_out);
}

enum directory_status
directory_add_alias(struct directory *directory, struct span alias, struct span name)
{
	assert_off_loop();
	return directory->backend->add_alias == NULL ? DIRECTORY_READ_ONLY :
	    directory->backend->add_alias(directory, alias, name);
}

enum directory_status
directory_import_aliases(struct directory *directory, struct directory_new_alias *aliases, size_t count, unsigned flags)
{
	assert_off_loop();
	return directory->backend->import_aliases == NULL ? DIRECTORY_READ_ONLY :
	    directory->backend->import_aliases(directory, aliases, count, flags);
}

enum directory_status
directory_remove_alias(struct directory *directory, struct span alias)
{
	assert_off_loop();
	return directory->backend->remove_alias == NULL ? DIRECTORY_READ_ONLY :
	    directory->backend->remove_alias(directory, alias);
}

enum directory_status
directory_list_aliases(struct directory *directory, struct span after, struct span name, struct arena *arena,
    struct directory_alias *aliases_out, size_t limit, size_t *count_out)
{
	assert_off_loop();
	*count_out = 0;
	return directory->backend->list_aliases == NULL ? DIRECTORY_OK :
	    directory->backend->list_aliases(directory, after, name, arena, aliases_out, limit, count_out);
}

enum directory_status
directory_delete(struct directory *directory, struct span name)
{
	assert_off_loop();
	return directory->backend->delete(directory, name);
}

enum directory_status
directory_list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	assert_off_loop();
	return directory->backend->list(directory, after, arena, users_out, limit, count_out);
}

enum directory_status
directory_list_limited(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	assert_off_loop();
	return directory->backend->list_limited(directory, after, arena, users_out, limit, count_out);
}

enum directory_status
directory_list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out)
{
	assert_off_loop();
	return directory->backend->list_retired(directory, after, arena, retired_out, limit, count_out);
}

enum directory_status
directory_count(struct directory *directory, uint64_t *count_out)
{
	assert_off_loop();
	return directory->backend->count(directory, count_out);
}

bool
directory_file_is_too_new(const char *path, const char *kind)
{
	return sql_file_is_too_new(path, kind);
}
