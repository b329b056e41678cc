/*
 * What accounts have, and the limits that they are given.
 */
#include <assert.h>

#include "account_parts.h"
#include "base/map.h"

void
accounts_set_limits(struct accounts *accounts, size_t open_max, bool is_always_durable,
    const struct store_quota *quota, int64_t retention_s)
{
	accounts->settings.open_max = open_max;
	batch_set_quota(&accounts->settings.quota, quota);
	__atomic_store_n(&accounts->settings.is_always_durable, is_always_durable, __ATOMIC_RELAXED);
	__atomic_store_n(&accounts->settings.retention_s, retention_s, __ATOMIC_RELAXED);
}

void
accounts_set_limits_of(struct accounts *accounts, const char *mailbox_id, const struct store_amounts *limits)
{
	struct account *account = map_get(accounts->by_id, span_from_string(mailbox_id));

	if (limits_set(accounts->limits, mailbox_id, limits) && account != NULL)
		batch_set_limits(&account->batch, limits);
}

void
accounts_orphan(struct accounts *accounts, const char *mailbox_id)
{
	struct account *account = map_get(accounts->by_id, span_from_string(mailbox_id));

	if (account != NULL)
		__atomic_store_n(&account->is_orphan, true, __ATOMIC_RELEASE);
}

void
accounts_rename(struct accounts *accounts, const char *mailbox_id, const char *user)
{
	struct account *account = map_get(accounts->by_id, span_from_string(mailbox_id));

	faults_rename(accounts->settings.faults, mailbox_id, user);
	if (account == NULL)
		return;
	account->former = memory_resize(account->former, account->former_count + 1, sizeof *account->former);
	account->former[account->former_count++] = (char *)(uintptr_t)account->place.user;
	__atomic_store_n(&account->place.user, memory_copy_string(user), __ATOMIC_RELEASE);
}

bool
account_is_orphan(const struct account *account)
{
	return __atomic_load_n(&account->is_orphan, __ATOMIC_ACQUIRE);
}

struct store_amounts
accounts_limits_of(const struct accounts *accounts, const char *mailbox_id)
{
	struct store_amounts limits = limits_of(accounts->limits, mailbox_id);

	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		if (limits.of[i] == 0)
			limits.of[i] = accounts->settings.quota.limits.of[i];
	return limits;
}

bool
account_has_no_jobs(const struct account *account)
{
	return account->jobs == 0;
}

bool
account_has_quota(const struct account *account)
{
	return batch_has_quota(&account->batch);
}

void
account_begin_reading(struct account *account)
{
	account->readers++;
}

void
account_end_reading(struct account *account)
{
	assert(account->readers > 0);
	account->readers--;
}

size_t
account_note_gathered(struct account *account, size_t before, size_t now)
{
	account->gathered = account->gathered - before + now;
	return account->gathered;
}

void
account_has_garbage(struct account *account)
{
	account->has_garbage = true;
}

struct status_rows *
account_status_rows(struct account *account)
{
	return &account->status_rows;
}

struct index_seat *
account_index_seat(struct account *account)
{
	return &account->indexing;
}

struct states *
account_states(struct account *account)
{
	return &account->states;
}

struct state_cache *
account_state_cache(struct account *account)
{
	return &account->accounts->states;
}

struct list *
account_overlays(struct account *account)
{
	return &account->overlays;
}

struct list *
account_insights(struct account *account)
{
	return &account->insights;
}

struct insights *
account_insight_cache(struct account *account)
{
	return &account->accounts->insights;
}

struct state_cache *
account_extra_cache(struct account *account)
{
	return &account->accounts->extras;
}

struct state_cache *
account_body_cache(struct account *account)
{
	return &account->accounts->bodies;
}

struct bulletin *
account_bulletin(const struct account *account)
{
	return account->bulletin;
}

void
account_set_bulletin(struct account *account, struct bulletin *bulletin)
{
	account->bulletin = bulletin;
}

const void *
account_actor(const struct account *account)
{
	return account->actor;
}

void
account_set_actor(struct account *account, const void *actor)
{
	account->actor = actor;
}

const char *
account_path(const struct account *account)
{
	return account->batch.path;
}

const char *
account_mark_path(const struct account *account)
{
	return account->batch.mark_path;
}

const char *
account_id(const struct account *account)
{
	return account->place.id;
}

const char *
account_user(const struct account *account)
{
	return __atomic_load_n(&account->place.user, __ATOMIC_ACQUIRE);
}

struct loop *
account_loop(const struct account *account)
{
	return account->accounts->settings.loop;
}
