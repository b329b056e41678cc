/*
 * GETACL, SETACL, DELETEACL, LISTRIGHTS, MYRIGHTS: RFC 4314 section 3.  The owner has all rights, always, and no row; the
 * rights of others come from rows: what one gives, unless another takes it away.
 */
#include "../session/acl_change.h"
#include "commands.h"
#include "imap/writer.h"

struct acl {
	struct session_job job;
	struct session *session;
	struct arena *arena;
	struct door door;
	struct store_acl_entry *entries;	/* GETACL */
	size_t count;
	struct acl_change change;
};

/* Both structs begin with the mailbox, but are not the same. */
static struct span
name_of(const struct session *session)
{
	enum imap_verb verb = session->line->verb;

	return verb == IMAP_GETACL || verb == IMAP_MYRIGHTS ? session->line->mailbox.mailbox : session->line->acl.mailbox;
}

/* ---- asking --------------------------------------------------------------------------------------------- */

static enum store_status
work_find(struct store *store, struct session_job *job)
{
	struct acl *acl = CONTAINER_OF(job, struct acl, job);
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, &acl->door, acl->arena, &mailbox);

	if (status == STORE_OK && acl->door.rights == IMAP_RIGHT_ADMINISTER)
		status = store_acl_get(store, mailbox.id, acl->arena, &acl->entries, &acl->count);
	return status;
}

static void
write_entry(struct session *session, struct span identifier, unsigned rights)
{
	struct buffer *out = session_out(session);

	buffer_add_octet(out, ' ');
	imap_write_astring(out, identifier, session_is_utf8(session));
	buffer_add_octet(out, ' ');
	imap_rights_write(out, rights);
}

static void
write_acl(struct session *session, const struct acl *acl)
{
	write_entry(session, span_from_string(account_user(acl->door.account)), IMAP_RIGHTS_ALL);
	for (size_t i = 0; i < acl->count; i++)
		write_entry(session, acl->entries[i].identifier, acl->entries[i].rights);
}

/* Section 3.7: what the identifier always has, and then what it can be given; nothing is tied to anything else. */
static void
write_rights(struct session *session, const struct acl *acl)
{
	struct buffer *out = session_out(session), letters = { 0 };
	struct span given = session->line->acl.identifier, identifier = given;

	buffer_add_octet(out, ' ');
	imap_write_astring(out, given, session_is_utf8(session));
	imap_rights_write(&letters, IMAP_RIGHTS_ALL);
	if (acl_identifier(given, acl->arena, &identifier) && acl_is_owner(acl->door.account, identifier)) {
		buffer_add_octet(out, ' ');
		buffer_add_span(out, buffer_span(&letters));
	} else {
		buffer_add_string(out, " \"\"");
		for (size_t i = 0; i < letters.length; i++)
			buffer_printf(out, " %c", letters.at[i]);
	}
	buffer_free(&letters);
}

static void
on_found(struct session *session, struct session_job *job, enum store_status status)
{
	const struct acl *acl = CONTAINER_OF(job, struct acl, job);
	enum imap_verb verb = session->line->verb;
	struct buffer *out = session_out(session);

	if (status != STORE_OK) {
		session_finish_status(session, status);
		return;
	}
	buffer_printf(out, "* %s ", verb == IMAP_GETACL ? "ACL" : imap_commands[verb].name);
	imap_write_mailbox(out, name_of(session), session_is_utf8(session));
	if (verb == IMAP_GETACL) {
		write_acl(session, acl);
	} else if (verb == IMAP_LISTRIGHTS) {
		write_rights(session, acl);
	} else {
		buffer_add_octet(out, ' ');
		imap_rights_write(out, acl->door.granted);
	}
	buffer_add_string(out, "\r\n");
	session_finish(session, REPLY_DONE);
}

/* ---- changing ------------------------------------------------------------------------------------------- */

static void
on_changed(struct acl_change *change)
{
	struct acl *acl = CONTAINER_OF(change, struct acl, change);
	struct session *session = acl->session;

	session_finish(session, change->status == STORE_FORBIDDEN ? REPLY_OWNER_STAYS : reply_for(change->status));
	session_end_wait(session);
}

static void
change(struct session *session, struct acl *acl)
{
	const struct imap_acl *request = &session->line->acl;
	struct acl_change *change = &acl->change;

	if (!acl_identifier(request->identifier, acl->arena, &change->identifier)) {
		session_finish(session, REPLY_BAD_ARGUMENT);
		return;
	}
	change->arena = acl->arena;
	change->door = acl->door;
	change->kind = request->kind;		/* DELETEACL: no rights in the place of what there was */
	change->rights = request->rights;
	change->done = on_changed;
	session_begin_wait(session);
	acl_change_begin(session->role, change);
}

void
cmd_acl(struct session *session)
{
	struct acl *acl = ARENA_NEW(session->line->arena, struct acl);
	enum imap_verb verb = session->line->verb;

	acl->session = session;
	acl->arena = session->line->arena;
	authorize(session, acl->arena, name_of(session), verb == IMAP_MYRIGHTS ? 0 : IMAP_RIGHT_ADMINISTER, &acl->door);
	if (verb == IMAP_SETACL || verb == IMAP_DELETEACL) {
		change(session, acl);
		return;
	}
	acl->job.work = work_find;
	acl->job.done = on_found;
	session_submit_to(session, &acl->job, acl->door.account, ACCOUNT_READ);
}
