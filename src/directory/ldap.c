/*
 * The directory in LDAP servers.  A user is one entry, found by a search; a password is proved by a bind
 * as that entry (RFC 4513 section 5.1).  A password is never kept here: while no server answers, a user
 * seen a short while ago is still known, and nothing new can be proved.
 *
 * Mailbox ids are a matter of this host and stand in its directory.db: a user gets a row with the first
 * lookup.  Worker threads; verify() alone may be run by several.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "bind.h"
#include "claim.h"
#include "delegate.h"
#include "entry.h"
#include "group.h"
#include "memo.h"
#include "pattern.h"
#include "permit.h"
#include "refusal.h"

#define KNOWN_MAX 10000		/* users remembered */

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

static struct ldap_directory *
own(struct directory *directory)
{
	return CONTAINER_OF(directory, struct ldap_directory, directory);
}

/* A search, and what it borrows. */
struct question {
	struct entry_search search;
	struct buffer base, filter;
	char drawn[DIRECTORY_ID_LENGTH + 1];
};

/* For a name that cannot be another one is asked for, so that it takes as long. */
static void
question_init(struct question *question, const struct ldap_directory *ldap, struct span name)
{
	*question = (struct question){ .search = { .user_attribute = ldap->user_attribute,
		.home_attribute = ldap->home_attribute, .timeout_s = ldap->timeout_s,
		.group_attribute = ldap->group_attribute, .quota_attribute = ldap->quota_attribute,
		.quota_unit = ldap->quota_unit, .delegate_attribute = ldap->delegate_attribute,
		.is_base_fixed = strchr(ldap->base, '%') == NULL } };
	question->search.name = name.length > 0 ? name : pattern_draw_name(question->drawn);
	pattern_expand(ldap->base, question->search.name, &question->base);
	pattern_expand(ldap->filter, question->search.name, &question->filter);
	question->search.base = buffer_string(&question->base);
	question->search.filter = buffer_string(&question->filter);
}

static void
question_fini(struct question *question)
{
	buffer_free(&question->base);
	buffer_free(&question->filter);
}

/* Ask the servers; when none answers, who was known a short while ago still is, without names. */
static enum directory_status
find(struct ldap_directory *ldap, struct span name, struct arena *arena, struct directory_user *user_out,
    struct entry_names *names_out)
{
	enum directory_status status;
	struct question question;

	question_init(&question, ldap, name);
	status = entry_find(ldap->servers, &question.search, arena, user_out, names_out);
	question_fini(&question);
	if (status == DIRECTORY_UNAVAILABLE)
		return memo_find(ldap->memo, name, arena, user_out) ? DIRECTORY_OK : status;
	if (status == DIRECTORY_OK)
		memo_add(ldap->memo, name, user_out);
	else
		memo_forget(ldap->memo, name);
	return status;
}

struct fill {
	struct ldap_directory *ldap;
	struct span name;		/* that was asked for: the base may depend on it */
};

static enum directory_status
ask_for_entry(void *context, struct span entry, bool *is_there_out)
{
	const struct fill *fill = context;
	struct question question;
	enum directory_status status;

	question_init(&question, fill->ldap, fill->name);
	status = entry_is_there(fill->ldap->servers, &question.search, entry, is_there_out);
	question_fini(&question);
	return status;
}

/* Get the mailbox id that belongs to the entry on this host, and give one to a new user. */
static enum directory_status
fill_mailbox(struct ldap_directory *ldap, struct span name, const struct entry_names *names, struct arena *arena,
    struct directory_user *user)
{
	struct fill fill = { .ldap = ldap, .name = name };
	struct claim claim = { .entry = user->entry, .dn = entry_of_dn(user->credential, arena),
		.names = names->at, .name_count = names->count,
		.quota = names->count > 0 ? &user->quota : NULL, .ask = ask_for_entry, .context = &fill };

	return claim_mailbox(ldap->local, &claim, arena, user);
}

static enum directory_status
look_up_entry(struct ldap_directory *ldap, struct span name, struct arena *arena, struct directory_user *user_out)
{
	struct directory_user user;
	struct entry_names names = { .count = 0 };
	enum directory_status status = find(ldap, name, arena, &user, &names);

	if (status != DIRECTORY_OK)
		return status;
	if (span_equals_nocase(user.home, span_from_string(ldap->server_name)))
		user.home.length = 0;
	if (ldap->gives_mailboxes) {
		if (user.home.length > 0 && !directory_home_is_foreign(user.home))
			return DIRECTORY_ELSEWHERE;
		if ((status = fill_mailbox(ldap, name, &names, arena, &user)) != DIRECTORY_OK)
			return status;
	}
	*user_out = user;
	return DIRECTORY_OK;
}

/* Shared accounts are rows alone.  They are looked for last, so that they take as long as who does not exist. */
static enum directory_status
lookup(struct directory *directory, struct span name, struct arena *arena,
    struct directory_user *user_out)
{
	struct ldap_directory *ldap = own(directory);
	enum directory_status status = look_up_entry(ldap, name, arena, user_out);
	struct directory_user row;

	if (ldap->local == NULL || (status != DIRECTORY_NOT_FOUND && status != DIRECTORY_UNAVAILABLE) ||
	    directory_lookup(ldap->local, name, arena, &row) != DIRECTORY_OK || !row.is_shared)
		return status;
	*user_out = row;
	return DIRECTORY_OK;
}

/* Ask for the entries of a user's groups. */
static enum directory_status
search_groups(struct ldap_directory *ldap, struct arena *arena, struct directory_user *user)
{
	struct group_search search = { .timeout_s = ldap->timeout_s };
	struct buffer base = { 0 }, filter = { 0 };
	enum directory_status status;

	pattern_expand_entry(ldap->group_base, user->name, user->credential, &base);
	pattern_expand_entry(ldap->group_filter, user->name, user->credential, &filter);
	search.base = buffer_string(&base);
	search.filter = buffer_string(&filter);
	status = groups_find(ldap->servers, &search, arena, user);
	buffer_free(&base);
	buffer_free(&filter);
	return status;
}

/* Those that the entry tells are known already; when no server answers, the others of a short while ago are. */
static enum directory_status
find_groups(struct directory *directory, struct arena *arena, struct directory_user *user)
{
	struct ldap_directory *ldap = own(directory);
	enum directory_status status;
	struct directory_user known;

	if (ldap->group_filter == NULL || user->is_shared)
		return DIRECTORY_OK;
	if ((status = search_groups(ldap, arena, user)) == DIRECTORY_OK)
		memo_add(ldap->grouped, user->name, user);
	if (status != DIRECTORY_UNAVAILABLE || !memo_find(ldap->grouped, user->name, arena, &known))
		return status;
	user->groups = known.groups;
	user->group_count = known.group_count;
	return DIRECTORY_OK;
}

static enum directory_status
verify(struct directory *directory, struct span credential, struct span password, bool *is_match_out)
{
	struct ldap_directory *ldap = own(directory);

	return bind_verify(ldap->servers, ldap->base, credential, password, is_match_out);
}

/* Who does not exist is asked for by a name and a place that nobody has, so that it takes as long. */
static enum directory_status
find_groups_of(struct ldap_directory *ldap, struct arena *arena, struct directory_user *user)
{
	char drawn[DIRECTORY_ID_LENGTH + 1];
	struct directory_user nobody = { .name = pattern_draw_name(drawn) };

	nobody.credential = nobody.name;
	return find_groups(&ldap->directory, arena, user->name.length > 0 ? user : &nobody);
}

/* A shared account's delegates are in directory.db, as those who have mailboxes on this host. */
static enum directory_status
permit_shared(struct ldap_directory *ldap, struct arena *arena, struct directory_login *login)
{
	struct directory_login local = *login;
	enum directory_status status = directory_lookup(ldap->local, login->prover.name, arena, &local.prover);

	if (status == DIRECTORY_OK)
		status = delegates_permit(ldap->local, arena, &local);
	if (status == DIRECTORY_OK)
		login->is_permitted = login->is_permitted || local.is_permitted;
	return status == DIRECTORY_NOT_FOUND ? DIRECTORY_OK : status;
}

static enum directory_status
permit(struct directory *directory, struct arena *arena, struct directory_login *login)
{
	struct ldap_directory *ldap = own(directory);
	enum directory_status status = DIRECTORY_OK;

	if (ldap->master_group != NULL) {
		status = find_groups_of(ldap, arena, &login->prover);
		if (status == DIRECTORY_OK)
			status = find_groups_of(ldap, arena, &login->principal);
	}
	if (status != DIRECTORY_OK)
		return status;
	permit_by_entries(login, ldap->master_group);
	return ldap->local == NULL ? DIRECTORY_OK : permit_shared(ldap, arena, login);
}

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
	status = find(ldap, name, arena, &user, &names);
	arena_free(&arena);
	return status == DIRECTORY_OK ? DIRECTORY_EXISTS : status == DIRECTORY_NOT_FOUND ? DIRECTORY_OK : status;
}

static enum directory_status
add_shared(struct directory *directory, struct span name)
{
	struct ldap_directory *ldap = own(directory);
	enum directory_status status = check_no_entry(ldap, name);

	return status == DIRECTORY_OK ? directory_add_shared(ldap->local, name) : status;
}

/* All others are to be made again in LDAP. */
static enum directory_status
restore(struct directory *directory, const struct directory_user *user)
{
	struct ldap_directory *ldap = own(directory);
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

static enum directory_status
set_credential(struct directory *directory, struct span name, struct span credential)
{
	(void)credential;
	return is_shared(own(directory), name) ? DIRECTORY_SHARED : DIRECTORY_READ_ONLY;
}

static enum directory_status
set_home(struct directory *directory, struct span name, struct span home)
{
	struct ldap_directory *ldap = own(directory);

	return is_shared(ldap, name) ? directory_set_home(ldap->local, name, home) : DIRECTORY_READ_ONLY;
}

static enum directory_status
set_limit(struct directory *directory, struct span name, enum directory_resource resource, int64_t limit)
{
	struct ldap_directory *ldap = own(directory);

	return is_shared(ldap, name) ? directory_set_limit(ldap->local, name, resource, limit) : DIRECTORY_READ_ONLY;
}

/* Of a shared account here, and by users who have mailboxes here, it is this host's matter. */
static enum directory_status
allow(struct directory *directory, struct span principal, struct span delegate, bool is_allowed)
{
	struct ldap_directory *ldap = own(directory);

	return is_shared(ldap, principal) ? directory_allow(ldap->local, principal, delegate, is_allowed) :
	    DIRECTORY_READ_ONLY;
}

static enum directory_status
list_delegates(struct directory *directory, const struct directory_user *principal, struct arena *arena,
    struct span **names_out, size_t *count_out)
{
	struct ldap_directory *ldap = own(directory);

	*count_out = 0;
	return principal->is_shared ? directory_list_delegates(ldap->local, principal, arena, names_out, count_out) :
	    DIRECTORY_OK;
}

/* Give the mailbox on this host to whichever entry is next to have the name. */
static enum directory_status
release(struct directory *directory, struct span name)
{
	struct ldap_directory *ldap = own(directory);

	return ldap->local == NULL ? DIRECTORY_READ_ONLY : directory_release(ldap->local, name);
}

/* The row that the entry of this name has, when the row has another one. */
static enum directory_status
delete_by_entry(struct ldap_directory *ldap, struct span name, struct arena *arena)
{
	struct directory_user user;
	struct entry_names names;
	enum directory_status status = find(ldap, name, arena, &user, &names);

	if (status != DIRECTORY_OK)
		return status;
	names.count = 0;		/* a row that is not there is not to be made */
	if (fill_mailbox(ldap, name, &names, arena, &user) != DIRECTORY_OK)
		return DIRECTORY_NOT_FOUND;
	return directory_delete(ldap->local, user.name);
}

/* Forget the mailbox on this host: for a user whose entry is gone. */
static enum directory_status
delete(struct directory *directory, struct span name)
{
	struct ldap_directory *ldap = own(directory);
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

static struct directory *
registry(struct directory *directory)
{
	return own(directory)->local;
}

/* Those who have a mailbox here. */
static enum directory_status
list(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	struct ldap_directory *ldap = own(directory);

	if (ldap->local != NULL)
		return directory_list(ldap->local, after, arena, users_out, limit, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}

static enum directory_status
list_limited(struct directory *directory, struct span after, struct arena *arena,
    struct directory_user *users_out, size_t limit, size_t *count_out)
{
	struct ldap_directory *ldap = own(directory);

	if (ldap->local != NULL)
		return directory_list_limited(ldap->local, after, arena, users_out, limit, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}

static enum directory_status
list_retired(struct directory *directory, struct span after, struct arena *arena,
    struct directory_retired *retired_out, size_t limit, size_t *count_out)
{
	struct ldap_directory *ldap = own(directory);

	if (ldap->local != NULL)
		return directory_list_retired(ldap->local, after, arena, retired_out, limit, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}

static enum directory_status
count_users(struct directory *directory, uint64_t *count_out)
{
	struct ldap_directory *ldap = own(directory);

	if (ldap->local != NULL)
		return directory_count(ldap->local, count_out);
	*count_out = 0;
	return DIRECTORY_OK;
}

static void
close_all(struct directory *directory)
{
	struct ldap_directory *ldap = own(directory);

	directory_close(&ldap->local);
	servers_free(&ldap->servers);
	memo_free(&ldap->memo);
	memo_free(&ldap->grouped);
	free(ldap->base);
	free(ldap->filter);
	free(ldap->user_attribute);
	free(ldap->home_attribute);
	free(ldap->server_name);
	free(ldap->quota_attribute);
	free(ldap->delegate_attribute);
	free(ldap->master_group);
	free(ldap->group_attribute);
	free(ldap->group_base);
	free(ldap->group_filter);
	free(ldap);
}

/* The first line of the file, without its end.  False: unreadable or empty; that is logged. */
static bool
read_password(const char *path, char text[DIRECTORY_PASSWORD_MAX + 1], struct span *password_out)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, text, DIRECTORY_PASSWORD_MAX);

	if (file >= 0)
		close(file);
	text[length < 0 ? 0 : length] = '\0';
	*password_out = span_of(text, strcspn(text, "\r\n"));
	if (password_out->length == 0)
		log_error("directory-failed", log_text("path", path),
		    log_text("reason", length < 0 ? "cannot be read" : "holds no password"));
	return password_out->length > 0;
}

static const struct directory_backend backend = {
	.lookup = lookup,
	.find_groups = find_groups,
	.verify = verify,
	.add = refuse_text,
	.add_shared = add_shared,
	.restore = restore,
	.set_credential = set_credential,
	.set_enabled = refuse_enabled,
	.set_home = set_home,
	.set_limit = set_limit,
	.set_master = refuse_enabled,
	.allow = allow,
	.list_delegates = list_delegates,
	.permits = permit,
	.release = release,
	.join = refuse_text,
	.leave = refuse_text,
	.list_members = refuse_list_members,
	.delete = delete,
	.registry = registry,
	.list = list,
	.list_limited = list_limited,
	.list_retired = list_retired,
	.count = count_users,
	.close = close_all,
};

static char *
copy_optional(const char *text)
{
	return text == NULL ? NULL : memory_copy_string(text);
}

static struct ldap_directory *
ldap_new(const struct directory_ldap_settings *settings, struct span password)
{
	struct ldap_directory *ldap = NEW(struct ldap_directory);

	ldap->directory.backend = &backend;
	ldap->servers = servers_new(settings, password);
	ldap->memo = memo_new(settings->cache_s, KNOWN_MAX);
	ldap->grouped = memo_new(settings->cache_s, KNOWN_MAX);
	ldap->base = memory_copy_string(settings->base);
	ldap->filter = memory_copy_string(settings->filter);
	ldap->user_attribute = memory_copy_string(settings->user_attribute);
	ldap->home_attribute = copy_optional(settings->home_attribute);
	ldap->quota_attribute = copy_optional(settings->quota_attribute);
	ldap->quota_unit = settings->quota_unit;
	ldap->delegate_attribute = copy_optional(settings->delegate_attribute);
	ldap->master_group = copy_optional(settings->master_group);
	ldap->group_attribute = copy_optional(settings->group_attribute);
	ldap->group_base = copy_optional(settings->group_base);
	ldap->group_filter = copy_optional(settings->group_filter);
	ldap->server_name = memory_copy_string(settings->server_name);
	ldap->timeout_s = settings->timeout_s;
	ldap->gives_mailboxes = settings->gives_mailboxes;
	return ldap;
}

bool
directory_has_ldap(void)
{
	return true;
}

enum directory_status
directory_open_ldap(const struct directory_ldap_settings *settings, struct directory **directory_out)
{
	char text[DIRECTORY_PASSWORD_MAX + 1];
	struct span password = { NULL, 0 };
	struct ldap_directory *ldap;
	enum directory_status status = DIRECTORY_OK;

	assert_off_loop();
	if (settings->bind_dn != NULL && !read_password(settings->password_file, text, &password))
		return DIRECTORY_CORRUPT;
	ldap = ldap_new(settings, password);
	memory_wipe(text, sizeof text);
	if (settings->local_path != NULL)
		status = directory_open_sqlite(settings->local_path, &ldap->local);
	if (status == DIRECTORY_OK)
		*directory_out = &ldap->directory;
	else
		close_all(&ldap->directory);
	return status;
}
