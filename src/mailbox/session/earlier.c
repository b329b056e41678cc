/*
 * Choosing by sets of UIDs: what has gone, within what was asked for, without what the client knows.  Loop thread.
 */
#include "earlier.h"

#define LINE_RANGES  100		/* of one line: some 1,000 octets */
#define SLICE_OCTETS (64 * 1024)	/* written in one turn */

static enum store_status
work_read(struct store *store, struct session_job *job)
{
	struct earlier *earlier = CONTAINER_OF(job, struct earlier, job);

	return store_expunged_since(store, earlier->mailbox_id, earlier->since, earlier->arena, &earlier->history);
}

static void
on_read(struct session *session, struct session_job *job, enum store_status status)
{
	struct earlier *earlier = CONTAINER_OF(job, struct earlier, job);

	earlier->on_read(session, earlier, status);
}

void
earlier_read(struct session *session, struct earlier *earlier, const struct state *state)
{
	earlier->arena = session->line->arena;
	earlier->mailbox_id = state->mailbox_id;
	earlier->history = (struct store_history){ .is_whole = true };
	if (earlier->since >= state->expunged_modseq) {
		earlier->on_read(session, earlier, STORE_OK);
		return;
	}
	earlier->job.work = work_read;
	earlier->job.done = on_read;
	session_submit_to(session, &earlier->job, state->account, ACCOUNT_READ);
}

static struct imap_sequence
set_of_history(struct arena *arena, const struct store_history *history)
{
	struct imap_range *ranges = arena_alloc_array(arena, history->count + 1, sizeof *ranges);

	for (size_t i = 0; i < history->count; i++)
		ranges[i] = (struct imap_range){ history->ranges[i].first, history->ranges[i].last };
	return imap_sequence_of(ranges, history->count);
}

static struct imap_sequence
set_of_messages(struct arena *arena, const struct state *state)
{
	struct imap_sequence set = { .ranges = arena_alloc_array(arena, state->count + 1, sizeof *set.ranges) };

	for (size_t i = 0; i < state->count; i++) {
		uint32_t uid = state->messages[i].uid;

		if (set.count > 0 && set.ranges[set.count - 1].last + 1 == uid)
			set.ranges[set.count - 1].last = uid;
		else
			set.ranges[set.count++] = (struct imap_range){ uid, uid };
	}
	return set;
}

/* Every UID that was ever given and is not there. */
static struct imap_sequence
set_of_missing(struct arena *arena, const struct state *state)
{
	struct imap_range given = { 1, state->uidnext - 1 };
	struct imap_sequence all = { .ranges = &given, .count = state->uidnext > 1 ? 1 : 0 };
	struct imap_sequence there = set_of_messages(arena, state);

	return imap_sequence_without(arena, &all, &there);
}

/* Up to known_uid, and what the view announces later. */
static struct imap_sequence
set_of_untold(struct arena *arena, const struct view *view, uint32_t known_uid)
{
	struct imap_range *ranges = arena_alloc_array(arena, view->ghost_count + 1, sizeof *ranges);
	size_t count = 0;

	if (known_uid > 0)
		ranges[count++] = (struct imap_range){ 1, known_uid };
	for (size_t i = 0; i < view->ghost_count; i++)
		ranges[count++] = (struct imap_range){ view->ghosts[i], view->ghosts[i] };
	return imap_sequence_of(ranges, count);
}

void
earlier_choose(struct session *session, struct earlier *earlier, const struct imap_sequence *within,
    uint32_t known_uid)
{
	struct arena *arena = earlier->arena;
	const struct view *view = session->view;
	struct imap_sequence gone = earlier->history.is_whole ? set_of_history(arena, &earlier->history)
							       : set_of_missing(arena, view->state);
	struct imap_sequence wanted = imap_sequence_common(arena, &gone, within);
	struct imap_sequence untold = set_of_untold(arena, view, known_uid);

	earlier->uids = imap_sequence_without(arena, &wanted, &untold);
}

static void
write_line(struct earlier *earlier, struct buffer *out)
{
	size_t left = earlier->uids.count - earlier->told;
	struct imap_sequence part = { .ranges = earlier->uids.ranges + earlier->told,
		.count = left < LINE_RANGES ? left : LINE_RANGES };

	buffer_add_string(out, "* VANISHED (EARLIER) ");
	imap_sequence_write(out, &part);
	buffer_add_string(out, "\r\n");
	earlier->told += part.count;
}

static void
write_slice(struct session *session)
{
	struct earlier *earlier = session->running;
	struct buffer *out = session_out(session);

	while (earlier->told < earlier->uids.count && out->length < SLICE_OCTETS && !session_is_closing(session))
		write_line(earlier, out);
	if (earlier->told < earlier->uids.count && !session_is_closing(session))
		session_when_room(session, write_slice);
	else
		earlier->on_written(session, earlier);
}

void
earlier_write(struct session *session, struct earlier *earlier)
{
	session->running = earlier;
	write_slice(session);
}
