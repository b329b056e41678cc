/*
 * One piece after the other: read from the source, rendered, stored in the target.  Loop thread; the work_ functions on
 * workers.
 */
#include "across.h"

#include <stdlib.h>

#include "../session/notify.h"
#include "../shared/fault.h"
#include "../shared/role.h"
#include "config/config.h"
#include "store/content.h"

#define PIECE_OCTETS   (8 * 1024 * 1024)	/* stored in one transaction, or one message */
#define PIECE_MESSAGES 500
#define READ_OCTETS    (1024 * 1024)		/* in one job */

static void begin_piece(struct session *session, struct across *across);

/* ---- the end -------------------------------------------------------------------------------------------- */

static void
forget_piece(struct across *across)
{
	incoming_fini(&across->incoming);
	spool_free(&across->incoming.spool);
	free(across->incoming.messages);
	free(across->digests);
	across->digests = NULL;
	arena_free(&across->incoming.arena);
	across->incoming = (struct incoming){ .arena = NULL };
	buffer_free(&across->octets);
}

static void
finish(struct session *session, struct across *across, enum reply reply)
{
	account_end_reading(across->source.account);
	keywords_release(&across->keywords);
	across->done(session, across, reply);
}

static enum store_status
work_undo(struct store *store, struct session_job *job)
{
	struct across *across = CONTAINER_OF(job, struct across, job);

	return store_expunge(store, across->to_id, across->undone, across->undone_count, NULL, across->undone,
	    &across->undone_count, &across->undone_modseq);
}

static void
on_undone(struct session *session, struct session_job *job, enum store_status status)
{
	struct across *across = CONTAINER_OF(job, struct across, job);

	if (status == STORE_OK)
		state_expunged(across->target->account, across->to_id, across->undone, across->undone_count,
		    across->undone_modseq);
	finish(session, across, across->reply);
}

/* Take the copies back that across->undone names. */
static void
undo(struct session *session, struct across *across, enum reply reply)
{
	across->reply = reply;
	across->job.job.is_alone = false;
	across->job.work = work_undo;
	across->job.done = on_undone;
	session_submit_to(session, &across->job, across->target->account, ACCOUNT_DURABLE);
}

/* COPY leaves the target as it was: RFC 9051 section 6.4.7. */
static void
fail(struct session *session, struct across *across, enum reply reply)
{
	forget_piece(across);
	if (across->copied == 0) {
		finish(session, across, reply);
		return;
	}
	across->undone = arena_alloc_array(across->arena, across->copied, sizeof *across->undone);
	for (size_t i = 0; i < across->copied; i++)
		across->undone[i] = across->copies[i].message.uid;
	across->undone_count = across->copied;
	undo(session, across, reply);
}

/* ---- taking the messages from the source ---------------------------------------------------------------- */

static enum store_status
work_take(struct store *store, struct session_job *job)
{
	struct across *across = CONTAINER_OF(job, struct across, job);
	enum store_status status = door_check(store, &across->source, across->from_id);

	if (status != STORE_OK)
		return status;
	across->uids = arena_alloc_array(across->arena, across->count + 1, sizeof *across->uids);
	for (size_t i = 0; i < across->count; i++)
		across->uids[i] = across->messages[i].uid;
	return store_expunge(store, across->from_id, across->uids, across->count, &across->parting, across->uids,
	    &across->gone, &across->modseq);
}

/* What somebody else has moved or expunged first is not moved from here. */
static void
drop_taken(struct across *across)
{
	size_t kept = 0, next = 0;

	across->undone = arena_alloc_array(across->arena, across->copied + 1, sizeof *across->undone);
	across->undone_count = 0;
	for (size_t i = 0; i < across->copied; i++) {
		if (next < across->gone && across->uids[next] == across->copies[i].source_uid) {
			across->copies[kept++] = across->copies[i];
			next++;
		} else {
			across->undone[across->undone_count++] = across->copies[i].message.uid;
		}
	}
	across->copied = kept;
}

static void
on_taken(struct session *session, struct session_job *job, enum store_status status)
{
	struct across *across = CONTAINER_OF(job, struct across, job);

	/* Nobody knows whether the messages have gone: the copies stay, so that none is lost. */
	if (status == STORE_UNAVAILABLE) {
		finish(session, across, reply_for(status));
		return;
	}
	if (status != STORE_OK) {
		fail(session, across, reply_for(status));
		return;
	}
	state_expunged(across->source.account, across->from_id, across->uids, across->gone, across->modseq);
	drop_taken(across);
	if (across->undone_count > 0)
		undo(session, across, REPLY_DONE);
	else
		finish(session, across, REPLY_DONE);
}

static void
take(struct session *session, struct across *across)
{
	if (!across->is_move) {
		finish(session, across, REPLY_DONE);
		return;
	}
	across->job.job.is_alone = false;
	across->job.work = work_take;
	across->job.done = on_taken;
	session_submit_to(session, &across->job, across->source.account, ACCOUNT_DURABLE);
}

/* The copies are there, whatever becomes of \Seen. */
static void
on_marked(struct session *session, struct marking *marking, enum store_status status)
{
	(void)status;
	take(session, CONTAINER_OF(marking, struct across, marking));
}

static void
mark_seen(struct session *session, struct across *across)
{
	if (across->seen_count > 0)
		marking_begin(session, &across->marking, across->target->account, across->to_id, across->seen,
		    across->seen_count, on_marked);
	else
		take(session, across);
}

/* ---- storing a piece ------------------------------------------------------------------------------------ */

/* RFC 4314 section 4: flags that the rights do not let set are left out. */
static void
restrict_flags(struct across *across)
{
	for (size_t i = 0; i < across->incoming.count; i++) {
		struct incoming_message *message = &across->incoming.messages[i];

		message->flags &= view_flags_of(across->target->granted);
		if (across->target->viewer != NULL)
			incoming_take_seen(message);
		if ((across->target->granted & IMAP_RIGHT_WRITE) == 0)
			message->keyword_count = 0;
	}
}

static bool
has_digest(const struct incoming_message *message, const struct store_digest *digest)
{
	uint8_t sha256[DIGEST_LENGTH];

	if (digest->is_checksum)
		return message->checksum == digest->checksum;
	digest_sha256(message->octets, sha256);
	return memcmp(sha256, digest->sha256, DIGEST_LENGTH) == 0;
}

/* What was read is what came in once. */
static bool
is_intact(const struct across *across)
{
	for (size_t i = 0; i < across->incoming.count && across->incoming.is_rendered; i++)
		if (!has_digest(&across->incoming.messages[i], &across->digests[i]))
			return false;
	return true;
}

static enum store_status
work_store(struct store *store, struct session_job *job)
{
	struct across *across = CONTAINER_OF(job, struct across, job);
	enum store_status status = is_intact(across) ? door_check(store, across->target, across->to_id) : STORE_CORRUPT;

	if (status != STORE_OK)
		return status;
	restrict_flags(across);
	return incoming_store(&across->incoming, SPAN(""), store, across->to_id, across->results, across->arena,
	    across->known_keywords, &across->news);
}

static void
on_stored(struct session *session, struct session_job *job, enum store_status status)
{
	struct across *across = CONTAINER_OF(job, struct across, job);
	size_t count = across->incoming.count;

	if (status != STORE_OK) {
		fail(session, across, reply_for(status));
		return;
	}
	if (incoming_has_keywords(&across->incoming))
		state_keywords_changed(across->target->account, across->to_id, &across->news);
	notify_note_own(session, across->target->account, across->to_id, across->results[0].uid, across->results[count - 1].uid);
	state_appended(across->target->account, across->to_id, across->results, count);
	for (size_t i = 0; i < count; i++) {
		if (across->incoming.messages[i].is_marked)
			across->seen[across->seen_count++] = across->results[i].uid;
		across->copies[across->copied] = (struct store_copied){ .source_uid = across->messages[across->copied].uid,
			.message = across->results[i] };
		across->copied++;
	}
	forget_piece(across);
	begin_piece(session, across);
}

static void
work_render(struct job *job)
{
	incoming_render(&CONTAINER_OF(job, struct across, render)->incoming);
}

static void
on_rendered(struct job *job)
{
	struct across *across = CONTAINER_OF(job, struct across, render);
	struct session *session = across->session;

	across->results = arena_alloc_array(across->arena, across->incoming.count, sizeof *across->results);
	across->known_keywords = state_known_keywords(across->target->account, across->to_id);
	across->job.job.is_alone = spool_size(across->incoming.spool) > ACCOUNT_MUCH_OCTETS;
	across->job.work = work_store;
	across->job.done = on_stored;
	session_submit_to(session, &across->job, across->target->account, ACCOUNT_DURABLE);
	session_end_wait(session);
}

static void
on_spooled(enum spool_status status, void *context)
{
	struct across *across = context;
	struct session *session = across->session;

	if (status == SPOOL_OK) {
		across->incoming.compression = session->role->compression;
		across->render.work = work_render;
		across->render.done = on_rendered;
		workers_submit(session->role->parts.compute, &across->render);
		return;
	}
	faults_note_disk(session->role->faults, session->user, session->role->data_directory, status == SPOOL_FULL,
	    spool_error(across->incoming.spool));
	fail(session, across, status == SPOOL_FULL ? REPLY_DISK_FULL : REPLY_UNAVAILABLE);
	session_end_wait(session);
}

/* ---- reading a piece ------------------------------------------------------------------------------------ */

static bool
keep_digest(const struct store_content *content, void *context)
{
	*(struct store_digest *)context = content->digest;
	return true;
}

/* The right to read may have gone meanwhile. */
static enum store_status
work_read(struct store *store, struct session_job *job)
{
	struct across *across = CONTAINER_OF(job, struct across, job);
	enum store_status status = door_check(store, &across->source, across->from_id);

	while (status == STORE_OK && across->reading < across->end && across->octets.length < READ_OCTETS) {
		const struct store_message *message = &across->messages[across->reading];
		uint64_t left = message->size - across->offset, most = READ_OCTETS - across->octets.length;
		uint64_t length = left < most ? left : most;

		if (across->offset == 0)
			status = store_content_each(store, &message->content_id, 1, STORE_CONTENT_DIGEST, keep_digest,
			    &across->digests[across->reading - across->copied]);
		if (status == STORE_OK)
			status = store_read_octets(store, message->content_id, across->offset, length, &across->octets);
		across->offset += length;
		if (across->offset == message->size) {
			across->reading++;
			across->offset = 0;
		}
	}
	return status;
}

static void on_read(struct session *session, struct session_job *job, enum store_status status);

static void
read_on(struct across *across)
{
	across->job.job.is_alone = false;
	across->job.work = work_read;
	across->job.done = on_read;
	session_submit_to(across->session, &across->job, across->source.account, ACCOUNT_READ);
}

static void
on_room(void *context)
{
	struct across *across = context;

	if (!across->is_waiting)
		return;
	across->is_waiting = false;
	read_on(across);
	session_end_wait(across->session);
}

static void
on_read(struct session *session, struct session_job *job, enum store_status status)
{
	struct across *across = CONTAINER_OF(job, struct across, job);

	if (status != STORE_OK) {
		fail(session, across, reply_for(status));
		return;
	}
	spool_add(across->incoming.spool, buffer_span(&across->octets));
	buffer_clear(&across->octets);
	if (across->reading == across->end) {
		session_begin_wait(session);
		spool_finish(across->incoming.spool, on_spooled, across);
	} else if (spool_is_congested(across->incoming.spool)) {
		session_begin_wait(session);
		across->is_waiting = true;
	} else {
		read_on(across);
	}
}

/* The names of a message's keywords in the selected mailbox. */
static void
add_keywords(struct across *across, struct incoming_message *message, uint64_t flags)
{
	const struct imap_keywords *keywords = &across->keywords->all;

	message->keywords = arena_alloc_array(across->incoming.arena, keywords->count + 1, sizeof *message->keywords);
	for (size_t i = 0; i < keywords->count; i++)
		if (imap_flags_have(flags, keywords, i))
			message->keywords[message->keyword_count++] = keywords->names[i];
}

static void
add_messages(struct across *across)
{
	struct incoming *incoming = &across->incoming;
	uint64_t offset = 0;

	incoming->messages = memory_new_array(PIECE_MESSAGES, sizeof *incoming->messages);
	across->digests = memory_new_array(PIECE_MESSAGES, sizeof *across->digests);
	for (across->end = across->copied; across->end < across->count && incoming->count < PIECE_MESSAGES &&
	    (incoming->count == 0 || offset + across->messages[across->end].size <= PIECE_OCTETS); across->end++) {
		const struct store_message *from = &across->messages[across->end];
		struct incoming_message *message = &incoming->messages[incoming->count++];

		*message = (struct incoming_message){ .offset = offset, .size_octets = from->size,
			.flags = from->flags & STORE_FLAGS_SYSTEM, .internal_date_s = from->internal_date_s };
		add_keywords(across, message, from->flags);
		offset += from->size;
	}
}

static void
begin_piece(struct session *session, struct across *across)
{
	if (across->copied == across->count) {
		mark_seen(session, across);
		return;
	}
	if (session_reason_to_stop(session) != REPLY_DONE) {
		fail(session, across, session_reason_to_stop(session));
		return;
	}
	across->incoming.arena = arena_new();
	across->incoming.spool = spool_new(session->role->parts.loop, session->role->parts.storage,
	    session->role->parts.config->data_directory, SPOOL_THRESHOLD);
	spool_on_room(across->incoming.spool, on_room, across);
	add_messages(across);
	across->reading = across->copied;
	across->offset = 0;
	read_on(across);
}

/* ---- the beginning -------------------------------------------------------------------------------------- */

/* What is known not to fit is not begun. */
static enum store_status
check_room(struct store *store, const struct across *across)
{
	struct store_amounts room;
	enum store_status status = store_quota_room(store, &room);
	uint64_t octets = 0;

	for (size_t i = 0; i < across->count; i++)
		octets += across->messages[i].size;
	if (status == STORE_OK && (octets > room.of[STORE_RESOURCE_STORAGE] || across->count > room.of[STORE_RESOURCE_MESSAGE]))
		status = STORE_OVER_QUOTA;
	return status;
}

static enum store_status
work_find(struct store *store, struct session_job *job)
{
	struct across *across = CONTAINER_OF(job, struct across, job);
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, across->target, across->arena, &mailbox);

	if (status != STORE_OK)
		return status;
	across->to_id = mailbox.id;
	across->uidvalidity = mailbox.uidvalidity;
	return check_room(store, across);
}

static void
on_found(struct session *session, struct session_job *job, enum store_status status)
{
	struct across *across = CONTAINER_OF(job, struct across, job);

	if (status == STORE_OK)
		begin_piece(session, across);
	else
		finish(session, across, status == STORE_NOT_FOUND ? REPLY_TRYCREATE : reply_for(status));
}

void
across_begin(struct session *session, struct across *across)
{
	across->session = session;
	across->parting = door_parting(session, across->arena, STORE_LEFT_MOVED);
	across->keywords = keywords_hold(session->view->state->keywords);
	across->copies = arena_alloc_array(across->arena, across->count + 1, sizeof *across->copies);
	across->seen = arena_alloc_array(across->arena, across->count + 1, sizeof *across->seen);
	account_begin_reading(across->source.account);
	across->job.work = work_find;
	across->job.done = on_found;
	session_submit_to(session, &across->job, across->target->account, ACCOUNT_READ);
}
