/*
 * What the role knows of shares: read from the directory, asked for by sessions, and changed when a user comes, goes or
 * gets another name.  Loop thread; the work_ functions on workers.
 */
#include "shares.h"

#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "base/map.h"
#include "base/memory.h"
#include "share_map.h"

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
		share_map_add(shares, share_map_owner(shares, reading->rows[i].mailbox_id, reading->rows[i].name,
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
	if (role->shares == NULL)
		role->shares = share_map_new();
	if (!role->shares->is_read && !role->shares->is_reading)
		submit_reading(role);
}

void
shares_end(struct mailbox_role *role)
{
	if (role->shares != NULL)
		share_map_free(&role->shares);
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

/* ---- users who come and go ------------------------------------------------------------------------------ */

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

void
shares_learn(struct mailbox_role *role, const char *mailbox_id, struct span name, bool is_shared,
    const struct span *identifiers, size_t count)
{
	for (size_t i = 0; i < count && role->shares->is_read; i++)	/* else they will be read */
		share_map_add(role->shares, share_map_owner(role->shares, mailbox_id, name, is_shared), identifiers[i]);
}

void
shares_forget_owner(struct mailbox_role *role, struct span name)
{
	struct share_owner *owner = share_map_owner_named(role->shares, name);

	if (owner == NULL)
		return;
	accounts_orphan(role->accounts, owner->id);
	share_map_drop_all(role->shares, owner);
	if (owner->grants == 0)
		share_map_free_owner(role->shares, owner);
}

void
shares_forget_user(struct mailbox_role *role, struct span name)
{
	struct shares *shares = role->shares;
	struct given *given = map_get(shares->given, name);
	size_t position = 0;
	struct span key;
	void *giver;

	while (given != NULL && !role->is_closing_accounts && map_next(given->owners, &position, &key, &giver))
		erase(role, giver, name);
	if (given != NULL)
		share_map_forget(shares, given);
	shares_forget_owner(role, name);
}

/* ---- users who get another name ------------------------------------------------------------------------- */

void
shares_rename_user(struct mailbox_role *role, struct span from, struct span to)
{
	struct shares *shares = role->shares;
	struct share_owner *owner = share_map_owner_named(shares, from);
	struct given *given = map_get(shares->given, from);

	if (owner != NULL)
		share_map_rename_owner(owner, to);
	if (given != NULL)
		share_map_rename_identifier(shares, given, to);
}
