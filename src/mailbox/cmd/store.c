/*
 * STORE and UID STORE: RFC 9051 section 6.4.6, RFC 7162 section 3.1.3, RFC 9738.  Whether a message is unchanged is decided in
 * the transaction that changes it.  Those that a client sends without waiting for their answers share one.
 */
#include "store.h"

#define SLICE_OCTETS	  (64 * 1024)	/* of results, written in one turn */
#define FOLLOWER_MESSAGES 256		/* of one that begins behind others: what waits is bounded */
#define CURRENT_MIN	  64		/* messages: fewer are looked up as fast */

/* What the session must know to tell the flags of the results. */
static enum store_status
load_news(struct store *store, struct store_command *command)
{
	uint64_t *flags = arena_alloc_array(command->arena, command->count + 1, sizeof *flags);

	for (size_t i = 0; i < command->count; i++)
		flags[i] = command->results[i].flags;
	return store_keyword_news(store, command->mailbox_id, command->known_keywords, flags, command->count,
	    command->arena, &command->news);
}

static bool
may_write(const struct store_command *command)
{
	return (command->door.granted & IMAP_RIGHT_WRITE) != 0;
}

/*
 * RFC 4314 section 4: flags that the rights do not let change stay as they are, and it is no failure unless none of those
 * that were named may be changed.
 */
static enum store_status
restrict_change(struct store *store, struct store_command *command, struct store_flag_change *change)
{
	const struct imap_store *request = command->request;
	enum store_status status = door_check(store, &command->door, command->mailbox_id);
	uint64_t permitted = view_flags_of(command->door.granted);
	bool names_any = request->flags.system != 0 || request->flags.keyword_count > 0;

	if (status != STORE_OK)
		return status;
	change->flags &= permitted;
	if (request->kind == IMAP_STORE_REPLACE) {
		change->kept = STORE_FLAGS_SYSTEM & ~permitted;
		change->keeps_keywords = !may_write(command);
		return permitted == 0 ? STORE_DENIED : STORE_OK;
	}
	if (names_any && change->flags == 0 && !(may_write(command) && request->flags.keyword_count > 0))
		return STORE_DENIED;
	return STORE_OK;
}

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
	struct store_flag_change change = { .operation = operations[request->kind], .flags = request->flags.system,
		.unchanged_since = request->has_unchanged_since ? request->unchanged_since : UINT64_MAX,
		.known = command->known, .current = command->current, .current_modseq = command->current_modseq };
	enum store_status status = restrict_change(store, command, &change);

	if (command->overlaid != NULL) {
		change.flags &= ~STORE_FLAG_SEEN;
		change.kept |= request->kind == IMAP_STORE_REPLACE ? STORE_FLAG_SEEN : 0;
	}
	if (status == STORE_OK && request->flags.keyword_count > 0 && may_write(command))
		status = store_keyword_numbers(store, command->mailbox_id, request->flags.keywords,
		    request->flags.keyword_count, request->kind != IMAP_STORE_REMOVE, command->arena, &change.keywords);
	if (status == STORE_OK)
		status = store_change_flags(store, command->mailbox_id, command->uids, command->count, &change,
		    command->results, NULL);
	if (status == STORE_OK && request->flags.keyword_count > 0)
		status = load_news(store, command);
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

/* What is told of one message. */
enum told { NOTHING, MODSEQ, FLAGS };

/*
 * Flags also of messages that had them already.  With .SILENT a CONDSTORE-aware client gets modseqs, so that its own
 * changes do not look like another's; what was modified by another is told with its flags, so that it need not ask
 * (RFC 7162 section 3.1.3, example 10).  What is news to the view will be announced.
 */
static enum told
what_to_tell(const struct session *session, const struct store_flag_result *result)
{
	const struct imap_store *request = &session->line->store;

	if (result->outcome == STORE_FLAGS_MISSING || result->modseq > session->view->told_modseq)
		return NOTHING;
	if (!request->is_silent || result->outcome == STORE_FLAGS_MODIFIED)
		return FLAGS;
	if (session->has_condstore && (result->outcome == STORE_FLAGS_CHANGED || request->has_unchanged_since))
		return MODSEQ;
	return NOTHING;
}

/*
 * A command that has waited for others to be answered may have been overtaken: with their replies its messages were told
 * as they are now.
 */
static void
catch_up(const struct session *session, struct store_flag_result *result)
{
	const struct store_message *message = state_message(session->view->state, result->uid);

	if (message == NULL || message->modseq <= result->modseq)
		return;
	result->flags = message->flags;
	result->modseq = message->modseq;
}

/* Messages follow each other, mostly. */
static uint32_t
find_number(struct store_command *command, const struct view *view, uint32_t uid)
{
	uint32_t next = command->number + 1;

	command->number = next <= view_count(view) && view_uid(view, next) == uid ? next : view_number(view, uid);
	return command->number;
}

static void
write_result(struct session *session, struct store_command *command, const struct store_flag_result *result)
{
	const struct view *view = session->view;
	enum told told = what_to_tell(session, result);
	uint32_t number = told == NOTHING ? 0 : find_number(command, view, result->uid);
	uint32_t told_number = session->is_uid_only ? 0 : number;
	bool is_aware = session->has_condstore;

	switch (number == 0 ? NOTHING : told) {
	case NOTHING:
		break;
	case MODSEQ:
		imap_write_fetch_modseq(session_out(session), told_number, result->uid, result->modseq);
		break;
	case FLAGS:
		imap_write_fetch_flags(session_out(session), told_number,
		    session->line->is_uid || is_aware ? result->uid : 0, result->flags, &view->state->keywords->all,
		    session_has_recent(session) && view_is_recent(view, result->uid),
		    is_aware ? result->modseq : 0);
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

/* "MODIFIED 7,9" into an empty buffer, if any message was. */
static void
write_modified(const struct session *session, const struct store_command *command, struct buffer *code)
{
	struct imap_set_writer set = { .out = code };

	for (size_t i = 0; i < command->count; i++) {
		uint32_t uid = command->results[i].uid;

		if (command->results[i].outcome != STORE_FLAGS_MODIFIED)
			continue;
		if (code->length == 0)
			buffer_add_string(code, "MODIFIED ");
		imap_set_writer_add(&set, session->line->is_uid ? uid : view_number(session->view, uid));
	}
	imap_set_writer_end(&set);
}

/*
 * A UID that is gone is no error: RFC 9051 section 6.4.9.  A number that is gone is one, unless the client does not
 * want to hear of the flags: RFC 2180 section 4.2.  With .SILENT it takes the flags for set by an OK, and what was
 * set here is not told it any more; so it gets none but that.
 */
static enum reply
reply_of(const struct store_command *command)
{
	if (command->is_by_uid || !has_missing(command))
		return REPLY_DONE;
	return command->request->is_silent ? REPLY_EXPUNGE_ISSUED : REPLY_SOME_GONE;
}

static void
finish(struct session *session, const struct store_command *command)
{
	enum reply reply = reply_of(command);
	struct buffer modified = { 0 };

	session_stop_at_limit(session, command->lowest_uid);
	write_modified(session, command, &modified);
	if (modified.length > 0)
		session_finish_with(session, reply, buffer_span(&modified));
	else
		session_finish(session, reply);
	buffer_free(&modified);
}

/* With more messages than may be dealt with the last ones come first: RFC 9738 section 3.1. */
static struct store_flag_result *
next_result(struct store_command *command)
{
	size_t place = command->told++;

	return &command->results[command->lowest_uid == 0 ? place : command->count - 1 - place];
}

/* One slice of the results: there may be as many as messages. */
static void
write_results(struct session *session)
{
	struct store_command *command = session->running;
	struct buffer *out = session_out(session);

	while (command->told < command->count && out->length < SLICE_OCTETS && !session_is_closing(session)) {
		struct store_flag_result *result = next_result(command);

		if (command->is_behind)
			catch_up(session, result);
		write_result(session, command, result);
	}
	if (command->told < command->count && !session_is_closing(session))
		session_when_room(session, write_results);
	else
		finish(session, command);
}

static void
answer(struct session *session, struct session_follower *follower)
{
	struct store_command *command = CONTAINER_OF(follower, struct store_command, follower);

	if (command->status != STORE_OK) {
		session_finish(session, command->status == STORE_LIMIT ? REPLY_KEYWORD_LIMIT : reply_for(command->status));
		return;
	}
	if (session->view->told_keywords < session->view->state->keywords->all.count)
		view_write_flag_lines(session->view, session_out(session));
	session->running = command;
	write_results(session);
}

/* What has changed is so for all sessions at once, also if its own has not come to its answer. */
static void
on_stored(struct session *session, struct session_job *job, enum store_status status)
{
	struct store_command *command = CONTAINER_OF(job, struct store_command, job);

	command->status = status;
	command->follower.is_home = true;
	if (status == STORE_OK && command->request->flags.keyword_count > 0)
		state_keywords_changed(job->job.account, command->mailbox_id, &command->news);
	if (status == STORE_OK)
		view_flags_changed(session->view, job->job.account, command->mailbox_id, command->results,
		    command->count);
	if (command->overlaid != NULL)
		store_go_on_overlaid(session, command);
	else if (session->line == command->follower.line)
		answer(session, &command->follower);
}

/* What the client knows of the messages, so that a flag that it does not change costs it no MODIFIED. */
static void
note_known(struct store_command *command, const struct view *view)
{
	command->known = arena_alloc_array(command->arena, command->count + 1, sizeof command->known[0]);
	for (size_t i = 0; i < command->count; i++) {
		const struct store_message *message = state_message(view->state, command->uids[i]);

		command->known[i] = (struct store_flag_known){ message->flags, message->modseq };
	}
	view_apply_known(view, command->uids, command->count, command->known);
}

/* What the state knows need not be read if it is still so when the job comes to it. */
static void
note_current(struct store_command *command, const struct state *state)
{
	const struct store_message *at = NULL, *end = state->messages + state->count;

	command->current = arena_alloc_array(command->arena, command->count, sizeof command->current[0]);
	command->current_modseq = state->highest_modseq;
	for (size_t i = 0; i < command->count; i++) {
		bool follows = at != NULL && at + 1 < end && at[1].uid == command->uids[i];

		at = follows ? at + 1 : state_message(state, command->uids[i]);
		command->current[i] = (struct store_flag_current){ at->flags, at->modseq, at->size, follows };
	}
}

static void
collect(struct store_command *command, struct view_set *set)
{
	struct view_message message;

	command->uids = arena_alloc_array(command->arena, view_set_bound(set) + 1, sizeof command->uids[0]);
	while (view_set_next(set, &message)) {
		if (message.is_ghost)
			command->has_ghosts = true;
		else if (command->is_behind || !is_done(command->request, message.message.flags))
			command->uids[command->count++] = message.message.uid;
	}
	command->results = arena_alloc_array(command->arena, command->count + 1, sizeof command->results[0]);
}

static void
submit(struct session *session, struct store_command *command)
{
	struct account *account = session->view->state->account;

	command->known_keywords = state_known_keywords(account, command->mailbox_id);
	command->job.work = work_store;
	command->job.done = on_stored;
	session_submit_to(session, &command->job, account, ACCOUNT_LAZY);
}

static struct store_command *
command_new(const struct session *session, struct imap_command_line *line)
{
	struct store_command *command = ARENA_NEW(line->arena, struct store_command);

	command->request = &line->store;
	command->arena = line->arena;
	command->mailbox_id = session->view->state->mailbox_id;
	authorize_selected(session, IMAP_RIGHT_READ, &command->door);
	command->follower.line = line;
	command->follower.answer = answer;
	command->submit = submit;
	return command;
}

static void
take_set(struct session *session, struct store_command *command, struct view_set *set)
{
	command->is_by_uid = set->is_uid;
	command->lowest_uid = view_set_limit(set, session_message_limit(session));
	collect(command, set);
}

void
cmd_store(struct session *session)
{
	struct store_command *command;
	struct view_set set;

	if (session->view->is_read_only) {
		session_finish(session, REPLY_READ_ONLY);
		return;
	}
	command = command_new(session, session->line);
	if (command->request->has_unchanged_since)
		session_begin_condstore(session);
	if (!session_set_init(session, &set, &command->request->set))
		return;
	take_set(session, command, &set);
	if (command->count == 0) {
		finish(session, command);
		return;
	}
	if (command->request->has_unchanged_since)
		note_known(command, session->view);
	else if (command->count >= CURRENT_MIN && session->view->state->account == session->account)
		note_current(command, session->view->state);
	if (session->view->state->overlay != NULL) {
		store_begin_overlaid(session, command);
		return;
	}
	submit(session, command);
	session_lead(session);
}

/* UNCHANGEDSINCE goes by what the client knows, and that is what those before it have done; an overlay takes one at a time. */
bool
store_follow(struct session *session, struct imap_command_line *line)
{
	struct store_command *command;
	struct view_set set;

	if (line->store.has_unchanged_since || session->view->state->overlay != NULL ||
	    !session_set_init_behind(session, &set, line, &line->store.set, FOLLOWER_MESSAGES))
		return false;
	command = command_new(session, line);
	command->is_behind = true;
	take_set(session, command, &set);
	session_follow(session, &command->follower);
	if (command->count > 0)
		submit(session, command);
	else
		command->follower.is_home = true;
	return true;
}
