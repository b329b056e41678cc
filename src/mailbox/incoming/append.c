/*
 * The messages of one APPEND, or the one of REPLACE, all in one spool; stored together or not at all.  Loop thread.
 */
#include <assert.h>
#include <stdlib.h>

#include "../session/door.h"
#include "../session/limit.h"
#include "../session/notify.h"
#include "../session/oldname.h"
#include "../shared/fault.h"
#include "../shared/role.h"
#include "append.h"
#include "base/clock.h"
#include "config/config.h"
#include "imap/flags.h"
#include "incoming.h"

#define MESSAGES_MAX 1000		/* of one MULTIAPPEND, where no limit is announced */

struct append {
	struct session *session;
	struct incoming incoming;
	size_t capacity;		/* of incoming.messages */
	struct span tag;
	bool is_literal8, is_synchronizing;	/* of the message that comes in */
	bool has_nul;			/* where it must not be */
	bool is_finishing;
	bool is_replace;		/* RFC 8508: another message goes with it */
	uint64_t replaced_id;		/* its mailbox */
	uint32_t replaced_uid;
	uint32_t replaced_size;		/* octets: room for what takes its place */
	uint64_t replaced_modseq;
	bool is_replaced_gone;
	uint64_t mailbox_id;
	uint32_t uidvalidity;
	struct store_amounts room;	/* for messages that are still to come */
	struct door door;
	struct job render;
	struct session_job lookup, store;
	struct store_message *results;
	size_t known_keywords;
	struct store_keywords news;
};

bool
append_is_congested(const struct session *session)
{
	const struct append *append = session->incoming;

	return append != NULL && append->incoming.spool != NULL && spool_is_congested(append->incoming.spool);
}

bool
append_is_busy(const struct session *session)
{
	const struct append *append = session->incoming;

	return append != NULL && append->is_finishing;
}

void
append_forget(struct session *session)
{
	struct append *freed = session->incoming;

	session->incoming = NULL;
	if (freed == NULL)
		return;
	incoming_fini(&freed->incoming);
	spool_free(&freed->incoming.spool);
	free(freed->incoming.messages);
	arena_free(&freed->incoming.arena);
	free(freed);
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
	append->incoming.arena = arena_new();
	append->tag = arena_copy(append->incoming.arena, message->tag);
	authorize(session, arena_copy(append->incoming.arena, message->mailbox), STORE_RIGHT_INSERT, &append->door);
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

/* What is known not to fit is refused before its literal: RFC 9208 section 4.3.1. */
static void
let_in(struct session *session)
{
	struct append *append = session->incoming;
	uint64_t size_octets = append->incoming.messages[append->incoming.count - 1].size_octets;
	uint64_t *room = append->room.of;

	if (size_octets > room[STORE_RESOURCE_STORAGE] || room[STORE_RESOURCE_MESSAGE] == 0) {
		refuse(session, append->tag, REPLY_OVER_QUOTA);
		return;
	}
	room[STORE_RESOURCE_STORAGE] -= size_octets;
	room[STORE_RESOURCE_MESSAGE]--;
	go_on(session);
}

/* What goes when the message comes makes room for it. */
static struct store_amounts
credit_of(const struct append *append)
{
	return (struct store_amounts){ { [STORE_RESOURCE_STORAGE] = append->replaced_size,
		[STORE_RESOURCE_MESSAGE] = append->is_replace } };
}

static enum store_status
find_room(struct store *store, struct append *append)
{
	struct store_amounts credit = credit_of(append);
	enum store_status status;

	store_credit_quota(store, &credit);
	status = store_quota_room(store, &append->room);
	store_credit_quota(store, &(struct store_amounts){ { 0 } });
	return status;
}

static enum store_status
work_lookup(struct store *store, struct session_job *job)
{
	struct append *append = CONTAINER_OF(job, struct append, lookup);
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, &append->door, append->incoming.arena, &mailbox);

	if (status == STORE_OK) {
		append->mailbox_id = mailbox.id;
		append->uidvalidity = mailbox.uidvalidity;
		status = find_room(store, append);
	}
	return status;
}

static enum reply
reply_to_append(enum store_status status)
{
	return status == STORE_NOT_FOUND ? REPLY_TRYCREATE : reply_for(status);
}

static void
on_looked_up(struct session *session, struct session_job *job, enum store_status status)
{
	struct append *append = CONTAINER_OF(job, struct append, lookup);

	append->is_finishing = false;
	if (session_is_closing(session))
		return;
	if (status != STORE_OK)
		refuse(session, append->tag, reply_to_append(status));
	else
		let_in(session);
}

static void
look_up(struct session *session)
{
	struct append *append = session->incoming;

	append->is_finishing = true;
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

/* The command is whole. */

static void
finish(struct session *session, enum reply reply)
{
	append_forget(session);
	session_finish(session, reply);
}

/* The message goes in the transaction that brings the other one: RFC 8508 section 3.4. */
static enum store_status
expunge_replaced(struct store *store, struct append *append)
{
	uint32_t expunged;
	size_t count;
	enum store_status status = store_expunge(store, append->replaced_id, &append->replaced_uid, 1, &expunged,
	    &count, &append->replaced_modseq);

	if (status == STORE_OK && count == 0) {
		append->is_replaced_gone = true;
		status = STORE_NOT_FOUND;
	}
	return status;
}

static enum store_status
work_store(struct store *store, struct session_job *job)
{
	struct append *append = CONTAINER_OF(job, struct append, store);
	struct store_amounts credit = credit_of(append);
	enum store_status status;

	store_credit_quota(store, &credit);
	status = incoming_store(&append->incoming, SPAN(""), store, append->mailbox_id, append->results,
	    append->incoming.arena, append->known_keywords, &append->news);
	store_credit_quota(store, &(struct store_amounts){ { 0 } });
	if (status == STORE_OK && append->is_replace)
		status = expunge_replaced(store, append);
	return status;
}

static void
finish_with(struct session *session, struct span code)
{
	append_forget(session);
	session_finish_with(session, REPLY_DONE, code);
}

/* The code comes before EXPUNGE, as that of MOVE does: RFC 8508 section 3.2. */
static void
finish_replaced(struct session *session, struct span code)
{
	struct buffer *out = session_out(session);

	buffer_add_string(out, "* OK [");
	buffer_add_span(out, code);
	buffer_add_string(out, "] replaces another\r\n");
	finish(session, REPLY_DONE);
}

static void
finish_stored(struct session *session)
{
	struct append *append = session->incoming;
	struct buffer code = { 0 };
	struct imap_set_writer set = { .out = &code };

	oldname_tell(session, "", session->line->append.mailbox);
	if (!session_can(session, IMAP_CAN_UIDPLUS)) {
		finish(session, REPLY_DONE);
		return;
	}
	buffer_printf(&code, "APPENDUID %u ", append->uidvalidity);
	for (size_t i = 0; i < append->incoming.count; i++)
		imap_set_writer_add(&set, append->results[i].uid);
	imap_set_writer_end(&set);
	if (append->is_replace)
		finish_replaced(session, buffer_span(&code));
	else
		finish_with(session, buffer_span(&code));
	buffer_free(&code);
}

static void
on_stored(struct session *session, struct session_job *job, enum store_status status)
{
	struct append *append = CONTAINER_OF(job, struct append, store);

	append->is_finishing = false;
	if (status != STORE_OK) {
		finish(session, append->is_replaced_gone ? REPLY_SOME_GONE : reply_to_append(status));
		return;
	}
	session->role->appended += append->incoming.count;
	if (incoming_has_keywords(&append->incoming))
		state_keywords_changed(append->door.account, append->mailbox_id, &append->news);
	notify_note_own(session, append->door.account, append->mailbox_id, append->results[0].uid,
	    append->results[append->incoming.count - 1].uid);
	state_appended(append->door.account, append->mailbox_id, append->results, append->incoming.count);
	if (append->is_replace)
		state_expunged(append->door.account, append->replaced_id, &append->replaced_uid, 1, append->replaced_modseq);
	finish_stored(session);
}

static void
work_render(struct job *job)
{
	incoming_render(&CONTAINER_OF(job, struct append, render)->incoming);
}

static void
on_rendered(struct job *job)
{
	struct append *append = CONTAINER_OF(job, struct append, render);
	struct session *session = append->session;

	append->results = arena_alloc_array(append->incoming.arena, append->incoming.count,
	    sizeof append->results[0]);
	append->known_keywords = state_known_keywords(append->door.account, append->mailbox_id);
	append->store.job.is_alone = spool_size(append->incoming.spool) > ACCOUNT_MUCH_OCTETS;
	append->store.work = work_store;
	append->store.done = on_stored;
	session_submit_to(session, &append->store, append->door.account, ACCOUNT_DURABLE);
	session_end_wait(session);
}

static void
on_spooled(enum spool_status status, void *context)
{
	struct session *session = context;
	struct append *append = session->incoming;

	if (status == SPOOL_OK) {
		append->incoming.compression = session->role->compression;
		append->render.work = work_render;
		append->render.done = on_rendered;
		workers_submit(session->role->parts.compute, &append->render);
		return;
	}
	append->is_finishing = false;
	faults_note_disk(session->role->faults, session->user, session->role->data_directory, status == SPOOL_FULL,
	    spool_error(append->incoming.spool));
	finish(session, status == SPOOL_FULL ? REPLY_DISK_FULL : REPLY_UNAVAILABLE);
	session_end_wait(session);
}

void
cmd_append(struct session *session)
{
	struct append *append = session->incoming;

	if (append->has_nul) {
		finish(session, REPLY_NUL);
		return;
	}
	append->is_finishing = true;
	session_begin_wait(session);
	spool_finish(append->incoming.spool, on_spooled, session);
}
