/*
 * May it be changed, let the directory note it, change it: a job each where rights are given, one where they are taken.
 * Loop thread; the work_ functions on workers.
 */
#include "acl_change.h"

#include "../shared/renames.h"
#include "rights.h"

static bool
is_negative(struct span identifier)
{
	return identifier.length > 0 && identifier.at[0] == '-';
}

bool
acl_is_owner(const struct account *account, struct span identifier)
{
	return span_equals(span_from(identifier, is_negative(identifier)), span_from_string(account_user(account)));
}

/* The name of a user, or what means all of them. */
static bool
prepare_users(struct span bare, struct directory_name *name_out)
{
	static const struct span all[] = { SPAN("anyone"), SPAN("authenticated") };

	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (span_equals_nocase(bare, all[i])) {
			memcpy(name_out->text, all[i].at, all[i].length);
			name_out->length = all[i].length;
			return true;
		}
	return directory_prepare_name(bare, name_out);
}

bool
acl_identifier(struct span text, struct arena *arena, struct span *identifier_out)
{
	struct buffer identifier = { 0 };
	struct span bare = span_from(text, is_negative(text));
	bool is_group = bare.length > 0 && bare.at[0] == '$';
	struct directory_name name;

	if (!(is_group ? directory_prepare_group(span_from(bare, 1), &name) : prepare_users(bare, &name)) ||
	    name.text[0] == '-')
		return false;
	if (is_negative(text))
		buffer_add_octet(&identifier, '-');
	if (is_group)
		buffer_add_octet(&identifier, '$');
	buffer_add_span(&identifier, directory_name_span(&name));
	*identifier_out = arena_copy(arena, buffer_span(&identifier));
	buffer_free(&identifier);
	return true;
}

/* Who has no right to change it is told so, whatever was to be changed. */
static enum store_status
find(struct store *store, struct acl_change *change)
{
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, &change->door, change->arena, &mailbox);

	if (status != STORE_OK)
		return status;
	change->mailbox_id = mailbox.id;
	return acl_is_owner(change->door.account, change->identifier) ? STORE_FORBIDDEN : STORE_OK;
}

static enum store_status
work_find(struct store *store, struct account_job *job)
{
	return find(store, CONTAINER_OF(job, struct acl_change, job));
}

static enum store_status
work_change(struct store *store, struct account_job *job)
{
	struct acl_change *change = CONTAINER_OF(job, struct acl_change, job);
	unsigned rights = change->rights, before;
	enum store_status status = find(store, change);

	if (status == STORE_OK && change->former.length > 0)
		status = store_acl_rename(store, change->former, change->present);
	if (status == STORE_OK)
		status = store_acl_of(store, change->mailbox_id, change->identifier, &before);
	if (status != STORE_OK)
		return status;
	if (change->kind == IMAP_ACL_ADD)
		rights |= before;
	else if (change->kind == IMAP_ACL_REMOVE)
		rights = before & ~rights;
	return store_acl_set(store, change->mailbox_id, change->identifier, rights);
}

static enum store_status
work_nothing(struct store *store, struct account_job *job)
{
	(void)store;
	(void)job;
	return STORE_OK;
}

static void
on_known(struct account_job *job)
{
	struct acl_change *change = CONTAINER_OF(job, struct acl_change, job);

	change->done(change);
}

static bool
is_grant(const struct acl_change *change)
{
	return change->kind != IMAP_ACL_REMOVE && change->rights != 0 && !is_negative(change->identifier);
}

/* Whether an identifier may have nothing any more: the directory knows none with "-", and of no grant that never began. */
static bool
is_taken(const struct acl_change *change, enum store_status status)
{
	if (is_grant(change))
		return status != STORE_OK && change->grant.account != NULL;
	return status == STORE_OK && !is_negative(change->identifier);
}

/* Done is what every session knows that it concerns: their jobs come home before this one. */
static void
finish(struct acl_change *change, enum store_status status)
{
	bool has_taken = is_taken(change, status);
	bool is_watched = status == STORE_OK && rights_changed(change->role, change->door.account, change->mailbox_id);

	change->status = status;
	shares_settle(change->role, &change->grant);
	shares_tidy(change->role, change->door.account, has_taken);
	if (!is_watched) {
		change->done(change);
		return;
	}
	change->job.kind = ACCOUNT_READ;
	change->job.work = work_nothing;
	change->job.done = on_known;
	account_submit(change->door.account, &change->job);
}

static void
on_changed(struct account_job *job)
{
	finish(CONTAINER_OF(job, struct acl_change, job), job->status);
}

/* Whoever is meant by an identifier, by the old name or the new one. */
static const struct rename *
find_rename(const struct acl_change *change)
{
	return renames_find(change->role, span_from(change->identifier, is_negative(change->identifier)));
}

/* What is said of a user's old name is meant for the new one, in a file that may still say the old one. */
static void
note_rename(struct acl_change *change)
{
	const struct rename *rename = find_rename(change);
	struct buffer identifier = { 0 };

	change->former = change->present = SPAN("");
	if (rename == NULL)
		return;
	change->former = arena_copy(change->arena, directory_name_span(&rename->row.name));
	change->present = arena_copy(change->arena, directory_name_span(&rename->row.new_name));
	buffer_add_string(&identifier, is_negative(change->identifier) ? "-" : "");
	buffer_add_span(&identifier, change->present);
	change->identifier = arena_copy(change->arena, buffer_span(&identifier));
	buffer_free(&identifier);
}

static void
submit_change(struct acl_change *change)
{
	change->job.kind = ACCOUNT_DURABLE;
	change->job.work = work_change;
	change->job.done = on_changed;
	account_submit(change->door.account, &change->job);
}

static void
on_granted(struct share_grant *grant, enum directory_status status)
{
	struct acl_change *change = CONTAINER_OF(grant, struct acl_change, grant);

	bool is_renamed_since = change->former.length == 0 && find_rename(change) != NULL;

	if (status == DIRECTORY_OK && !is_renamed_since)
		submit_change(change);
	else
		finish(change, STORE_UNAVAILABLE);
}

static void
on_found(struct account_job *job)
{
	struct acl_change *change = CONTAINER_OF(job, struct acl_change, job);

	if (job->status != STORE_OK) {
		finish(change, job->status);
		return;
	}
	change->grant.done = on_granted;
	change->grant.is_shared = change->is_shared;
	shares_grant(change->role, &change->grant, change->door.account, change->identifier);
}

void
acl_change_begin(struct mailbox_role *role, struct acl_change *change)
{
	change->role = role;
	change->grant.account = NULL;
	change->grant.is_counted = false;
	note_rename(change);
	if (!is_grant(change)) {
		submit_change(change);
		return;
	}
	change->job.kind = ACCOUNT_READ;
	change->job.work = work_find;
	change->job.done = on_found;
	account_submit(change->door.account, &change->job);
}
