/*
 * COPY and MOVE with their UID forms: RFC 9051 sections 6.4.7 and 6.4.8, COPYUID of section 7.1, RFC 9738.
 */
#include "../session/door.h"
#include "../session/marking.h"
#include "../session/notify.h"
#include "across.h"
#include "commands.h"

/* RFC 6851 section 4.2: what STORE of \\Deleted, COPY and EXPUNGE need. */
#define MOVE_RIGHTS (IMAP_RIGHT_READ | IMAP_RIGHT_DELETED | IMAP_RIGHT_EXPUNGE)

struct copy {
	struct session_job job;
	struct arena *arena;
	struct door door;		/* of the target */
	struct door source;
	struct store_message *messages;	/* for across.h, where the target lies in another file */
	struct across across;
	struct marking marking;
	bool is_move;
	bool is_across;			/* into the file of another user */
	bool is_by_uid;			/* or by "$", which stands for UIDs: one that is gone is no error */
	bool has_gone;			/* messages that were asked for */
	uint32_t lowest_uid;		/* of view_set_limit() */
	uint64_t from_id, to_id;
	uint32_t uidvalidity;		/* of the target */
	uint32_t *uids;
	size_t count;
	struct store_copied *copies;
	size_t copied;
	uint64_t modseq;		/* of the source after a move */
	size_t known_keywords;		/* of the target */
	struct store_keywords news;
};

/*
 * With a number that is gone nothing is copied or moved: the client means messages that it cannot have, and a COPY
 * that fails leaves the target as it was (RFC 2180 section 4.4.1, RFC 9051 section 6.4.7).  A UID that is gone is
 * no error (section 6.4.9).
 */
static bool
is_refused(const struct copy *copy)
{
	return !copy->is_by_uid && copy->has_gone;
}

static enum store_status
find_target(struct store *store, struct copy *copy)
{
	struct store_mailbox mailbox;
	enum store_status status = door_find(store, &copy->door, copy->arena, &mailbox);

	if (status == STORE_OK) {
		copy->to_id = mailbox.id;
		copy->uidvalidity = mailbox.uidvalidity;
	}
	return status;
}

/* A change that changes nothing says which messages are there; those that are not are dropped. */
static enum store_status
drop_missing(struct store *store, struct copy *copy)
{
	static const struct store_flag_change nothing = { .operation = STORE_FLAGS_ADD,
		.unchanged_since = UINT64_MAX };
	struct store_flag_result *found = arena_alloc_array(copy->arena, copy->count + 1, sizeof found[0]);
	enum store_status status = store_change_flags(store, copy->from_id, copy->uids, copy->count, &nothing, found,
	    NULL);
	size_t kept = 0;

	for (size_t i = 0; i < copy->count && status == STORE_OK; i++)
		if (found[i].outcome != STORE_FLAGS_MISSING)
			copy->uids[kept++] = copy->uids[i];
	copy->has_gone = copy->has_gone || kept < copy->count;
	copy->count = kept;
	return status;
}

/* What sessions on the target must know to tell the flags of the copies. */
static enum store_status
load_news(struct store *store, struct copy *copy)
{
	uint64_t *flags = arena_alloc_array(copy->arena, copy->copied + 1, sizeof *flags), all = 0;

	for (size_t i = 0; i < copy->copied; i++)
		all |= flags[i] = copy->copies[i].message.flags;
	if ((all & ~STORE_FLAGS_SYSTEM) == 0)
		return STORE_OK;
	return store_keyword_news(store, copy->to_id, copy->known_keywords, flags, copy->copied, copy->arena,
	    &copy->news);
}

/* RFC 4314 section 4: flags that the rights do not let set are left out.  Where \Seen is each user's own, the owner's stays. */
static enum store_status
restrict_flags(struct store *store, struct copy *copy)
{
	uint64_t permitted = view_flags_of(copy->door.granted) | (copy->door.viewer != NULL ? STORE_FLAG_SEEN : 0);
	const struct store_flag_change change = { .operation = STORE_FLAGS_SET, .flags = 0, .kept = permitted,
		.keeps_keywords = (copy->door.granted & IMAP_RIGHT_WRITE) != 0, .unchanged_since = UINT64_MAX };
	struct store_flag_result *results;
	enum store_status status;
	uint32_t *uids;

	if (copy->copied == 0 || (permitted == STORE_FLAGS_SYSTEM && change.keeps_keywords))
		return STORE_OK;
	results = arena_alloc_array(copy->arena, copy->copied, sizeof *results);
	uids = arena_alloc_array(copy->arena, copy->copied, sizeof *uids);
	for (size_t i = 0; i < copy->copied; i++)
		uids[i] = copy->copies[i].message.uid;
	status = store_change_flags(store, copy->to_id, uids, copy->copied, &change, results, NULL);
	for (size_t i = 0; i < copy->copied && status == STORE_OK; i++) {
		copy->copies[i].message.flags = results[i].flags;
		copy->copies[i].message.modseq = results[i].modseq;
	}
	return status;
}

static enum store_status
work_copy(struct store *store, struct session_job *job)
{
	struct copy *copy = CONTAINER_OF(job, struct copy, job);
	enum store_status status = find_target(store, copy);

	if (status == STORE_OK)
		status = door_check(store, &copy->source, copy->from_id);
	if (status == STORE_OK && !copy->is_by_uid)
		status = drop_missing(store, copy);
	if (status != STORE_OK || is_refused(copy))
		return status;
	if (copy->is_move)
		status = store_move(store, copy->from_id, copy->to_id, copy->uids, copy->count, copy->copies,
		    &copy->copied, &copy->modseq);
	else
		status = store_copy(store, copy->from_id, copy->to_id, copy->uids, copy->count, copy->copies,
		    &copy->copied);
	if (status == STORE_OK)
		status = restrict_flags(store, copy);
	if (status == STORE_OK)
		status = load_news(store, copy);
	return status;
}

static void
apply(struct session *session, struct copy *copy)
{
	struct store_message *messages = arena_alloc_array(copy->arena, copy->copied + 1, sizeof messages[0]);

	for (size_t i = 0; i < copy->copied; i++) {
		messages[i] = copy->copies[i].message;
		copy->uids[i] = copy->copies[i].source_uid;
	}
	state_keywords_changed(copy->door.account, copy->to_id, &copy->news);
	if (copy->copied > 0)
		notify_note_own(session, copy->door.account, copy->to_id, messages[0].uid, messages[copy->copied - 1].uid);
	state_appended(copy->door.account, copy->to_id, messages, copy->copied);
	if (copy->is_move)
		state_expunged(copy->job.job.account, copy->from_id, copy->uids, copy->copied, copy->modseq);
}

static void
write_code(const struct copy *copy, struct buffer *code)
{
	struct imap_set_writer from = { .out = code }, to = { .out = code };

	buffer_printf(code, "COPYUID %u ", copy->uidvalidity);
	for (size_t i = 0; i < copy->copied; i++)
		imap_set_writer_add(&from, copy->copies[i].source_uid);
	imap_set_writer_end(&from);
	buffer_add_octet(code, ' ');
	for (size_t i = 0; i < copy->copied; i++)
		imap_set_writer_add(&to, copy->copies[i].message.uid);
	imap_set_writer_end(&to);
}

/* MOVE tells COPYUID before the EXPUNGEs, which session_finish() writes. */
static void
finish(struct session *session, const struct copy *copy)
{
	struct buffer code = { 0 };

	if (!session_can(session, IMAP_CAN_UIDPLUS)) {
		session_finish(session, REPLY_DONE);
		return;
	}
	write_code(copy, &code);
	if (copy->is_move) {
		imap_write_condition(session_out(session), SPAN("*"), IMAP_OK, buffer_span(&code),
		    SPAN("moved"));
		session_finish(session, REPLY_DONE);
	} else {
		session_finish_with(session, REPLY_DONE, buffer_span(&code));
	}
	buffer_free(&code);
}

static void
end_with(struct session *session, const struct copy *copy)
{
	session_stop_at_limit(session, copy->lowest_uid);
	if (copy->copied == 0)
		session_finish(session, REPLY_DONE);
	else
		finish(session, copy);
}

static void
on_marked(struct session *session, struct marking *marking, enum store_status status)
{
	(void)status;			/* the copies are there */
	end_with(session, CONTAINER_OF(marking, struct copy, marking));
}

/* The copies that the user has seen in the source; by rising UIDs. */
static uint32_t *
seen_copies(const struct session *session, const struct copy *copy, size_t *count_out)
{
	uint32_t *uids = arena_alloc_array(copy->arena, copy->copied + 1, sizeof *uids);
	size_t count = 0;

	for (size_t i = 0; i < copy->copied; i++) {
		const struct store_message *message = state_message(session->view->state, copy->copies[i].source_uid);

		if (message != NULL && (message->flags & STORE_FLAG_SEEN) != 0)
			uids[count++] = copy->copies[i].message.uid;
	}
	*count_out = count;
	return uids;
}

static void
apply_and_end(struct session *session, struct copy *copy)
{
	uint32_t *seen = NULL;
	size_t count = 0;

	if (copy->door.viewer != NULL && (copy->door.granted & IMAP_RIGHT_SEEN) != 0)
		seen = seen_copies(session, copy, &count);
	apply(session, copy);
	if (count > 0)
		marking_begin(session, &copy->marking, copy->door.account, copy->to_id, seen, count, on_marked);
	else
		end_with(session, copy);
}

static void
on_copied(struct session *session, struct session_job *job, enum store_status status)
{
	struct copy *copy = CONTAINER_OF(job, struct copy, job);

	if (status != STORE_OK) {
		session_finish(session, status == STORE_NOT_FOUND ? REPLY_TRYCREATE : reply_for(status));
		return;
	}
	if (is_refused(copy)) {
		session_finish(session, REPLY_SOME_GONE);
		return;
	}
	apply_and_end(session, copy);
}

static void
collect(struct copy *copy, struct view_set *set)
{
	struct view_message message;

	copy->uids = arena_alloc_array(copy->arena, view_set_bound(set) + 1, sizeof copy->uids[0]);
	if (copy->is_across)
		copy->messages = arena_alloc_array(copy->arena, view_set_bound(set) + 1, sizeof copy->messages[0]);
	while (view_set_next(set, &message)) {
		if (message.is_ghost)
			copy->has_gone = true;
		else {
			if (copy->is_across)
				copy->messages[copy->count] = message.message;
			copy->uids[copy->count++] = message.message.uid;
		}
	}
	copy->copies = arena_alloc_array(copy->arena, copy->count + 1, sizeof copy->copies[0]);
}

static void
on_across(struct session *session, struct across *across, enum reply reply)
{
	struct copy *copy = CONTAINER_OF(across, struct copy, across);

	if (reply != REPLY_DONE) {
		session_finish(session, reply);
		return;
	}
	copy->copies = across->copies;
	copy->copied = across->copied;
	copy->uidvalidity = across->uidvalidity;
	end_with(session, copy);
}

/* What is gone, and the client does not know of, is left out: the file of the source is not asked before. */
static void
begin_across(struct session *session, struct copy *copy)
{
	if (is_refused(copy)) {
		session_finish(session, REPLY_SOME_GONE);
		return;
	}
	copy->across = (struct across){ .arena = copy->arena, .target = &copy->door, .source = copy->source,
		.from_id = copy->from_id, .messages = copy->messages, .count = copy->count, .is_move = copy->is_move,
		.done = on_across };
	across_begin(session, &copy->across);
}

void
cmd_copy(struct session *session)
{
	struct copy *copy = ARENA_NEW(session->line->arena, struct copy);
	const struct state *state;
	struct view_set set;

	copy->is_move = session->line->verb == IMAP_MOVE;
	if (copy->is_move && session->view->is_read_only) {
		session_finish(session, REPLY_READ_ONLY);
		return;
	}
	if (copy->is_move && (session->view->rights & MOVE_RIGHTS) != MOVE_RIGHTS) {
		session_finish(session, REPLY_DENIED);
		return;
	}
	copy->arena = session->line->arena;
	authorize_selected(session, copy->is_move ? MOVE_RIGHTS : IMAP_RIGHT_READ, &copy->source);
	authorize(session, copy->arena, session->line->copy.mailbox, IMAP_RIGHT_INSERT, &copy->door);
	copy->is_across = copy->door.account != copy->source.account;
	copy->from_id = session->view->state->mailbox_id;
	if (!session_set_init(session, &set, &session->line->copy.set))
		return;
	copy->is_by_uid = set.is_uid;
	copy->lowest_uid = view_set_limit(&set, copy->is_move ? session_message_limit(session) :
	    session_save_limit(session));
	if (!copy->is_move && copy->lowest_uid != 0) {	/* RFC 9738 section 3.1: all of them or none */
		session_finish_beyond_limit(session, copy->lowest_uid);
		return;
	}
	state = door_state(&copy->door);
	copy->known_keywords = state == NULL ? 0 : state_known_keywords(state->account, state->mailbox_id);
	collect(copy, &set);
	if (copy->is_across) {
		begin_across(session, copy);
		return;
	}
	copy->job.work = work_copy;
	copy->job.done = on_copied;
	session_submit_to(session, &copy->job, session->view->state->account, ACCOUNT_DURABLE);
}
