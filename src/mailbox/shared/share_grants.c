/*
 * Rights that are given and taken: an identifier is in the directory and in memory before a right is in the owner's file, and
 * leaves when the file has none any more.  Loop thread; the work_ functions on workers.
 */
#include "share_grants.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "base/map.h"
#include "base/memory.h"
#include "renames.h"
#include "share_map.h"

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
		share_map_add(shares, owner, grant->identifier);
	else
		shares_settle(ask->role, grant);
	grant->done(grant, ask->status);
}

void
shares_grant(struct mailbox_role *role, struct share_grant *grant, struct account *account, struct span identifier)
{
	struct share_owner *owner =
	    share_map_owner(role->shares, account_id(account), span_from_string(account_user(account)), grant->is_shared);

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
		share_map_drop(role->shares, owner, surplus[i]);
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
		share_map_free_owner(role->shares, owner);
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
