/*
 * APPENDs that have come in whole: rendered side by side, stored in the order of their commands, each all or nothing, and
 * answered in their turn.  Loop thread, except work_*().
 */
#include "appended.h"

#include <stdlib.h>

#include "../session/notify.h"
#include "../session/oldname.h"
#include "../shared/fault.h"
#include "../shared/role.h"
#include "imap/writer.h"

void
appended_free(struct append *freed)
{
	if (freed == NULL)
		return;
	list_remove(&freed->link);
	incoming_fini(&freed->incoming);
	spool_free(&freed->incoming.spool);
	free(freed->incoming.messages);
	arena_free(&freed->incoming.arena);
	free(freed);
}

/* Another mailbox than the one that is remembered may have the name by now: what was known of that is nothing to it. */
enum store_status
appended_find(struct store *store, struct append *append)
{
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, &append->door, append->incoming.arena, &mailbox);

	if (status != STORE_OK)
		return status;
	if (append->found.mailbox_id != mailbox.id) {
		append->known_keywords = STORE_KEYWORDS_UNTOLD;
		append->incoming.claims_recent = false;
	}
	append->found.mailbox_id = mailbox.id;
	append->found.uidvalidity = mailbox.uidvalidity;
	return STORE_OK;
}

/* Whether the message that is replaced lies in the file of another user. */
static bool
is_across(const struct append *append)
{
	return append->is_replace && append->source.account != append->door.account;
}

struct store_amounts
appended_credit(const struct append *append)
{
	if (is_across(append))
		return (struct store_amounts){ { 0 } };
	return (struct store_amounts){ { [STORE_RESOURCE_STORAGE] = append->replaced_size,
		[STORE_RESOURCE_MESSAGE] = append->is_replace } };
}

enum reply
appended_reply(enum store_status status)
{
	return status == STORE_NOT_FOUND ? REPLY_TRYCREATE : reply_for(status);
}

static void
finish(struct session *session, struct append *append, enum reply reply)
{
	appended_free(append);
	session_finish(session, reply);
}

/* The message goes in the transaction that brings the other one: RFC 8508 section 3.4. */
static enum store_status
expunge_replaced(struct store *store, struct append *append)
{
	uint32_t expunged;
	size_t count;
	enum store_status status = door_check(store, &append->source, append->replaced_id);

	if (status != STORE_OK)
		return status;
	status = store_expunge(store, append->replaced_id, &append->replaced_uid, 1, &append->parting, &expunged,
	    &count, &append->replaced_modseq);

	if (status == STORE_OK && count == 0) {
		append->is_replaced_gone = true;
		status = STORE_NOT_FOUND;
	}
	return status;
}

/* RFC 4314 section 4: flags that the rights do not let set are left out; \Seen may be kept elsewhere. */
static void
restrict_flags(struct append *append)
{
	for (size_t i = 0; i < append->incoming.count; i++) {
		struct incoming_message *message = &append->incoming.messages[i];

		message->flags &= view_flags_of(append->door.granted);
		if (append->door.viewer != NULL)
			incoming_take_seen(message);
		if ((append->door.granted & IMAP_RIGHT_WRITE) == 0)
			message->keyword_count = 0;
	}
}

static enum store_status
work_store(struct store *store, struct session_job *job)
{
	struct append *append = CONTAINER_OF(job, struct append, store);
	struct store_amounts credit = appended_credit(append);
	enum store_status status = append->found.is_unasked ? appended_find(store, append) : STORE_OK;

	if (status == STORE_OK)
		status = door_check(store, &append->door, append->found.mailbox_id);
	if (status != STORE_OK)
		return status;
	restrict_flags(append);
	if (append->is_small)
		incoming_render(&append->incoming);
	store_credit_quota(store, &credit);
	status = incoming_store(&append->incoming, SPAN(""), store, append->found.mailbox_id, append->results,
	    append->incoming.arena, append->known_keywords, &append->news);
	store_credit_quota(store, &(struct store_amounts){ { 0 } });
	if (status == STORE_OK && append->is_replace && !is_across(append))
		status = expunge_replaced(store, append);
	return status;
}

/* The code comes before EXPUNGE, as that of MOVE does: RFC 8508 section 3.2. */
static void
finish_replaced(struct session *session, struct append *append, struct span code)
{
	struct buffer *out = session_out(session);

	buffer_add_string(out, "* OK [");
	buffer_add_span(out, code);
	buffer_add_string(out, "] replaces another\r\n");
	finish(session, append, REPLY_DONE);
}

static void
finish_stored(struct session *session, struct append *append)
{
	struct buffer code = { 0 };
	struct imap_set_writer set = { .out = &code };

	oldname_tell(session, "", session->line->append.mailbox);
	if (!session_can(session, IMAP_CAN_UIDPLUS)) {
		finish(session, append, REPLY_DONE);
		return;
	}
	buffer_printf(&code, "APPENDUID %u ", append->place.uidvalidity);
	for (size_t i = 0; i < append->incoming.count; i++)
		imap_set_writer_add(&set, append->results[i].uid);
	imap_set_writer_end(&set);
	if (append->is_replace) {
		finish_replaced(session, append, buffer_span(&code));
	} else {
		appended_free(append);
		session_finish_with(session, REPLY_DONE, buffer_span(&code));
	}
	buffer_free(&code);
}

static void
answer(struct session *session, struct session_follower *follower)
{
	struct append *append = CONTAINER_OF(follower, struct append, follower);

	if (append->refusal != REPLY_DONE)
		finish(session, append, append->refusal);
	else if (append->status != STORE_OK)
		finish(session, append, append->is_replaced_gone ? REPLY_SOME_GONE : appended_reply(append->status));
	else
		finish_stored(session, append);
}

static void
come_home(struct append *append)
{
	append->follower.is_home = true;
	if (append->session->line == append->follower.line)
		answer(append->session, &append->follower);
}

static void
remember(struct session *session, const struct append *append)
{
	if (append->door.account != session->account)
		return;
	session->appended_id = append->place.mailbox_id;
	if (span_equals(session->appended_name, append->door.name))
		return;
	free((void *)session->appended_name.at);
	session->appended_name = span_from_string(memory_copy_span(append->door.name));
}

static void
note_replaced(const struct append *append)
{
	state_expunged(append->source.account, append->replaced_id, &append->replaced_uid, 1, append->replaced_modseq);
}

static void
note_stored(struct session *session, const struct append *append)
{
	struct account *account = append->door.account;

	session->role->appended += append->incoming.count;
	metric_add(METRIC_APPENDS, METRIC_DONE, 0, append->incoming.count);
	metric_add(METRIC_APPEND_OCTETS, 0, 0, spool_size(append->incoming.spool));
	remember(session, append);
	if (incoming_has_keywords(&append->incoming))
		state_keywords_changed(account, append->place.mailbox_id, &append->news);
	notify_note_own(session, account, append->place.mailbox_id, append->results[0].uid,
	    append->results[append->incoming.count - 1].uid);
	state_appended(account, append->place.mailbox_id, append->results, append->incoming.count);
	if (append->incoming.claims_recent)
		state_note_claimed(account, append->place.mailbox_id);
	if (append->is_replace && !is_across(append))
		note_replaced(append);
}

static enum store_status
work_take(struct store *store, struct session_job *job)
{
	return expunge_replaced(store, CONTAINER_OF(job, struct append, store));
}

/* The other one has come, and stays: who is told NO finds both, and none is lost. */
static void
on_taken(struct session *session, struct session_job *job, enum store_status status)
{
	struct append *append = CONTAINER_OF(job, struct append, store);

	(void)session;
	append->status = status;
	if (status == STORE_OK)
		note_replaced(append);
	come_home(append);
}

static void
submit_take(struct session *session, struct append *append)
{
	append->store.job.is_alone = false;
	append->store.work = work_take;
	append->store.done = on_taken;
	session_submit_to(session, &append->store, append->source.account, ACCOUNT_DURABLE);
}

/* The messages are there, whatever becomes of \Seen. */
static void
on_marked(struct session *session, struct marking *marking, enum store_status status)
{
	struct append *append = CONTAINER_OF(marking, struct append, marking);

	(void)status;
	if (is_across(append))
		submit_take(session, append);
	else
		come_home(append);
}

static void
mark_seen(struct session *session, struct append *append)
{
	uint32_t *uids = arena_alloc_array(append->incoming.arena, append->incoming.count + 1, sizeof *uids);
	size_t count = 0;

	for (size_t i = 0; i < append->incoming.count; i++)
		if (append->incoming.messages[i].is_marked)
			uids[count++] = append->results[i].uid;
	if (count > 0)
		marking_begin(session, &append->marking, append->door.account, append->place.mailbox_id, uids, count,
		    on_marked);
	else
		on_marked(session, &append->marking, STORE_OK);
}

static void
on_stored(struct session *session, struct session_job *job, enum store_status status)
{
	struct append *append = CONTAINER_OF(job, struct append, store);

	append->place = append->found;
	append->status = status;
	if (status != STORE_OK) {
		session->appended_id = 0;
		come_home(append);
		return;
	}
	note_stored(session, append);
	if (append->door.viewer != NULL)
		mark_seen(session, append);
	else
		on_marked(session, &append->marking, STORE_OK);
}

/* The messages will be told to this session at once, before any that comes later: to those they are not recent. */
static bool
is_told_first(const struct append *append)
{
	const struct view *view = append->session->view;

	return view != NULL && !view->is_read_only && view->who == NULL && view->state->account == append->door.account &&
	    view->state->mailbox_id == append->place.mailbox_id;
}

static void
submit(struct append *append)
{
	struct session *session = append->session;

	append->is_submitted = true;
	append->found = append->place;
	append->results = arena_alloc_array(append->incoming.arena, append->incoming.count,
	    sizeof append->results[0]);
	append->incoming.claims_recent = is_told_first(append);
	append->known_keywords = state_known_keywords(append->door.account, append->place.mailbox_id);
	append->store.job.is_alone = spool_size(append->incoming.spool) > ACCOUNT_MUCH_OCTETS;
	append->store.job.job.is_long = append->store.job.is_alone;
	append->store.work = work_store;
	append->store.done = on_stored;
	session_submit_to(session, &append->store, append->door.account, ACCOUNT_DURABLE);
}

/* They are stored in the order of their commands, however long it takes to render each. */
static void
submit_ready(struct session *session)
{
	LIST_FOREACH(&session->whole, link) {
		struct append *append = LIST_ENTRY(link, struct append, link);

		if (append->is_submitted || append->follower.is_home)
			continue;
		if (!append->is_ready)
			break;
		if (append->refusal == REPLY_DONE)
			submit(append);
		else
			come_home(append);
	}
}

static void
become_ready(struct append *append)
{
	struct session *session = append->session;

	append->is_ready = true;
	submit_ready(session);
	session_end_wait(session);
}

static void
work_render(struct job *job)
{
	incoming_render(&CONTAINER_OF(job, struct append, render)->incoming);
}

static void
on_rendered(struct job *job)
{
	become_ready(CONTAINER_OF(job, struct append, render));
}

/* What is small and waits for nobody is rendered where it is stored: that is cheaper than a way to another worker. */
static void
render(struct append *append)
{
	struct session *session = append->session;

	append->incoming.compression = session->role->compression;
	append->is_small = spool_size(append->incoming.spool) <= INCOMING_SMALL_OCTETS &&
	    account_has_no_jobs(append->door.account);
	if (append->is_small) {
		become_ready(append);
		return;
	}
	append->render.is_long = spool_size(append->incoming.spool) > ACCOUNT_MUCH_OCTETS;
	append->render.work = work_render;
	append->render.done = on_rendered;
	workers_submit(session->role->parts.compute, &append->render);
}

static void
on_spooled(enum spool_status status, void *context)
{
	struct append *append = context;
	struct session *session = append->session;

	if (status == SPOOL_OK) {
		render(append);
		return;
	}
	faults_note_disk(session->role->faults, session->user, session->role->data_directory, status == SPOOL_FULL,
	    spool_error(append->incoming.spool));
	append->refusal = status == SPOOL_FULL ? REPLY_DISK_FULL : REPLY_UNAVAILABLE;
	become_ready(append);
}

void
appended_store(struct session *session, struct append *append)
{
	session->incoming = NULL;
	append->follower.answer = answer;
	list_push_back(&session->whole, &append->link);
	session_begin_wait(session);
	if (append->has_nul) {
		append->refusal = REPLY_NUL;
		become_ready(append);
		return;
	}
	spool_finish(append->incoming.spool, on_spooled, append);
}
