/*
 * The messages of one APPEND, or the one of REPLACE, while they come in, all in one spool.  Loop thread.
 */
#include "../session/limit.h"
#include "../shared/role.h"
#include "append.h"
#include "appended.h"
#include "base/clock.h"
#include "config/config.h"

/* In the mailbox of the message that goes: RFC 8508 section 4.1. */
#define REPLACE_RIGHTS (IMAP_RIGHT_DELETED | IMAP_RIGHT_EXPUNGE)

#define MESSAGES_MAX 1000		/* of one MULTIAPPEND, where no limit is announced */

bool
append_is_congested(const struct session *session)
{
	const struct append *append = session->incoming;

	return append != NULL && append->incoming.spool != NULL && spool_is_congested(append->incoming.spool);
}

void
append_forget(struct session *session)
{
	appended_free(session->incoming);
	session->incoming = NULL;
}

/* End before the command is whole. */
static void
refuse(struct session *session, struct span tag, enum reply reply)
{
	session_refuse_append(session, tag, reply);
	append_forget(session);
}

static void
on_room(void *context)
{
	struct session *session = context;

	deferred_schedule(session->role->parts.loop, &session->deferred);
}

static void
start(struct session *session, const struct imap_append_message *message)
{
	struct append *append = NEW(struct append);

	append->session = session;
	list_init(&append->link);
	append->incoming.arena = arena_new();
	append->tag = arena_copy(append->incoming.arena, message->tag);
	authorize(session, append->incoming.arena, arena_copy(append->incoming.arena, message->mailbox), IMAP_RIGHT_INSERT,
	    &append->door);
	append->incoming.spool = spool_new(session->role->parts.loop, session->role->parts.storage,
	    session->role->parts.config->data_directory, SPOOL_THRESHOLD);
	spool_on_room(append->incoming.spool, on_room, session);
	session->incoming = append;
}

/* Which message REPLACE means; REPLY_DONE: it is there. */
static enum reply
find_replaced(const struct session *session, const struct imap_append_message *message, struct store_message *found_out)
{
	const struct view *view = session->view;
	struct view_message found;
	uint32_t number;

	if (view == NULL)
		return REPLY_BAD_STATE;
	if (session->is_uid_only && message->replaces == IMAP_REPLACES_NUMBER)
		return REPLY_UID_REQUIRED;
	if (view->is_read_only)
		return REPLY_READ_ONLY;
	if ((view->rights & REPLACE_RIGHTS) != REPLACE_RIGHTS)
		return REPLY_DENIED;
	if (message->replaced == 0)
		number = view_count(view);
	else if (message->replaces == IMAP_REPLACES_UID)
		number = view_number(view, (uint32_t)message->replaced);
	else
		number = message->replaced <= view_count(view) ? (uint32_t)message->replaced : 0;
	if (number == 0)
		return message->replaces == IMAP_REPLACES_UID ? REPLY_NO_MESSAGE : REPLY_BAD_NUMBER;
	view_message(view, number, &found);
	*found_out = found.message;
	return found.is_ghost ? REPLY_SOME_GONE : REPLY_DONE;
}

static void
add_message(struct append *append, const struct imap_append_message *from)
{
	struct incoming *incoming = &append->incoming;
	struct incoming_message *message;

	if (incoming->count == append->capacity) {
		append->capacity = append->capacity * 2 + 1;
		incoming->messages = memory_resize(incoming->messages, append->capacity,
		    sizeof incoming->messages[0]);
	}
	message = &incoming->messages[incoming->count++];
	*message = (struct incoming_message){
		.offset = spool_size(incoming->spool),
		.size_octets = from->size_octets,
		.flags = from->flags.system,
		.keyword_count = from->flags.keyword_count,
		.internal_date_s = from->has_date ? from->date.seconds : clock_calendar_s(),
	};
	message->keywords = arena_alloc_array(incoming->arena, message->keyword_count + 1, sizeof(struct span));
	for (size_t i = 0; i < message->keyword_count; i++)
		message->keywords[i] = arena_copy(incoming->arena, from->flags.keywords[i]);
	spool_expect(incoming->spool, from->size_octets);
	append->is_literal8 = from->is_literal8;
	append->is_synchronizing = from->is_synchronizing;
}

static void
go_on(struct session *session)
{
	const struct append *append = session->incoming;

	if (append->is_synchronizing)
		buffer_add_string(session_out(session), "+ OK\r\n");
	session_resume_append(session);
}

/* False: it is known that the message which was added last does not fit. */
static bool
take_room(struct append *append)
{
	uint64_t size_octets = append->incoming.messages[append->incoming.count - 1].size_octets;
	uint64_t *room = append->place.room.of;

	if (size_octets > room[STORE_RESOURCE_STORAGE] || room[STORE_RESOURCE_MESSAGE] == 0)
		return false;
	room[STORE_RESOURCE_STORAGE] -= size_octets;
	room[STORE_RESOURCE_MESSAGE]--;
	return true;
}

/* What is known not to fit is refused before its literal: RFC 9208 section 4.3.1. */
static void
let_in(struct session *session)
{
	struct append *append = session->incoming;

	if (take_room(append))
		go_on(session);
	else
		refuse(session, append->tag, REPLY_OVER_QUOTA);
}

static enum store_status
find_room(struct store *store, struct append *append)
{
	struct store_amounts credit = appended_credit(append);
	enum store_status status;

	store_credit_quota(store, &credit);
	status = store_quota_room(store, &append->found.room);
	store_credit_quota(store, &(struct store_amounts){ { 0 } });
	return status;
}

static enum store_status
work_lookup(struct store *store, struct session_job *job)
{
	struct append *append = CONTAINER_OF(job, struct append, lookup);
	enum store_status status = appended_find(store, append);

	return status != STORE_OK ? status : find_room(store, append);
}

static void
on_looked_up(struct session *session, struct session_job *job, enum store_status status)
{
	struct append *append = CONTAINER_OF(job, struct append, lookup);

	append->place = append->found;
	if (session_is_closing(session))
		return;
	if (status != STORE_OK)
		refuse(session, append->tag, appended_reply(status));
	else
		let_in(session);
}

/*
 * The id of the mailbox if that is known, or 0: a message is then let in without a question, and the job that stores it asks
 * once more.  That would be late for a quota, since the client sends what does not fit.
 */
static uint64_t
known_mailbox(const struct session *session)
{
	const struct append *append = session->incoming;
	const struct state *state;

	if (append->door.account != session->account || account_has_quota(session->account))
		return 0;
	if (session->appended_id != 0 && span_equals(session->appended_name, append->door.name))
		return session->appended_id;
	state = door_state(&append->door);
	return state == NULL ? 0 : state->mailbox_id;
}

static void
let_in_unasked(struct session *session, uint64_t mailbox_id)
{
	struct append *append = session->incoming;

	append->place = (struct append_place){ .mailbox_id = mailbox_id, .is_unasked = true };
	for (int i = 0; i < STORE_RESOURCE_COUNT; i++)
		append->place.room.of[i] = STORE_NO_QUOTA;
	let_in(session);
}

static void
look_up(struct session *session)
{
	struct append *append = session->incoming;
	uint64_t mailbox_id = known_mailbox(session);

	if (mailbox_id != 0) {
		let_in_unasked(session, mailbox_id);
		return;
	}
	append->lookup.work = work_lookup;
	append->lookup.done = on_looked_up;
	session_submit_to(session, &append->lookup, append->door.account, ACCOUNT_READ);
}

/* There is one message too many.  A limit that was announced is told as it wants to be: RFC 9738 section 3.1. */
static void
refuse_number(struct session *session, struct span tag)
{
	uint32_t limit = session_save_limit(session);
	struct buffer code = { 0 };

	if (limit == 0) {
		refuse(session, tag, REPLY_LIMIT);
		return;
	}
	limit_write_code(limit, 0, &code);
	session_refuse_append_with(session, tag, REPLY_BEYOND_LIMIT, buffer_span(&code));
	append_forget(session);
	buffer_free(&code);
}

static bool
is_full(const struct session *session)
{
	const struct append *append = session->incoming;
	uint32_t limit = session_save_limit(session);

	return append->incoming.count == (limit == 0 ? MESSAGES_MAX : limit);
}

void
append_begin(struct session *session, const struct imap_append_message *message)
{
	bool is_first = session->incoming == NULL;
	enum reply reply = session->account == NULL ? REPLY_BAD_STATE : REPLY_DONE;
	struct append *append;
	struct store_message replaced = { .uid = 0 };

	if (reply == REPLY_DONE && message->replaces != IMAP_REPLACES_NOTHING)
		reply = find_replaced(session, message, &replaced);
	if (reply != REPLY_DONE) {
		session_refuse_append(session, message->tag, reply);
		return;
	}
	if (is_first)
		start(session, message);
	append = session->incoming;
	if (replaced.uid != 0) {
		append->is_replace = true;
		authorize_selected(session, REPLACE_RIGHTS, &append->source);
		append->parting = door_parting(session, append->incoming.arena, STORE_LEFT_REPLACED);
		append->replaced_id = session->view->state->mailbox_id;
		append->replaced_uid = replaced.uid;
		append->replaced_size = replaced.size;
	}
	if (message->size_octets == 0)
		refuse(session, message->tag, REPLY_EMPTY_MESSAGE);
	else if (is_full(session))
		refuse_number(session, message->tag);
	else {
		add_message(append, message);
		if (is_first)
			look_up(session);
		else
			let_in(session);
	}
}

void
append_octets(struct session *session, struct span octets)
{
	struct append *append = session->incoming;

	if (!append->is_literal8 && memchr(octets.at, 0, octets.length) != NULL)
		append->has_nul = true;
	spool_add(append->incoming.spool, octets);
}

void
cmd_append(struct session *session)
{
	struct append *append = session->incoming;

	append->follower.line = session->line;
	if (!append->is_replace)
		session_lead(session);
	appended_store(session, append);
}

/* Behind others. */

/* Octets of all that are under way. */
static uint64_t
octets_under_way(const struct session *session)
{
	uint64_t octets = 0;

	LIST_FOREACH(&session->whole, link)
		octets += spool_size(LIST_ENTRY(link, struct append, link)->incoming.spool);
	return octets + (session->incoming != NULL ? spool_size(((struct append *)session->incoming)->incoming.spool) : 0);
}

static bool
may_follow(const struct session *session, const struct imap_append_message *message)
{
	return message->replaces == IMAP_REPLACES_NOTHING && !message->is_synchronizing && message->size_octets > 0 &&
	    message->size_octets + octets_under_way(session) <= ACCOUNT_MUCH_OCTETS;
}

/* What was found for the one before, which goes to the same mailbox and is not answered yet. */
static bool
take_place(struct append *append, const struct append *before)
{
	append->place = before->place;
	append->door.viewer = before->door.viewer;
	return append->door.account == before->door.account && span_equals(append->door.name, before->door.name);
}

bool
append_follow_message(struct session *session, const struct imap_append_message *message)
{
	bool is_first = session->incoming == NULL;
	struct append *append;

	if (list_is_empty(&session->whole) || !may_follow(session, message) || (!is_first && is_full(session)))
		return false;
	if (is_first)
		start(session, message);
	append = session->incoming;
	if (is_first && !take_place(append, LIST_ENTRY(session->whole.previous, struct append, link))) {
		append_forget(session);
		return false;
	}
	add_message(append, message);
	if (take_room(append))
		return true;
	append->incoming.count--;
	if (is_first)
		append_forget(session);
	return false;
}

bool
append_follow(struct session *session, struct imap_command_line *line)
{
	struct append *append = session->incoming;

	append->follower.line = line;
	session_follow(session, &append->follower);
	appended_store(session, append);
	return true;
}
