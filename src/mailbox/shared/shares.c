/*
 * Two maps: owners by the ids of their mailboxes, and for each identifier the owners by their names.  An owner knows the
 * identifiers, too: what one changes costs by what that one shares, not by what all do.  Loop thread; the work_ functions
 * on workers.
 */
#include "shares.h"

#include <assert.h>
#include <stdlib.h>

#include "account.h"
#include "base/map.h"
#include "base/memory.h"
#include "renames.h"

struct shares {
	struct map *owners;		/* id: struct share_owner */
	struct map *given;		/* identifier: struct given */
	bool is_read, is_reading;
	size_t sharing[2];		/* owners with identifiers: users, and shared accounts */
};

struct given {
	struct span identifier;
	struct map *owners;		/* name: struct share_owner */
};

static struct span
id_of(const struct share_owner *owner)
{
	return span_of(owner->id, DIRECTORY_ID_LENGTH);
}

static struct share_owner *
owner_of(struct shares *shares, const char *id, struct span name, bool is_shared)
{
	struct share_owner *owner = map_get(shares->owners, span_from_string(id));

	if (owner != NULL)
		return owner;
	owner = NEW(struct share_owner);
	memcpy(owner->id, id, sizeof owner->id);
	owner->name = span_of(memory_copy_span(name), name.length);
	owner->is_shared = is_shared;
	owner->given = map_new();
	map_put(shares->owners, id_of(owner), owner);
	return owner;
}

static struct given *
given_to(struct shares *shares, struct span identifier)
{
	struct given *given = map_get(shares->given, identifier);

	if (given != NULL)
		return given;
	given = NEW(struct given);
	given->identifier = span_of(memory_copy_span(identifier), identifier.length);
	given->owners = map_new();
	map_put(shares->given, given->identifier, given);
	return given;
}

static void
add(struct shares *shares, struct share_owner *owner, struct span identifier)
{
	struct given *given = given_to(shares, identifier);

	if (map_put(given->owners, owner->name, owner) != NULL)
		return;
	map_put(owner->given, identifier, given);
	if (map_count(owner->given) == 1)
		shares->sharing[owner->is_shared]++;
}

static void
take_identifier(struct shares *shares, struct share_owner *owner, struct span identifier)
{
	map_remove(owner->given, identifier);
	if (map_count(owner->given) == 0)
		shares->sharing[owner->is_shared]--;
}

static void
free_given(struct shares *shares, struct given *given)
{
	map_remove(shares->given, given->identifier);
	map_free(&given->owners);
	free((void *)(uintptr_t)given->identifier.at);
	free(given);
}

static void
leave(struct shares *shares, const struct share_owner *owner, struct given *given)
{
	map_remove(given->owners, owner->name);
	if (map_count(given->owners) == 0)
		free_given(shares, given);
}

static void
drop(struct shares *shares, struct share_owner *owner, struct given *given)
{
	take_identifier(shares, owner, given->identifier);
	leave(shares, owner, given);
}

static void
drop_all(struct shares *shares, struct share_owner *owner)
{
	size_t position = 0;
	struct span key;
	void *value;

	if (map_count(owner->given) == 0)
		return;
	while (map_next(owner->given, &position, &key, &value))
		leave(shares, owner, value);
	map_free(&owner->given);
	owner->given = map_new();
	shares->sharing[owner->is_shared]--;
}

static void
free_owner(struct shares *shares, struct share_owner *owner)
{
	map_remove(shares->owners, id_of(owner));
	map_free(&owner->given);
	free((void *)(uintptr_t)owner->name.at);
	free(owner);
}

/* ---- reading -------------------------------------------------------------------------------------------- */

struct reading {
	struct role_ask ask;
	struct arena *arena;
	struct directory_share *rows;
	size_t count;
};

static enum directory_status
work_read(struct role_ask *ask, struct directory *directory)
{
	struct reading *reading = CONTAINER_OF(ask, struct reading, ask);

	return directory_share_list(directory, reading->arena, &reading->rows, &reading->count);
}

static void
on_read(struct role_ask *ask)
{
	struct reading *reading = CONTAINER_OF(ask, struct reading, ask);
	struct shares *shares = ask->role->shares;

	shares->is_reading = false;
	shares->is_read = ask->status == DIRECTORY_OK;
	for (size_t i = 0; i < reading->count && shares->is_read; i++)
		add(shares, owner_of(shares, reading->rows[i].mailbox_id, reading->rows[i].name,
		    reading->rows[i].is_shared),
		    reading->rows[i].identifier);
	arena_free(&reading->arena);
	free(reading);
}

static void
submit_reading(struct mailbox_role *role)
{
	struct reading *reading = NEW(struct reading);

	role->shares->is_reading = true;
	reading->arena = arena_new();
	reading->ask.work = work_read;
	reading->ask.done = on_read;
	role_submit_ask(role, &reading->ask);
}

void
shares_begin(struct mailbox_role *role)
{
	if (role->shares == NULL) {
		role->shares = NEW(struct shares);
		role->shares->owners = map_new();
		role->shares->given = map_new();
	}
	if (!role->shares->is_read && !role->shares->is_reading)
		submit_reading(role);
}

void
shares_end(struct mailbox_role *role)
{
	struct shares *shares = role->shares;
	size_t position;
	struct span key;
	void *value;

	if (shares == NULL)
		return;
	while (position = 0, map_next(shares->given, &position, &key, &value))
		free_given(shares, value);
	while (position = 0, map_next(shares->owners, &position, &key, &value))
		free_owner(shares, value);
	map_free(&shares->given);
	map_free(&shares->owners);
	free(shares);
	role->shares = NULL;
}

/* ---- asking --------------------------------------------------------------------------------------------- */

bool
shares_are_any(const struct mailbox_role *role, bool is_shared)
{
	return role->shares->sharing[is_shared] > 0;
}

const struct share_owner *
shares_find(const struct mailbox_role *role, struct span name, const struct store_identity *who)
{
	const struct share_owner *found = NULL;

	for (size_t i = 0; i < who->count && found == NULL; i++) {
		const struct given *given = map_get(role->shares->given, who->names[i]);

		found = given == NULL ? NULL : map_get(given->owners, name);
	}
	return found;
}

static int
compare(const void *left, const void *right)
{
	const struct share_owner *const *a = left, *const *b = right;

	return span_compare((*a)->name, (*b)->name);
}

static size_t
without_doubles(const struct share_owner **owners, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (kept == 0 || owners[kept - 1] != owners[i])
			owners[kept++] = owners[i];
	return kept;
}

const struct share_owner **
shares_list(const struct mailbox_role *role, const struct store_identity *who, struct arena *arena,
    size_t *count_out)
{
	const struct share_owner **owners;
	size_t count = 0, capacity = 1, position;
	struct span name;
	void *value;

	for (size_t i = 0; i < who->count; i++) {
		const struct given *given = map_get(role->shares->given, who->names[i]);

		capacity += given == NULL ? 0 : map_count(given->owners);
	}
	owners = arena_alloc_array(arena, capacity, sizeof *owners);
	for (size_t i = 0; i < who->count; i++) {
		const struct given *given = map_get(role->shares->given, who->names[i]);

		for (position = 0; given != NULL && map_next(given->owners, &position, &name, &value);)
			if (!span_equals(name, who->names[0]))		/* oneself, through "anyone" */
				owners[count++] = value;
	}
	qsort(owners, count, sizeof *owners, compare);
	*count_out = without_doubles(owners, count);
	return owners;
}

/* ---- changing ------------------------------------------------------------------------------------------- */

static enum directory_status
work_grant(struct role_ask *ask, struct directory *directory)
{
	const struct share_grant *grant = CONTAINER_OF(ask, struct share_grant, ask);

	return directory_share_set(directory, account_id(grant->account), grant->identifier, true);
}

static void
on_granted(struct role_ask *ask)
{
	struct share_grant *grant = CONTAINER_OF(ask, struct share_grant, ask);
	struct shares *shares = ask->role->shares;
	struct share_owner *owner = map_get(shares->owners, span_from_string(account_id(grant->account)));

	if (ask->status == DIRECTORY_OK && !account_is_orphan(grant->account))
		add(shares, owner, grant->identifier);
	else
		shares_settle(ask->role, grant);
	grant->done(grant, ask->status);
}

void
shares_grant(struct mailbox_role *role, struct share_grant *grant, struct account *account, struct span identifier)
{
	struct share_owner *owner =
	    owner_of(role->shares, account_id(account), span_from_string(account_user(account)), grant->is_shared);

	grant->account = account;
	grant->identifier = identifier;
	grant->is_counted = true;
	owner->grants++;
	owner->generation++;
	grant->ask.work = work_grant;
	grant->ask.done = on_granted;
	role_submit_ask(role, &grant->ask);
}

void
shares_settle(struct mailbox_role *role, struct share_grant *grant)
{
	struct share_owner *owner;

	if (!grant->is_counted)
		return;
	grant->is_counted = false;
	owner = map_get(role->shares->owners, span_from_string(account_id(grant->account)));
	assert(owner != NULL && owner->grants > 0);
	owner->grants--;
}

static void tidy(struct mailbox_role *role, struct share_owner *owner, struct account *account);

/* Who has nothing any more. */
struct tidying {
	struct account_job job;
	struct mailbox_role *role;
	struct arena *arena;
	struct span *names;
	size_t count;
	unsigned generation;
};

static enum store_status
work_tidy(struct store *store, struct account_job *job)
{
	struct tidying *tidying = CONTAINER_OF(job, struct tidying, job);

	return store_acl_identifiers(store, tidying->arena, &tidying->names, &tidying->count);
}

static int
compare_names(const void *left, const void *right)
{
	return span_compare(*(const struct span *)left, *(const struct span *)right);
}

static bool
has_name(const struct tidying *tidying, struct span name)
{
	return tidying->count > 0 &&
	    bsearch(&name, tidying->names, tidying->count, sizeof *tidying->names, compare_names) != NULL;
}

/* Forget it in the directory, too. */
struct forgetting {
	struct role_ask ask;
	char id[DIRECTORY_ID_LENGTH + 1];
	char identifier[STORE_IDENTIFIER_MAX + 1];
};

static enum directory_status
work_forget(struct role_ask *ask, struct directory *directory)
{
	const struct forgetting *forgetting = CONTAINER_OF(ask, struct forgetting, ask);

	return directory_share_set(directory, forgetting->id, span_from_string(forgetting->identifier), false);
}

static void
on_forgotten(struct role_ask *ask)
{
	free(CONTAINER_OF(ask, struct forgetting, ask));
}

/* The order of the directory's jobs is that of the grants: one that comes later stands. */
static void
forget(struct mailbox_role *role, const struct share_owner *owner, struct span identifier)
{
	struct forgetting *forgetting = NEW(struct forgetting);

	memcpy(forgetting->id, owner->id, sizeof forgetting->id);
	memcpy(forgetting->identifier, identifier.at, identifier.length);
	forgetting->ask.work = work_forget;
	forgetting->ask.done = on_forgotten;
	role_submit_ask(role, &forgetting->ask);
}

/* Those that are dropped are collected first: the map is not to change under the walk. */
static void
drop_surplus(struct mailbox_role *role, struct share_owner *owner, const struct tidying *tidying)
{
	struct given **surplus = arena_alloc_array(tidying->arena, map_count(owner->given) + 1, sizeof(struct given *));
	size_t position = 0, count = 0;
	struct span identifier;
	void *value;

	while (map_next(owner->given, &position, &identifier, &value))
		if (!has_name(tidying, identifier) && !has_name(tidying, renames_former(role, identifier)))
			surplus[count++] = value;
	for (size_t i = 0; i < count; i++) {
		forget(role, owner, surplus[i]->identifier);
		drop(role->shares, owner, surplus[i]);
	}
}

/* Look again what has been taken meanwhile; who shares nothing any more is forgotten. */
static void
go_on(struct mailbox_role *role, struct share_owner *owner, struct account *account)
{
	owner->is_tidying = false;
	if (owner->is_surplus_possible && !role->is_closing_accounts)
		tidy(role, owner, account);
	else if (map_count(owner->given) == 0 && owner->grants == 0)
		free_owner(role->shares, owner);
}

/* A grant that has begun since may not be in the file yet. */
static void
on_tidied(struct account_job *job)
{
	struct tidying *tidying = CONTAINER_OF(job, struct tidying, job);
	struct mailbox_role *role = tidying->role;
	struct share_owner *owner = map_get(role->shares->owners, span_from_string(account_id(job->account)));

	if (owner != NULL && job->status == STORE_OK) {
		if (owner->grants == 0 && owner->generation == tidying->generation)
			drop_surplus(role, owner, tidying);
		else
			owner->is_surplus_possible = true;
		go_on(role, owner, job->account);
	} else if (owner != NULL) {
		owner->is_surplus_possible = true;	/* looked for with the next change */
		owner->is_tidying = false;
	}
	arena_free(&tidying->arena);
	free(tidying);
	role->jobs--;
	role->on_ended(role);
}

/* One at a time for each owner, and what is taken meanwhile shares the next. */
static void
tidy(struct mailbox_role *role, struct share_owner *owner, struct account *account)
{
	struct tidying *tidying;

	if (!owner->is_surplus_possible || owner->is_tidying || owner->grants > 0)
		return;
	owner->is_surplus_possible = false;
	owner->is_tidying = true;
	tidying = NEW(struct tidying);
	tidying->role = role;
	tidying->arena = arena_new();
	tidying->generation = owner->generation;
	tidying->job.kind = ACCOUNT_READ;
	tidying->job.work = work_tidy;
	tidying->job.done = on_tidied;
	role->jobs++;
	account_submit(account, &tidying->job);
}

void
shares_tidy(struct mailbox_role *role, struct account *account, bool is_taken)
{
	struct share_owner *owner = map_get(role->shares->owners, span_from_string(account_id(account)));

	if (owner == NULL)
		return;
	owner->is_surplus_possible |= is_taken;
	tidy(role, owner, account);
}

/* ---- users who are deleted ------------------------------------------------------------------------------ */

/* Rights of a name in the file of one owner. */
struct erasing {
	struct account_job job;
	struct mailbox_role *role;
	struct account *account;
	char identifier[STORE_IDENTIFIER_MAX + 1];
};

static enum store_status
work_erase(struct store *store, struct account_job *job)
{
	return store_acl_forget(store, span_from_string(CONTAINER_OF(job, struct erasing, job)->identifier));
}

/* What stays for a failure of the disk gives nobody anything until the owner shares with the name anew. */
static void
on_erased(struct account_job *job)
{
	struct erasing *erasing = CONTAINER_OF(job, struct erasing, job);
	struct mailbox_role *role = erasing->role;

	account_release(&erasing->account);
	free(erasing);
	role->jobs--;
	role->on_ended(role);
}

static void
erase(struct mailbox_role *role, const struct share_owner *owner, struct span identifier)
{
	struct erasing *erasing = NEW(struct erasing);
	char *name = memory_copy_span(owner->name);

	erasing->role = role;
	erasing->account = account_hold(role->accounts, owner->id, name);
	memcpy(erasing->identifier, identifier.at, identifier.length);
	erasing->job.kind = ACCOUNT_DURABLE;
	erasing->job.work = work_erase;
	erasing->job.done = on_erased;
	role->jobs++;
	account_submit(erasing->account, &erasing->job);
	free(name);
}

static struct share_owner *
owner_named(const struct shares *shares, struct span name)
{
	size_t position = 0;
	struct span id;
	void *value;

	while (map_next(shares->owners, &position, &id, &value)) {
		struct share_owner *owner = value;

		if (span_equals(owner->name, name))
			return owner;
	}
	return NULL;
}

void
shares_learn(struct mailbox_role *role, const char *mailbox_id, struct span name, bool is_shared,
    const struct span *identifiers, size_t count)
{
	for (size_t i = 0; i < count && role->shares->is_read; i++)	/* else they will be read */
		add(role->shares, owner_of(role->shares, mailbox_id, name, is_shared), identifiers[i]);
}

void
shares_forget_owner(struct mailbox_role *role, struct span name)
{
	struct share_owner *owner = owner_named(role->shares, name);

	if (owner == NULL)
		return;
	accounts_orphan(role->accounts, owner->id);
	drop_all(role->shares, owner);
	if (owner->grants == 0)
		free_owner(role->shares, owner);
}

void
shares_forget_user(struct mailbox_role *role, struct span name)
{
	struct shares *shares = role->shares;
	struct given *given = map_get(shares->given, name);
	size_t position = 0;
	struct span key;
	void *value;

	while (given != NULL && map_next(given->owners, &position, &key, &value)) {
		struct share_owner *giver = value;

		if (!role->is_closing_accounts)
			erase(role, giver, name);
		take_identifier(shares, giver, name);
	}
	if (given != NULL)
		free_given(shares, given);
	shares_forget_owner(role, name);
}

/* ---- users who get another name ------------------------------------------------------------------------- */

/* Who is found by the old name is found by the new one. */
static void
rename_owner(struct share_owner *owner, struct span to)
{
	struct span name = span_of(memory_copy_span(to), to.length), identifier;
	size_t position = 0;
	void *value;

	while (map_next(owner->given, &position, &identifier, &value)) {
		struct given *given = value;

		map_remove(given->owners, owner->name);
		map_put(given->owners, name, owner);
	}
	free((void *)(uintptr_t)owner->name.at);
	owner->name = name;
}

static void
rename_identifier(struct shares *shares, struct given *given, struct span to)
{
	size_t position = 0;
	struct span name;
	void *value;

	while (map_next(given->owners, &position, &name, &value)) {
		struct share_owner *giver = value;

		if (!span_equals(giver->name, to))	/* the user's own */
			add(shares, giver, to);
		take_identifier(shares, giver, given->identifier);
	}
	free_given(shares, given);
}

void
shares_rename_user(struct mailbox_role *role, struct span from, struct span to)
{
	struct shares *shares = role->shares;
	struct share_owner *owner = owner_named(shares, from);
	struct given *given = map_get(shares->given, from);

	if (owner != NULL)
		rename_owner(owner, to);
	if (given != NULL)
		rename_identifier(shares, given, to);
}
