/*
 * What entries in LDAP say of users: asked of the servers, and remembered for a short while.  Worker threads; entries_verify()
 * alone may be run by several.
 */
#include "entries.h"

#include <string.h>

#include "bind.h"
#include "claim.h"
#include "delegate.h"
#include "group.h"
#include "pattern.h"
#include "permit.h"

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
enum directory_status
entries_find(struct ldap_directory *ldap, struct span name, struct arena *arena, struct directory_user *user_out,
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
enum directory_status
entries_claim(struct ldap_directory *ldap, struct span name, const struct entry_names *names, struct arena *arena,
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
	enum directory_status status = entries_find(ldap, name, arena, &user, &names);

	if (status != DIRECTORY_OK)
		return status;
	if (span_equals_nocase(user.home, span_from_string(ldap->server_name)))
		user.home.length = 0;
	if (ldap->gives_mailboxes) {
		if (user.home.length > 0 && !directory_home_is_foreign(user.home))
			return DIRECTORY_ELSEWHERE;
		if ((status = entries_claim(ldap, name, &names, arena, &user)) != DIRECTORY_OK)
			return status;
	}
	*user_out = user;
	return DIRECTORY_OK;
}

/* Shared accounts are rows alone.  They are looked for last, so that they take as long as who does not exist. */
enum directory_status
entries_lookup(struct directory *directory, struct span name, struct arena *arena,
    struct directory_user *user_out)
{
	struct ldap_directory *ldap = ldap_own(directory);
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
enum directory_status
entries_find_groups(struct directory *directory, struct arena *arena, struct directory_user *user)
{
	struct ldap_directory *ldap = ldap_own(directory);
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

enum directory_status
entries_verify(struct directory *directory, struct span credential, struct span password, bool *is_match_out)
{
	struct ldap_directory *ldap = ldap_own(directory);

	return bind_verify(ldap->servers, ldap->base, credential, password, is_match_out);
}

/* Who does not exist is asked for by a name and a place that nobody has, so that it takes as long. */
static enum directory_status
find_groups_of(struct ldap_directory *ldap, struct arena *arena, struct directory_user *user)
{
	char drawn[DIRECTORY_ID_LENGTH + 1];
	struct directory_user nobody = { .name = pattern_draw_name(drawn) };

	nobody.credential = nobody.name;
	return entries_find_groups(&ldap->directory, arena, user->name.length > 0 ? user : &nobody);
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

enum directory_status
entries_permit(struct directory *directory, struct arena *arena, struct directory_login *login)
{
	struct ldap_directory *ldap = ldap_own(directory);
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
