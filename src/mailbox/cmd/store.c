/*
 * STORE and UID STORE: RFC 9051 section 6.4.6.
 */
#include "commands.h"

struct store_command {
	struct session_job job;
	struct imap_store *request;
	struct arena *arena;
	uint64_t mailbox_id;
	uint32_t *uids;
	size_t count;
	bool has_ghosts;
	struct store_flag_result *results;
	struct store_keywords keywords;
};

static enum store_status
work_store(struct store *store, struct session_job *job)
{
	static const enum store_flag_operation operations[] = {
		[IMAP_STORE_REPLACE] = STORE_FLAGS_SET,
		[IMAP_STORE_ADD] = STORE_FLAGS_ADD,
		[IMAP_STORE_REMOVE] = STORE_FLAGS_REMOVE,
	};
	struct store_command *command = CONTAINER_OF(job, struct store_command, job);
	const struct imap_store *request = command->request;
	struct store_flag_change change = { operations[request->kind], request->flags.system, UINT64_MAX };
	enum store_status status = STORE_OK;
	uint64_t keywords = 0;

	if (request->flags.keyword_count > 0)
		status = store_keyword_flags(store, command->mailbox_id, request->flags.keywords,
		    request->flags.keyword_count, request->kind != IMAP_STORE_REMOVE, &keywords);
	if (status == STORE_LIMIT)
		return status;
	change.flags |= keywords;
	if (status == STORE_OK)
		status = store_change_flags(store, command->mailbox_id, command->uids, command->count, &change,
		    command->results, NULL);
	if (status == STORE_OK && request->flags.keyword_count > 0)
		status = store_keyword_list(store, command->mailbox_id, command->arena, &command->keywords);
	return status;
}

/*
 * Whether a message is as the client wants it, who does not want to hear of it: no job is needed then.  The
 * state is never behind what this session was told, and a change of another session that is still under way
 * may as well have come after this one.
 */
static bool
is_done(const struct imap_store *request, uint64_t flags)
{
	uint64_t wanted = request->flags.system;

	if (!request->is_silent || request->flags.keyword_count > 0 || request->has_unchanged_since)
		return false;
	switch (request->kind) {
	case IMAP_STORE_REPLACE:
		return flags == wanted;
	case IMAP_STORE_ADD:
		return (flags & wanted) == wanted;
	case IMAP_STORE_REMOVE:
		return (flags & wanted) == 0;
	}
	return false;
}

/* The view's own lines: also for messages that had these flags already. */
static void
write_results(struct session *session, const struct store_command *command)
{
	const struct view *view = session->view;

	for (size_t i = 0; i < command->count; i++) {
		const struct store_flag_result *result = &command->results[i];
		uint32_t number = view_number(view, result->uid);

		if (result->outcome == STORE_FLAGS_MISSING || number == 0)
			continue;
		imap_write_fetch_flags(session_out(session), number, session->line->is_uid ? result->uid : 0,
		    result->flags, view->state->keywords, view->state->keyword_count,
		    session_has_recent(session) && view_is_recent(view, result->uid), 0);
	}
}

static bool
has_missing(const struct store_command *command)
{
	for (size_t i = 0; i < command->count; i++)
		if (command->results[i].outcome == STORE_FLAGS_MISSING)
			return true;
	return command->has_ghosts;
}

/* RFC 2180 section 4.2: a number that is gone is an error, a UID that is gone is none. */
static void
finish(struct session *session, const struct store_command *command)
{
	if (!session->line->is_uid && has_missing(command))
		session_finish(session, REPLY_SOME_GONE);
	else
		session_finish(session, REPLY_DONE);
}

static void
on_stored(struct session *session, struct session_job *job, enum store_status status)
{
	struct store_command *command = CONTAINER_OF(job, struct store_command, job);

	if (status != STORE_OK) {
		session_finish(session, status == STORE_LIMIT ? REPLY_KEYWORD_LIMIT : reply_for(status));
		return;
	}
	if (command->request->flags.keyword_count > 0)
		state_keywords_changed(session->account, command->mailbox_id, &command->keywords);
	if (session->view->told_keywords < session->view->state->keyword_count)
		view_write_flag_lines(session->view, session_out(session));
	view_flags_changed(session->view, session->account, command->mailbox_id, command->results,
	    command->count);
	if (!command->request->is_silent)
		write_results(session, command);
	finish(session, command);
}

static void
collect(struct store_command *command, struct view_set *set)
{
	struct view_message message;

	command->uids = arena_alloc_array(command->arena, view_set_bound(set) + 1, sizeof command->uids[0]);
	while (view_set_next(set, &message)) {
		if (message.is_ghost)
			command->has_ghosts = true;
		else if (!is_done(command->request, message.message.flags))
			command->uids[command->count++] = message.message.uid;
	}
	command->results = arena_alloc_array(command->arena, command->count + 1, sizeof command->results[0]);
}

void
cmd_store(struct session *session)
{
	struct store_command *command = ARENA_NEW(session->line->arena, struct store_command);
	struct view_set set;

	if (session->view->is_read_only) {
		session_finish(session, REPLY_READ_ONLY);
		return;
	}
	command->request = &session->line->store;
	command->arena = session->line->arena;
	command->mailbox_id = session->view->state->mailbox_id;
	if (!session_set_init(session, &set, &command->request->set))
		return;
	collect(command, &set);
	if (command->count == 0 && command->request->flags.keyword_count == 0) {
		finish(session, command);
		return;
	}
	command->job.work = work_store;
	command->job.done = on_stored;
	session_submit(session, &command->job, ACCOUNT_LAZY);
}
