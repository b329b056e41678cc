/*
 * Rights in users' mailboxes, for the operator: the verbs acl list, acl set and acl remove.  Loop thread; the work_
 * functions on workers.
 */
#include <stdlib.h>
#include <sysexits.h>

#include "../session/acl_change.h"
#include "control/control.h"
#include "control/words.h"
#include "imap/mailbox_name.h"
#include "life.h"

struct acl_call {
	struct role_lookup lookup;
	struct control_call *call;
	struct arena *arena;
	struct account *account;
	struct span mailbox;		/* canonical; empty: all */
	struct account_job job;		/* acl list */
	struct buffer lines;		/* of the answer, each with a line feed */
	bool is_list;
	struct acl_change change;
};

static void
end(struct acl_call *acl, int code, const char *text)
{
	struct mailbox_role *role = acl->lookup.role;

	control_finish(acl->call, code, text);
	account_release(&acl->account);
	arena_free(&acl->arena);
	buffer_free(&acl->lines);
	free(acl);
	role->jobs--;
	role->on_ended(role);
}

static void
end_with(struct acl_call *acl, enum store_status status)
{
	if (status == STORE_OK)
		end(acl, EX_OK, NULL);
	else if (status == STORE_NOT_FOUND)
		end(acl, EX_DATAERR, "there is no such mailbox");
	else if (status == STORE_FORBIDDEN)
		end(acl, EX_DATAERR, "the owner has all rights, always");
	else
		end(acl, status == STORE_UNAVAILABLE ? EX_TEMPFAIL : EX_IOERR, store_status_text(status));
}

/* ---- acl list ------------------------------------------------------------------------------------------- */

static void
write_entry(struct buffer *out, const char *mailbox, const struct store_acl_entry *entry)
{
	struct buffer rights = { 0 };

	imap_rights_write(&rights, entry->rights);
	control_add_word(out, SPAN("acl"));
	control_add_field(out, "mailbox", span_from_string(mailbox));
	control_add_field(out, "identifier", entry->identifier);
	control_add_field(out, "rights", buffer_span(&rights));
	buffer_add_octet(out, '\n');
	buffer_free(&rights);
}

static enum store_status
work_list(struct store *store, struct account_job *job)
{
	struct acl_call *acl = CONTAINER_OF(job, struct acl_call, job);
	const struct door door = { .account = acl->account, .granted = IMAP_RIGHTS_ALL };
	struct store_mailbox *mailboxes;
	bool is_found = acl->mailbox.length == 0;
	size_t count = 0;
	enum store_status status = door_list(store, &door, SPAN(""), acl->arena, &mailboxes, NULL, &count);

	for (size_t i = 0; i < count && status == STORE_OK; i++) {
		struct store_acl_entry *entries;
		size_t entry_count = 0;

		if (acl->mailbox.length > 0 && !span_equals(acl->mailbox, span_from_string(mailboxes[i].name)))
			continue;
		is_found = true;
		status = store_acl_get(store, mailboxes[i].id, acl->arena, &entries, &entry_count);
		for (size_t j = 0; j < entry_count && status == STORE_OK; j++)
			write_entry(&acl->lines, mailboxes[i].name, &entries[j]);
	}
	return status == STORE_OK && !is_found ? STORE_NOT_FOUND : status;
}

static void
on_list(struct account_job *job)
{
	struct acl_call *acl = CONTAINER_OF(job, struct acl_call, job);
	struct span rest = buffer_span(&acl->lines);

	while (rest.length > 0) {
		size_t length = span_find(rest, '\n');

		control_reply(acl->call, span_slice(rest, 0, length));
		rest = span_from(rest, length + 1);
	}
	end_with(acl, job->status);
}

/* ---- acl set, acl remove -------------------------------------------------------------------------------- */

static void
on_changed(struct acl_change *change)
{
	end_with(CONTAINER_OF(change, struct acl_call, change), change->status);
}

static void
on_looked_up(struct role_lookup *lookup)
{
	struct acl_call *acl = CONTAINER_OF(lookup, struct acl_call, lookup);
	struct mailbox_role *role = lookup->role;

	role->jobs++;
	if (lookup->status == DIRECTORY_NOT_FOUND) {
		end(acl, EX_NOUSER, "there is no such user");
		return;
	}
	if (lookup->status != DIRECTORY_OK || role->is_stopping) {
		end(acl, EX_TEMPFAIL, "not now, try again");
		return;
	}
	acl->account = account_hold(role->accounts, lookup->mailbox_id, lookup->found.text);
	if (acl->is_list) {
		acl->job.kind = ACCOUNT_READ;
		acl->job.work = work_list;
		acl->job.done = on_list;
		account_submit(acl->account, &acl->job);
		return;
	}
	acl->change.door = (struct door){ .account = acl->account, .name = acl->mailbox, .granted = IMAP_RIGHTS_ALL };
	acl->change.is_shared = lookup->is_shared;
	acl->change.done = on_changed;
	acl_change_begin(role, &acl->change);
}

/* What the call says, all but the user; NULL: it is good. */
static const char *
read_words(struct acl_call *acl)
{
	size_t count = control_call_count(acl->call);
	struct buffer name = { 0 };
	bool is_name = true;
	struct span rights = count > 3 ? control_call_word(acl->call, 3) : SPAN("");

	if (count > 1) {
		is_name = imap_name_canonical(control_call_word(acl->call, 1), true, &name) == IMAP_NAME_OK;
		acl->mailbox = arena_copy(acl->arena, buffer_span(&name));
		buffer_free(&name);
	}
	if (!is_name)
		return "this is no name for a mailbox";
	if (acl->is_list)
		return NULL;
	if (!acl_identifier(control_call_word(acl->call, 2), acl->arena, &acl->change.identifier))
		return "this is no identifier: a user, anyone, authenticated, or $ and a group; with \"-\" before it to take rights away";
	if (rights.length > 0 && (rights.at[0] == '+' || rights.at[0] == '-')) {
		acl->change.kind = rights.at[0] == '+' ? IMAP_ACL_ADD : IMAP_ACL_REMOVE;
		rights = span_from(rights, 1);
	}
	return imap_rights_read(rights, &acl->change.rights) ? NULL :
	    "there is no such right: those are l r s w i p k x t e a, and c and d for kx and te";
}

static void
begin(struct control_call *call, struct mailbox_role *role, size_t least, size_t most, const char *usage)
{
	struct acl_call *acl;
	const char *error;

	if (control_call_count(call) < least || control_call_count(call) > most) {
		control_finish(call, EX_USAGE, usage);
		return;
	}
	acl = NEW(struct acl_call);
	acl->call = call;
	acl->arena = arena_new();
	acl->is_list = least == 1;
	acl->change.arena = acl->arena;
	if ((error = read_words(acl)) != NULL) {
		control_finish(call, EX_DATAERR, error);
		arena_free(&acl->arena);
		free(acl);
		return;
	}
	acl->lookup.name_count = directory_prepare_name(control_call_word(call, 0), &acl->lookup.names[0]) ? 1 : 0;
	acl->lookup.done = on_looked_up;
	role_look_up(role, &acl->lookup);
}

static void
on_acl_list(struct control_call *call, void *context)
{
	begin(call, context, 1, 2, "acl list NAME [MAILBOX]");
}

static void
on_acl_set(struct control_call *call, void *context)
{
	begin(call, context, 4, 4, "acl set NAME MAILBOX IDENTIFIER RIGHTS");
}

static void
on_acl_remove(struct control_call *call, void *context)
{
	begin(call, context, 3, 3, "acl remove NAME MAILBOX IDENTIFIER");
}

void
role_register_acl(struct mailbox_role *role, struct control *control)
{
	control_register(control, "acl list", CONTROL_VIEW, on_acl_list, role);
	control_register(control, "acl set", CONTROL_CHANGE, on_acl_set, role);
	control_register(control, "acl remove", CONTROL_CHANGE, on_acl_remove, role);
}
