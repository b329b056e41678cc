/*
 * Who may go through.  All names are the session's own: its user may do everything with them.
 */
#include "door.h"

void
authorize(struct session *session, struct span name, unsigned rights, struct door *door)
{
	*door = (struct door){ .account = session->account, .name = name, .rights = rights };
}

struct state *
door_state(const struct door *door)
{
	return state_find_named(door->account, door->name);
}

enum store_status
door_find(struct store *store, const struct door *door, struct arena *arena, struct store_mailbox *mailbox_out)
{
	return store_mailbox_find(store, door->name, arena, mailbox_out);
}

enum store_status
door_list(struct store *store, const struct door *door, struct arena *arena, struct store_mailbox **mailboxes_out,
    size_t *count_out)
{
	(void)door;
	return store_mailbox_list(store, arena, mailboxes_out, count_out);
}

enum store_status
door_create(struct store *store, const struct door *door, const char *special_use, uint64_t *mailbox_id_out)
{
	return store_mailbox_create(store, door->name, special_use, mailbox_id_out);
}

enum store_status
door_delete(struct store *store, const struct door *door, struct arena *arena, uint64_t *mailbox_id_out)
{
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, door, arena, &mailbox);

	if (status != STORE_OK)
		return status;
	*mailbox_id_out = mailbox.id;
	return store_mailbox_delete(store, door->name);
}

enum store_status
door_rename(struct store *store, const struct door *from, const struct door *to)
{
	return store_mailbox_rename(store, from->name, to->name);
}
