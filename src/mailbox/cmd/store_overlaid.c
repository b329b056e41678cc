/*
 * STORE in another's mailbox where \Seen is the user's own.  One at a time for all sessions of the user on the mailbox:
 * so the overlay says whether a message is unchanged, as far as it is about \Seen.
 */
#include <string.h>

#include "../shared/seen.h"
#include "store.h"

struct overlaid {
	struct seen_change change;
	struct session *session;
	struct store_command *command;
	bool *is_modified;		/* of all the messages: since the modseq that the client names */
	uint32_t *uids;			/* of all of them */
	size_t count;
};

static bool
touches_seen(const struct imap_store *request)
{
	return request->kind == IMAP_STORE_REPLACE || (request->flags.system & STORE_FLAG_SEEN) != 0;
}

/* As the store decides about rows; RFC 7162 section 3.1.3. */
static bool
is_modified(const struct store_command *command, const struct state *state, size_t place)
{
	const struct imap_store *request = command->request;
	const struct store_message *message = state_message(state, command->uids[place]);
	const struct store_flag_known *known;

	if (!request->has_unchanged_since || message == NULL || message->modseq <= request->unchanged_since)
		return false;
	known = &command->known[place];
	return request->kind == IMAP_STORE_REPLACE || known->modseq > request->unchanged_since ||
	    ((known->flags ^ message->flags) & request->flags.system & STORE_FLAG_SEEN) != 0;
}

/* Leave those that are modified out of what the job looks at. */
static void
set_modified_aside(struct overlaid *overlaid)
{
	struct store_command *command = overlaid->command;
	size_t kept = 0;

	overlaid->count = command->count;
	memcpy(overlaid->uids, command->uids, command->count * sizeof command->uids[0]);
	for (size_t i = 0; i < command->count; i++) {
		overlaid->is_modified[i] = is_modified(command, overlaid->change.state, i);
		if (overlaid->is_modified[i])
			continue;
		command->uids[kept] = command->uids[i];
		if (command->known != NULL)
			command->known[kept] = command->known[i];
		kept++;
	}
	command->count = kept;
}

static void
put_modified_back(struct overlaid *overlaid)
{
	struct store_command *command = overlaid->command;
	size_t kept = command->count;

	for (size_t i = overlaid->count; i-- > 0;)
		command->results[i] = !overlaid->is_modified[i] ? command->results[--kept] :
		    (struct store_flag_result){ .uid = overlaid->uids[i], .outcome = STORE_FLAGS_MODIFIED };
	command->count = overlaid->count;
}

static void
finish(struct overlaid *overlaid, enum store_status status)
{
	struct session *session = overlaid->session;
	struct store_command *command = overlaid->command;

	for (size_t i = 0; i < command->count && status == STORE_OK; i++) {
		struct store_flag_result *result = &command->results[i];
		const struct store_message *message = state_message(overlaid->change.state, result->uid);

		if (message == NULL || result->outcome == STORE_FLAGS_MISSING)
			continue;
		result->flags = message->flags;
		result->modseq = message->modseq;
	}
	command->status = status;
	seen_change_end(&overlaid->change);
	command->follower.answer(session, &command->follower);
	session_end_wait(session);
}

/* The UIDs that have changed are among those of the results, and both rise. */
static void
note_changed(struct store_command *command, const struct seen_change *change)
{
	size_t next = 0;

	for (size_t i = 0; i < command->count && next < change->count; i++) {
		if (command->results[i].uid != change->uids[next])
			continue;
		command->results[i].outcome = STORE_FLAGS_CHANGED;
		next++;
	}
}

static void
on_seen(struct seen_change *change, enum store_status status)
{
	struct overlaid *overlaid = CONTAINER_OF(change, struct overlaid, change);

	if (status == STORE_OK) {
		view_seen_changed(overlaid->session->view, change);
		note_changed(overlaid->command, change);
	}
	finish(overlaid, status);
}

void
store_go_on_overlaid(struct session *session, struct store_command *command)
{
	struct overlaid *overlaid = command->overlaid;
	struct seen_change *change = &overlaid->change;
	const struct imap_store *request = command->request;

	(void)session;
	put_modified_back(overlaid);
	if (command->status != STORE_OK || !touches_seen(request) || (command->door.granted & IMAP_RIGHT_SEEN) == 0) {
		finish(overlaid, command->status);
		return;
	}
	change->uids = command->uids;
	for (size_t i = 0; i < command->count; i++)
		if (command->results[i].outcome == STORE_FLAGS_SAME || command->results[i].outcome == STORE_FLAGS_CHANGED)
			change->uids[change->count++] = command->results[i].uid;
	change->is_seen = request->kind != IMAP_STORE_REMOVE && (request->flags.system & STORE_FLAG_SEEN) != 0;
	seen_change_write(change);
}

static void
on_turn(struct seen_change *change)
{
	struct overlaid *overlaid = CONTAINER_OF(change, struct overlaid, change);

	set_modified_aside(overlaid);
	overlaid->command->submit(overlaid->session, overlaid->command);
}

void
store_begin_overlaid(struct session *session, struct store_command *command)
{
	struct overlaid *overlaid = ARENA_NEW(command->arena, struct overlaid);

	overlaid->session = session;
	overlaid->command = command;
	overlaid->uids = arena_alloc_array(command->arena, command->count + 1, sizeof overlaid->uids[0]);
	overlaid->is_modified = arena_alloc_array(command->arena, command->count + 1, sizeof overlaid->is_modified[0]);
	overlaid->change.on_turn = on_turn;
	overlaid->change.done = on_seen;
	command->overlaid = overlaid;
	session_begin_wait(session);
	seen_change_begin(&overlaid->change, session->view->state);
}
