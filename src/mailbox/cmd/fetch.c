/*
 * FETCH and UID FETCH: RFC 9051 sections 6.4.5 and 6.4.9, RFC 3501 section 6.4.5, RFC 7162 sections 3.1.4 and 3.2.6,
 * RFC 9394 section 3.3, RFC 9738.
 *
 * What the packed state knows is written here, a slice a turn.  Anything else is rendered by workers: a
 * batch of messages is noted down and rendered in pieces of SESSION_BATCH_OCTETS.  While one leaves the next is
 * rendered; the one behind that waits until there is room.  Between two pieces nothing is held open in the store.
 * Loop thread.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "commands.h"
#include "fetch.h"

#define SLICE_OCTETS  (64 * 1024)	/* written in one turn */
#define SLICE_LINES   1000
#define JOB_US	      15000		/* a job ends after about this long */

/* Of a FETCH that begins behind others. */
#define FOLLOWER_MESSAGES 16
#define FOLLOWER_LINE	  512		/* octets of an item beside those of the message */

static void next_batch(struct session *session, struct fetch *fetch);

/*
 * Those that are there were told; who asked for nothing else gets no data, and is told so: RFC 2180 section 4.1.3.
 */
static enum reply
reply_for_gone(const struct fetch *fetch)
{
	size_t gone = fetch->render.gone;

	if (!fetch->has_ghosts && gone == 0)
		return REPLY_DONE;
	return fetch->found == gone ? REPLY_SOME_GONE : REPLY_EXPUNGE_ISSUED;
}

static void
forget(struct fetch *fetch)
{
	if (fetch->is_reading)
		account_end_reading(fetch->account);
	fetch_render_fini(&fetch->render);
	keywords_release(&fetch->keywords);
	buffer_free(&fetch->out);
	free(fetch->uids);
	free(fetch->results);
}

static void
finish(struct session *session, struct fetch *fetch, enum reply reply)
{
	if (reply == REPLY_DONE && fetch->render.has_unknown_cte)
		reply = REPLY_UNKNOWN_CTE;
	else if (reply == REPLY_DONE && !fetch->set.is_uid)
		reply = reply_for_gone(fetch);
	session_stop_at_limit(session, fetch->lowest_uid);
	forget(fetch);
	session->running = NULL;
	session_finish(session, reply);
}

static void
write_entry(const struct fetch *fetch, const struct fetch_entry *entry, struct buffer *out)
{
	const struct imap_fetch *program = fetch->program;

	fetch_line_begin(&fetch->render.style, entry, out);
	for (size_t i = 0; i < program->item_count; i++) {
		fetch_line_space(&fetch->render.style, i, out);
		fetch_line_item(&fetch->render.style, entry, program->items[i].kind, out);
	}
	fetch_line_end(&fetch->render.style, program, entry, out);
}

/* Whether the client has gone, or the command has cost too much: then it has ended.  A line is told up to an item's end. */
static bool
is_stopped(struct session *session, struct fetch *fetch)
{
	enum reply reply = session_reason_to_stop(session);

	if (reply == REPLY_CPU_LIMIT && fetch->render.is_begun) {
		fetch->render.is_cutting_off = true;
		return false;
	}
	if (reply == REPLY_DONE)
		return false;
	if (fetch->render.is_begun)		/* as when storage fails: what follows would be a part of the line */
		session_close(session, METRIC_LIMIT);
	fetch->lowest_uid = 0;		/* the messages down to it were not dealt with */
	finish(session, fetch, reply);
	return true;
}

/* One slice of lines from the state alone. */
static void
write_slice(struct session *session)
{
	struct fetch *fetch = session->running;
	struct buffer *out = session_out(session);
	size_t before = out->length;
	struct fetch_entry entry;

	if (is_stopped(session, fetch))
		return;
	fetch_update_style(session, fetch);
	for (unsigned lines = 0; lines < SLICE_LINES && out->length - before < SLICE_OCTETS; lines++) {
		if (!fetch_next_entry(fetch, &entry))
			break;
		write_entry(fetch, &entry, out);
	}
	if (fetch->is_at_end) {
		finish(session, fetch, REPLY_DONE);
		return;
	}
	session_flush(session);
	session_when_room(session, write_slice);
}

/* Worker: a piece of the batch. */
static enum store_status
work_render(struct store *store, struct session_job *job)
{
	struct fetch *fetch = CONTAINER_OF(job, struct fetch, render_job);

	return fetch_render(&fetch->render, store, SESSION_BATCH_OCTETS, clock_monotonic_us() + JOB_US, &fetch->out);
}

/* With what is kept of the mailbox, unless that is lost.  The store may fail before work_render() is called. */
static void
submit_piece(struct session *session, struct fetch *fetch)
{
	fetch_render_begin_piece(&fetch->render);
	fetch->render.kept_added = 0;
	if (session->view != NULL)
		fetch->render.kept = fetch_kept_hold(fetch->account, session->view->state);
	session_submit_to(session, &fetch->render_job, fetch->account, ACCOUNT_READ);
}

static void
ask_for_piece(struct session *session)
{
	struct fetch *fetch = session->running;

	if (is_stopped(session, fetch))
		return;
	fetch_write_kept(session, fetch);
	if (fetch_render_is_done(&fetch->render))
		next_batch(session, fetch);
	else if (session_has_room_ahead(session))
		submit_piece(session, fetch);
	else
		session_when_room(session, ask_for_piece);
}

/* A piece is home, and it is its command's turn. */
static void
answer(struct session *session, struct session_follower *follower)
{
	struct fetch *fetch = CONTAINER_OF(follower, struct fetch, follower);
	enum store_status status = fetch->status;

	session->running = fetch;
	if (status != STORE_OK)
		fetch_notes_clear(&fetch->render.notes);
	if (status != STORE_OK && !fetch_render_take_back(&fetch->render, &fetch->out)) {
		/* A line that cannot be completed: the client must not take what follows for a part of it. */
		session_close(session, METRIC_STORAGE_FAILED);
		finish(session, fetch, reply_for(status));
		return;
	}
	if (fetch->out.length > 0)
		fetch_write_piece(session, fetch);
	if (status != STORE_OK)
		finish(session, fetch, reply_for(status));
	else if (fetch_render_is_done(&fetch->render) && fetch->is_at_end && !fetch->render.is_cutting_off)
		finish(session, fetch, REPLY_DONE);
	else if (session_has_room_ahead(session))
		ask_for_piece(session);
	else
		session_when_room(session, ask_for_piece);
}

static void
on_rendered(struct session *session, struct session_job *job, enum store_status status)
{
	struct fetch *fetch = CONTAINER_OF(job, struct fetch, render_job);

	fetch_kept_release(&fetch->render.kept, fetch->render.kept_added);
	fetch->status = status;
	fetch->follower.is_home = true;
	if (session->line == fetch->follower.line)
		answer(session, &fetch->follower);
}

/* Worker: set \Seen before the lines are rendered, so that they can tell of it. */
static enum store_status
work_seen(struct store *store, struct session_job *job)
{
	struct fetch *fetch = CONTAINER_OF(job, struct fetch, flags_job);
	const struct store_flag_change change = { .operation = STORE_FLAGS_ADD, .flags = STORE_FLAG_SEEN,
		.unchanged_since = UINT64_MAX };

	enum store_status status = door_check(store, &fetch->door, fetch->mailbox_id);

	return status != STORE_OK ? status :
	    store_change_flags(store, fetch->mailbox_id, fetch->uids, fetch->unseen_count, &change, fetch->results, NULL);
}

static int
compare_result(const void *key, const void *member)
{
	uint32_t uid = *(const uint32_t *)key, other = ((const struct store_flag_result *)member)->uid;

	return uid < other ? -1 : uid > other;
}

/* Take the new flags into the lines; the results rise by UID. */
static void
apply_seen(struct fetch *fetch)
{
	for (size_t i = 0; i < fetch->render.entry_count; i++) {
		struct fetch_entry *entry = &fetch->render.entries[i];
		const struct store_flag_result *result = bsearch(&entry->message.uid, fetch->results,
		    fetch->unseen_count, sizeof *result, compare_result);

		if (result == NULL || result->outcome == STORE_FLAGS_MISSING)
			continue;
		entry->message.flags = result->flags;
		entry->message.modseq = result->modseq;
		entry->adds_flags = true;
	}
}

/* When the flags could not be set the messages are told all the same. */
static void
go_on_seen(struct session *session, struct fetch *fetch, enum store_status status)
{
	if (status == STORE_OK)
		apply_seen(fetch);
	if (session->view != NULL)
		fetch_update_style(session, fetch);
	ask_for_piece(session);
}

static void
on_seen(struct session *session, struct session_job *job, enum store_status status)
{
	struct fetch *fetch = CONTAINER_OF(job, struct fetch, flags_job);

	if (status == STORE_OK)
		view_flags_changed(session->view, fetch->account, fetch->mailbox_id, fetch->results,
		    fetch->unseen_count);
	go_on_seen(session, fetch, status);
}

static enum store_status
check_marking(struct store *store, struct marking *marking)
{
	struct fetch *fetch = CONTAINER_OF(marking, struct fetch, marking);

	return door_check(store, &fetch->door, fetch->mailbox_id);
}

/* What the state has now is the result. */
static void
on_marked(struct session *session, struct marking *marking, enum store_status status)
{
	struct fetch *fetch = CONTAINER_OF(marking, struct fetch, marking);

	for (size_t i = 0; i < fetch->unseen_count; i++) {
		struct store_flag_result *result = &fetch->results[i];
		const struct store_message *message = state_message(session->view->state, result->uid);

		if (message != NULL)
			*result = (struct store_flag_result){ result->uid, STORE_FLAGS_CHANGED, message->flags, message->modseq };
	}
	go_on_seen(session, fetch, status);
}

static void
set_seen(struct session *session, struct fetch *fetch)
{
	if (session->view->state->overlay == NULL) {
		session_submit_to(session, &fetch->flags_job, fetch->account, ACCOUNT_LAZY);
		return;
	}
	for (size_t i = 0; i < fetch->unseen_count; i++)
		fetch->results[i] = (struct store_flag_result){ .uid = fetch->uids[i], .outcome = STORE_FLAGS_MISSING };
	fetch->marking.check = check_marking;
	marking_begin(session, &fetch->marking, fetch->account, fetch->mailbox_id, fetch->uids, fetch->unseen_count,
	    on_marked);
}

static void
go_on_collecting(struct session *session)
{
	next_batch(session, session->running);
}

static void
next_batch(struct session *session, struct fetch *fetch)
{
	if (is_stopped(session, fetch))
		return;
	fetch_collect(session, fetch);
	if (fetch->render.entry_count == 0 && fetch->is_at_end)
		finish(session, fetch, REPLY_DONE);
	else if (fetch->render.entry_count == 0)
		session_when_room(session, go_on_collecting);
	else if (fetch->unseen_count > 0)
		set_seen(session, fetch);
	else
		ask_for_piece(session);
}

static bool
needs_store(const struct imap_fetch *program)
{
	for (size_t i = 0; i < program->item_count; i++)
		if (!fetch_line_has(program->items[i].kind))
			return true;
	return false;
}

static struct fetch *
new_fetch(struct session *session, struct imap_command_line *line)
{
	const struct imap_fetch *program = &line->fetch;
	struct fetch *fetch = ARENA_NEW(line->arena, struct fetch);

	fetch->program = program;
	fetch->account = session->view->state->account;
	authorize_selected(session, IMAP_RIGHT_SEEN, &fetch->door);
	fetch->mailbox_id = session->view->state->mailbox_id;
	fetch_render_init(&fetch->render, program, fetch->mailbox_id);
	fetch->may_be_kept = fetch_may_be_kept(program);
	fetch->render.style.is_rev2 = session->is_rev2;
	fetch->render.style.is_utf8 = session_is_utf8(session);
	fetch->render.style.has_recent = session_has_recent(session);
	fetch->render.style.has_condstore = session->has_condstore;
	fetch->render.style.is_uid_only = session->is_uid_only;
	fetch->render.style.adds_uid = line->is_uid && !session->is_uid_only &&
	    !imap_fetch_has(program, IMAP_FETCH_UID);
	fetch->render.style.adds_modseq = program->has_changed_since && !imap_fetch_has(program, IMAP_FETCH_MODSEQ);
	fetch->render_job.work = work_render;
	fetch->render_job.done = on_rendered;
	fetch->follower.line = line;
	fetch->follower.answer = answer;
	fetch->flags_job.work = work_seen;
	fetch->flags_job.done = on_seen;
	fetch->changes = (struct view_changes){ .set = &fetch->set, .since = program->changed_since };
	return fetch;
}

/*
 * RFC 9738 section 3.1: of more messages than may be dealt with the last ones, in falling order.  A range of PARTIAL does
 * not have more.
 */
static void
limit_messages(struct session *session, struct fetch *fetch)
{
	fetch->limit = session_message_limit(session);
	if (fetch->limit == 0 || fetch->program->has_range)
		return;
	if (fetch->program->has_changed_since)
		fetch->is_falling = view_count(session->view) > fetch->limit;
	else
		fetch->lowest_uid = view_set_limit(&fetch->set, fetch->limit);
	fetch->is_falling |= fetch->lowest_uid != 0;
}

/* Whether what it tells depends on nothing that others may change while it waits for its turn. */
static bool
is_followable(const struct imap_fetch *program)
{
	for (size_t i = 0; i < program->item_count; i++)
		switch (program->items[i].kind) {
		case IMAP_FETCH_FLAGS:
		case IMAP_FETCH_MODSEQ:
		case IMAP_FETCH_SAVEDATE:
			return false;
		default:
			break;
		}
	return !program->sets_seen && !program->has_changed_since && !program->has_range;
}

static void
begin(struct session *session, struct fetch *fetch)
{
	session->running = fetch;
	limit_messages(session, fetch);
	if (fetch->program->has_changed_since && !fetch->set.is_uid)
		fetch_look_for_gone(fetch);
	if (!needs_store(fetch->program)) {
		write_slice(session);
		return;
	}
	account_begin_reading(fetch->account);
	fetch->is_reading = true;
	if (is_followable(fetch->program) && !session->is_unasked)
		session_lead(session);
	next_batch(session, fetch);
}

static void
on_vanished_written(struct session *session, struct earlier *earlier)
{
	begin(session, CONTAINER_OF(earlier, struct fetch, earlier));
}

static void
on_vanished_read(struct session *session, struct earlier *earlier, enum store_status status)
{
	struct fetch *fetch = CONTAINER_OF(earlier, struct fetch, earlier);

	if (status != STORE_OK) {
		finish(session, fetch, reply_for(status));
		return;
	}
	earlier_choose(session, earlier, &fetch->vanishing, 0);
	earlier_write(session, earlier);
}

/*
 * The set as it asks for what has gone.  "*" stands for the last UID that was ever given: that may lie behind all
 * that is there.
 */
static struct imap_sequence
vanishing_set(const struct session *session)
{
	const struct imap_sequence *set = &session->line->fetch.set;
	struct imap_sequence copy = set->is_saved ? session->saved : *set;
	struct imap_range *ranges = arena_alloc_array(session->line->arena, copy.count + 1, sizeof *ranges);

	if (copy.count > 0)
		memcpy(ranges, copy.ranges, copy.count * sizeof *ranges);
	copy.ranges = ranges;
	imap_sequence_resolve(&copy, session->view->state->uidnext - 1);
	return copy;
}

static void
begin_with_vanished(struct session *session, struct fetch *fetch)
{
	fetch->earlier.since = fetch->program->changed_since;
	fetch->earlier.on_read = on_vanished_read;
	fetch->earlier.on_written = on_vanished_written;
	earlier_read(session, &fetch->earlier, session->view->state);
}

/* RFC 9738 section 3.1: it is the range that counts, not what it has. */
static bool
is_range_too_long(const struct session *session)
{
	const struct imap_fetch *program = &session->line->fetch;
	uint32_t limit = session_message_limit(session);

	return program->has_range && limit > 0 && imap_partial_size(&program->range) > limit;
}

void
cmd_fetch(struct session *session)
{
	struct imap_fetch *program = &session->line->fetch;
	struct imap_sequence vanishing = { .count = 0 };
	struct view_set set;
	struct fetch *fetch;

	if (program->wants_vanished && !session->has_qresync) {
		session_finish(session, REPLY_BAD_QRESYNC);	/* RFC 7162 section 3.2.6 */
		return;
	}
	if (program->wants_vanished)
		vanishing = vanishing_set(session);
	if (!session_set_init(session, &set, &program->set))
		return;
	if (is_range_too_long(session)) {
		session_finish_beyond_limit(session, 0);
		return;
	}
	if (program->has_changed_since || imap_fetch_has(program, IMAP_FETCH_MODSEQ))
		session_begin_condstore(session);
	fetch = new_fetch(session, session->line);
	fetch->set = set;
	if (program->has_range)
		view_set_choose(&fetch->set, &program->range, session->line->arena, &fetch->chosen);
	fetch->vanishing = vanishing;
	if (program->wants_vanished)
		begin_with_vanished(session, fetch);
	else
		begin(session, fetch);
}

/* About how long the reply is to a FETCH of the messages that were collected. */
static size_t
reply_octets(const struct fetch *fetch)
{
	uint64_t octets = 0;

	for (size_t i = 0; i < fetch->render.entry_count; i++)
		octets += fetch->render.entries[i].message.size + FOLLOWER_LINE;
	octets *= fetch->program->item_count;
	return octets < SIZE_MAX ? (size_t)octets : SIZE_MAX;
}

/* Short replies alone, which are there as a whole when their turn comes. */
bool
fetch_follow(struct session *session, struct imap_command_line *line)
{
	struct fetch *fetch;
	struct view_set set;

	if (!is_followable(&line->fetch) || !needs_store(&line->fetch) || session_message_limit(session) != 0 ||
	    !session_set_init_behind(session, &set, line, &line->fetch.set, FOLLOWER_MESSAGES))
		return false;
	fetch = new_fetch(session, line);
	fetch->set = set;
	fetch_collect(session, fetch);
	fetch->follower.octets = reply_octets(fetch);
	if (fetch->render.entry_count == 0 || !session_may_follow(session, fetch->follower.octets)) {
		forget(fetch);
		return false;
	}
	account_begin_reading(fetch->account);
	fetch->is_reading = true;
	session_follow(session, &fetch->follower);
	fetch->follower.is_home = fetch_is_kept(session, fetch);
	if (!fetch->follower.is_home)
		submit_piece(session, fetch);
	return true;
}
