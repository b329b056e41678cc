/*
 * The messages of a FETCH, one after the other, and a batch of them at a time.  Loop thread.
 */
#include "base/memory.h"
#include "fetch.h"

#define BATCH_ENTRIES	  500
#define BATCH_SEEN_OCTETS (256 * 1024)	/* no more is marked \Seen ahead of being sent */

/* The next message of the set that is there. */
static enum view_step
next_in_set(struct fetch *fetch, struct view_message *message)
{
	while (fetch->is_falling ? view_set_previous(&fetch->set, message) : view_set_next(&fetch->set, message)) {
		if (!message->is_ghost) {
			fetch->found++;
			return VIEW_MESSAGE;
		}
		fetch->has_ghosts = true;
	}
	return VIEW_END;
}

/* The next message of the set that has changed; those that have not are passed over and count for nothing. */
static enum view_step
next_change(struct fetch *fetch, struct view_message *message)
{
	enum view_step step;

	if (!fetch->is_falling)
		return view_changes_next(&fetch->changes, message);
	step = view_changes_previous(&fetch->changes, message);
	if (step != VIEW_MESSAGE)
		return step;
	if (fetch->changes_found == fetch->limit) {
		fetch->lowest_uid = fetch->change_uid;
		return VIEW_END;
	}
	fetch->changes_found++;
	fetch->change_uid = message->message.uid;
	return VIEW_MESSAGE;
}

void
fetch_look_for_gone(struct fetch *fetch)
{
	const struct view *view = fetch->set.view;
	struct view_set set = fetch->set;
	struct view_message message;

	for (size_t i = 0; i < view->ghost_count && !fetch->has_ghosts; i++)
		fetch->has_ghosts = view_set_contains(&set, view_number(view, view->ghosts[i]), view->ghosts[i]);
	while (fetch->has_ghosts && fetch->found == 0 && view_set_next(&set, &message))
		fetch->found = !message.is_ghost;
}

bool
fetch_next_entry(struct fetch *fetch, struct fetch_entry *entry)
{
	struct view_message message;
	enum view_step step = fetch->program->has_changed_since ? next_change(fetch, &message)
								 : next_in_set(fetch, &message);

	if (step == VIEW_MESSAGE)
		*entry = (struct fetch_entry){ .number = message.number, .is_recent = message.is_recent,
			.message = message.message };
	fetch->is_at_end = step == VIEW_END;
	return step == VIEW_MESSAGE;
}

void
fetch_update_style(struct session *session, struct fetch *fetch)
{
	struct keywords *keywords = session->view->state->keywords;

	if (fetch->keywords != keywords) {
		keywords_release(&fetch->keywords);
		fetch->keywords = keywords_hold(keywords);
	}
	fetch->render.style.keywords = keywords->all;
}

static void
note_unseen(struct fetch *fetch, uint32_t uid)
{
	if (fetch->uids == NULL) {
		fetch->uids = memory_new_array(BATCH_ENTRIES, sizeof *fetch->uids);
		fetch->results = memory_new_array(BATCH_ENTRIES, sizeof *fetch->results);
	}
	fetch->uids[fetch->unseen_count++] = uid;
}

/* What is stored is named by rising UIDs, whatever comes first. */
static void
sort_unseen(struct fetch *fetch)
{
	for (size_t i = 0; fetch->is_falling && i < fetch->unseen_count / 2; i++) {
		uint32_t uid = fetch->uids[i];

		fetch->uids[i] = fetch->uids[fetch->unseen_count - 1 - i];
		fetch->uids[fetch->unseen_count - 1 - i] = uid;
	}
}

void
fetch_collect(struct session *session, struct fetch *fetch)
{
	bool sets_seen = fetch->program->sets_seen && !session->view->is_read_only &&
	    (session->view->rights & IMAP_RIGHT_SEEN) != 0;
	uint64_t octets = 0;
	struct fetch_entry entry;

	fetch_render_restart(&fetch->render);
	fetch->unseen_count = 0;
	while (fetch->render.entry_count < BATCH_ENTRIES && !(sets_seen && octets >= BATCH_SEEN_OCTETS) &&
	    fetch_next_entry(fetch, &entry)) {
		fetch_render_add(&fetch->render, &entry);
		octets += entry.message.size;
		if (sets_seen && !(entry.message.flags & STORE_FLAG_SEEN))
			note_unseen(fetch, entry.message.uid);
	}
	sort_unseen(fetch);
	fetch_update_style(session, fetch);
}
