/*
 * One owner after the other: memory is bounded by what is shared with one user.  Loop thread; work_ on workers.
 */
#include "abroad.h"

#include <string.h>

#include "../shared/shares.h"
#include "base/buffer.h"

static void next_owner(struct session *session, struct abroad *abroad);

static struct abroad_mailbox *
grow(struct abroad *abroad)
{
	if (abroad->count == abroad->capacity) {
		struct abroad_mailbox *more;

		abroad->capacity = abroad->capacity * 2 + 16;
		more = arena_alloc_array(abroad->arena, abroad->capacity, sizeof *more);
		if (abroad->count > 0)
			memcpy(more, abroad->mailboxes, abroad->count * sizeof *more);
		abroad->mailboxes = more;
	}
	return &abroad->mailboxes[abroad->count++];
}

static const char *
full_name(struct arena *arena, struct span before, const char *name)
{
	struct buffer full = { 0 };
	const char *copy;

	buffer_add_span(&full, before);
	buffer_add_string(&full, name);
	copy = arena_copy_string(arena, buffer_span(&full));
	buffer_free(&full);
	return copy;
}

static enum store_status
work_list(struct store *store, struct session_job *job)
{
	struct abroad *abroad = CONTAINER_OF(job, struct abroad, job);
	const struct door *door = &abroad->doors[abroad->next];
	struct store_mailbox *rows;
	unsigned *rights = NULL;
	size_t count = 0;
	enum store_status status = door_list(store, door, SPAN(""), abroad->arena, &rows, &rights, &count);

	for (size_t i = 0; i < count && status == STORE_OK; i++) {
		struct abroad_mailbox *mailbox = grow(abroad);

		*mailbox = (struct abroad_mailbox){ .account = door->account, .row = rows[i], .rights = rights[i],
			.viewer = door_viewer(door, &rows[i]) };
		mailbox->row.name = full_name(abroad->arena, door->name, rows[i].name);
		mailbox->row.special_use = NULL;
		if (abroad->look != NULL)
			status = abroad->look(store, abroad, mailbox);
	}
	return status;
}

static void
on_listed(struct session *session, struct session_job *job, enum store_status status)
{
	struct abroad *abroad = CONTAINER_OF(job, struct abroad, job);

	(void)status;
	abroad->next++;
	next_owner(session, abroad);
}

static void
next_owner(struct session *session, struct abroad *abroad)
{
	if (abroad->next == abroad->door_count || session_reason_to_stop(session) != REPLY_DONE) {
		abroad->done(session, abroad);
		return;
	}
	abroad->job.work = work_list;
	abroad->job.done = on_listed;
	session_submit_to(session, &abroad->job, abroad->doors[abroad->next].account, ACCOUNT_READ);
}

/* "Other Users/ada/" */
static struct span
name_of(struct arena *arena, struct span prefix, struct span owner)
{
	struct buffer name = { 0 };
	struct span copy;

	buffer_add_span(&name, prefix);
	buffer_add_octet(&name, '/');
	buffer_add_span(&name, owner);
	buffer_add_octet(&name, '/');
	copy = arena_copy(arena, buffer_span(&name));
	buffer_free(&name);
	return copy;
}

/* A name with a separator in it cannot be said: shares.h has none. */
static void
choose_owners(struct session *session, struct abroad *abroad, unsigned rights,
    bool (*is_wanted)(const struct abroad *abroad, struct span name))
{
	const struct share_owner **owners;
	size_t count;

	owners = shares_list(session->role, &session->identity, abroad->arena, &count);
	abroad->doors = arena_alloc_array(abroad->arena, count + 1, sizeof *abroad->doors);
	for (size_t i = 0; i < count; i++) {
		struct span name = name_of(abroad->arena, door_prefix(session, owners[i]->is_shared), owners[i]->name);
		struct door *door = &abroad->doors[abroad->door_count];

		if (is_wanted != NULL && !is_wanted(abroad, name))
			continue;
		authorize_owner(session, owners[i], rights, door);
		door->name = name;
		abroad->door_count++;
	}
}

void
abroad_find(struct session *session, struct abroad *abroad, unsigned rights,
    bool (*is_wanted)(const struct abroad *abroad, struct span name),
    void (*done)(struct session *session, struct abroad *abroad))
{
	abroad->arena = session->line->arena;
	abroad->done = done;
	if (shares_are_any(session->role, false) || shares_are_any(session->role, true))
		choose_owners(session, abroad, rights, is_wanted);
	next_owner(session, abroad);
}
