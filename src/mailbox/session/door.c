/*
 * Who may go through.  For an own name nothing is looked up, and nothing allocated.
 */
#include "door.h"

#include "../shared/overlay.h"
#include "../shared/role.h"
#include "../shared/shares.h"
#include "base/map.h"
#include "config/config.h"
#include "imap/mailbox_name.h"

/* RFC 4314 section 4, MYRIGHTS: who has one of these knows that the mailbox is there. */
#define KNOWN (IMAP_RIGHT_LOOKUP | IMAP_RIGHT_READ | IMAP_RIGHT_INSERT | IMAP_RIGHT_CREATE | IMAP_RIGHT_DELETE | \
	IMAP_RIGHT_ADMINISTER)

/* ---- whose file ----------------------------------------------------------------------------------------- */

/* The account of another user, held until the session ends. */
static struct account *
visit(struct session *session, const struct share_owner *owner)
{
	struct account *account;
	struct buffer name = { 0 };

	if (session->visited == NULL)
		session->visited = map_new();
	account = map_get(session->visited, span_from_string(owner->id));
	if (account == NULL) {
		buffer_add_span(&name, owner->name);
		account = account_hold(session->role->accounts, owner->id, buffer_string(&name));
		map_put(session->visited, span_from_string(owner->id), account);
		buffer_free(&name);
	}
	return account;
}

struct span
door_prefix(const struct session *session, bool is_shared)
{
	const struct config *config = session->role->parts.config;

	if (!shares_are_any(session->role, is_shared))
		return SPAN("");
	return span_from_string(is_shared ? config->namespace_shared : config->namespace_others);
}

/* Whether the name is, or lies below, what names of this kind begin with. */
static bool
is_reserved(struct span name, struct span prefix)
{
	return prefix.length > 0 && (span_equals(name, prefix) || imap_name_is_below(name, prefix));
}

/* "INBOX" in any case is one name, also as first level. */
static struct span
name_in_file(struct arena *arena, struct span name)
{
	size_t end = span_find(name, IMAP_SEPARATOR);
	struct buffer canonical = { 0 };
	struct span copy;

	if (!span_equals_nocase(span_slice(name, 0, end), SPAN("INBOX")))
		return name;
	buffer_add_string(&canonical, "INBOX");
	buffer_add_span(&canonical, span_from(name, end));
	copy = arena_copy(arena, buffer_span(&canonical));
	buffer_free(&canonical);
	return copy;
}

void
authorize_own(struct session *session, unsigned rights, struct door *door)
{
	*door = (struct door){ .account = session->account, .rights = rights, .granted = IMAP_RIGHTS_ALL };
}

void
authorize_owner(struct session *session, const struct share_owner *owner, unsigned rights, struct door *door)
{
	*door = (struct door){ .account = visit(session, owner), .rights = rights, .who = &session->identity,
		.looker = session->account,
		.is_seen_shared = session->role->parts.config->shared_seen == CONFIG_SEEN_SHARED };
}

void
authorize_selected(const struct session *session, unsigned rights, struct door *door)
{
	const struct view *view = session->view;

	*door = (struct door){ .account = view->state->account, .rights = rights, .who = view->who, .granted = view->rights,
		.viewer = overlay_viewer(view->state) };
}

void
authorize(struct session *session, struct arena *arena, struct span name, unsigned rights, struct door *door)
{
	bool is_shared = is_reserved(name, door_prefix(session, true));
	struct span prefix = door_prefix(session, is_shared), rest;
	const struct share_owner *owner;
	size_t end;

	authorize_own(session, rights, door);
	door->name = name;
	door->is_reserved = is_reserved(name, prefix);
	if (!door->is_reserved || name.length == prefix.length)
		return;
	rest = span_from(name, prefix.length + 1);
	end = span_find(rest, IMAP_SEPARATOR);
	owner = shares_find(session->role, span_slice(rest, 0, end), &session->identity);
	if (owner == NULL || owner->is_shared != is_shared || end == rest.length || span_equals(owner->name, session->identity.names[0]))
		return;
	authorize_owner(session, owner, rights, door);
	door->name = name_in_file(arena, span_from(rest, end + 1));
}

struct state *
door_state(const struct door *door)
{
	return door->who == NULL ? state_find_named(door->account, door->name) : NULL;
}

/* Who acts as somebody else has done it; what imapctl does, nobody knows the name of. */
struct store_parting
door_parting(const struct session *session, struct arena *arena, enum store_leaving how)
{
	const char *by = session->is_operators ? "" : session->prover != NULL ? session->prover : session->user;

	return (struct store_parting){ how, span_from_string(arena_copy_string(arena, span_from_string(by))) };
}

/* ---- in a job ------------------------------------------------------------------------------------------- */

static enum store_status
decide(const struct door *door)
{
	bool is_good = door->rights == 0 ? (door->granted & KNOWN) != 0 : (door->granted & door->rights) == door->rights;

	if (is_good)
		return STORE_OK;
	return (door->granted & IMAP_RIGHT_LOOKUP) != 0 ? STORE_DENIED : STORE_NOT_FOUND;
}

/* The file of a deleted user keeps the rights that it gave: they are over with the user. */
static enum store_status
find_rights(struct store *store, const struct door *door, uint64_t mailbox_id, unsigned *rights_out)
{
	*rights_out = 0;
	if (account_is_orphan(door->account))
		return STORE_NOT_FOUND;
	return store_acl_rights(store, mailbox_id, door->who, rights_out);
}

enum store_status
door_check(struct store *store, struct door *door, uint64_t mailbox_id)
{
	enum store_status status;

	if (door->who == NULL)
		return STORE_OK;
	status = find_rights(store, door, mailbox_id, &door->granted);
	return status == STORE_OK ? decide(door) : status;
}

struct account *
door_viewer(const struct door *door, const struct store_mailbox *mailbox)
{
	bool is_shared = mailbox->seen_sharing == STORE_SEEN_SHARED ||
	    (mailbox->seen_sharing == STORE_SEEN_AS_CONFIGURED && door->is_seen_shared);

	return is_shared ? NULL : door->looker;
}

/* What is not there costs as many queries as what may not be seen. */
enum store_status
door_find(struct store *store, struct door *door, struct arena *arena, struct store_mailbox *mailbox_out)
{
	enum store_status status = store_mailbox_find(store, door->name, arena, mailbox_out), checked;

	if (door->who == NULL || (status != STORE_OK && status != STORE_NOT_FOUND))
		return status;
	checked = door_check(store, door, status == STORE_OK ? mailbox_out->id : 0);
	if (status == STORE_OK)
		door->viewer = door_viewer(door, mailbox_out);
	return status == STORE_OK ? checked : status;
}

enum store_status
door_find_from(struct store *store, struct door *door, size_t count_max, struct arena *arena,
    struct store_mailbox **mailboxes_out, size_t *count_out)
{
	enum store_status status;

	*count_out = 1;
	if (door->who != NULL) {
		*mailboxes_out = ARENA_NEW(arena, struct store_mailbox);
		return door_find(store, door, arena, *mailboxes_out);
	}
	status = store_mailbox_list_from(store, door->name, count_max, arena, mailboxes_out, count_out);
	if (status != STORE_OK)
		return status;
	return *count_out > 0 && span_equals(span_from_string((*mailboxes_out)->name), door->name) ? STORE_OK : STORE_NOT_FOUND;
}

enum store_status
door_list(struct store *store, const struct door *door, struct span prefix, struct arena *arena,
    struct store_mailbox **mailboxes_out, unsigned **rights_out, size_t *count_out)
{
	struct store_mailbox *mailboxes;
	unsigned *rights;
	size_t count, kept = 0;
	enum store_status status = store_mailbox_list(store, prefix, arena, &mailboxes, &count);

	if (door->who == NULL || status != STORE_OK) {
		*mailboxes_out = mailboxes;
		*count_out = count;
		return status;
	}
	rights = arena_alloc_array(arena, count + 1, sizeof *rights);
	for (size_t i = 0; i < count && status == STORE_OK; i++) {
		status = find_rights(store, door, mailboxes[i].id, &rights[kept]);
		if (status == STORE_OK && (rights[kept] & door->rights) == door->rights)
			mailboxes[kept++] = mailboxes[i];
	}
	*mailboxes_out = mailboxes;
	*rights_out = rights;
	*count_out = kept;
	return status;
}

/* RFC 4314 section 4: "k" on the nearest parent that there is.  What has none is the owner's to make. */
static enum store_status
check_parent(struct store *store, const struct door *door, struct arena *arena)
{
	struct door parent = *door;
	struct store_mailbox mailbox;
	enum store_status status = STORE_NOT_FOUND;

	if (door->is_reserved)
		return STORE_DENIED;
	if (door->who == NULL)
		return STORE_OK;
	parent.rights = IMAP_RIGHT_CREATE;
	while (status == STORE_NOT_FOUND && (parent.name = imap_name_parent(parent.name)).length > 0)
		status = store_mailbox_find(store, parent.name, arena, &mailbox);
	if (status == STORE_OK)
		status = door_check(store, &parent, mailbox.id);
	return status == STORE_NOT_FOUND ? STORE_DENIED : status;
}

/* Whether the name is taken, as far as the session may know. */
static enum store_status
check_free(struct store *store, const struct door *door, struct arena *arena)
{
	struct door there = *door;
	struct store_mailbox mailbox;
	enum store_status status;

	if (door->who == NULL)
		return STORE_OK;
	there.rights = IMAP_RIGHT_LOOKUP;
	status = door_find(store, &there, arena, &mailbox);
	if (status == STORE_OK)
		return STORE_EXISTS;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status
door_create(struct store *store, const struct door *door, struct arena *arena, const char *special_use,
    uint64_t *mailbox_id_out)
{
	enum store_status status = check_free(store, door, arena);

	if (status == STORE_OK)
		status = check_parent(store, door, arena);
	return status == STORE_OK ? store_mailbox_create(store, door->name, special_use, mailbox_id_out) : status;
}

enum store_status
door_delete(struct store *store, struct door *door, const struct store_parting *parting, struct arena *arena,
    uint64_t *mailbox_id_out)
{
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, door, arena, &mailbox);

	if (status != STORE_OK)
		return status;
	*mailbox_id_out = mailbox.id;
	return store_mailbox_delete(store, door->name, parting);
}

/* Another's INBOX is not emptied by a new name: only its owner can mean that. */
enum store_status
door_rename(struct store *store, struct door *from, const struct door *to, struct arena *arena)
{
	struct store_mailbox mailbox;
	enum store_status status = from->who == NULL && !to->is_reserved ? STORE_OK : door_find(store, from, arena, &mailbox);

	if (status == STORE_OK && from->who != NULL && span_equals(from->name, SPAN("INBOX")))
		status = STORE_FORBIDDEN;
	if (status == STORE_OK)
		status = check_free(store, to, arena);
	if (status == STORE_OK)
		status = check_parent(store, to, arena);
	return status == STORE_OK ? store_mailbox_rename(store, from->name, to->name) : status;
}
