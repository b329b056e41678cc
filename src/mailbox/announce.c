/*
 * What a client is told of changes it did not make: RFC 9051 sections 5.2 and 7.5, RFC 3501 section 7.3.
 * Numbers of EXPUNGE count as those before them are gone already.  Loop thread.
 */
#include <string.h>

#include "imap/flags.h"
#include "imap/writer.h"
#include "view.h"

void
view_write_flag_lines(struct view *view, struct buffer *out)
{
	const struct state *state = view->state;

	buffer_add_string(out, "* FLAGS ");
	state_write_flags(state, out, UINT64_MAX >> 1, false);
	buffer_add_string(out, "\r\n* OK [PERMANENTFLAGS ");
	if (view->is_read_only) {
		buffer_add_string(out, "()");
	} else {
		state_write_flags(state, out, UINT64_MAX >> 1, false);
		if (state->keyword_count < COUNT_OF(state->keywords)) {
			out->length--;	/* the parenthesis: new keywords may be made */
			buffer_add_string(out, " \\*)");
		}
	}
	buffer_add_string(out, "] what is kept\r\n");
	view->told_keywords = state->keyword_count;
}

static void
announce_expunges(struct view *view, struct buffer *out)
{
	for (size_t i = 0; i < view->ghost_count; i++) {
		size_t number = state_lower_bound(view->state, view->ghosts[i]) + 1;

		imap_write_number_line(out, (uint32_t)number, "EXPUNGE");
	}
	view->told_exists -= (uint32_t)view->ghost_count;
	view->ghost_count = 0;
}

static void
announce_flags(struct view *view, struct buffer *out, bool wants_uid, bool has_recent)
{
	const struct state *state = view->state;

	for (size_t i = 0; i < state->count && state->messages[i].uid < view->limit_uid; i++) {
		const struct store_message *message = &state->messages[i];

		if (message->modseq <= view->told_modseq)
			continue;
		imap_write_fetch_flags(out, view_number(view, message->uid), wants_uid ? message->uid : 0,
		    message->flags, state->keywords, state->keyword_count,
		    has_recent && view_is_recent(view, message->uid), 0);
	}
}

static void
announce_new(struct view *view, struct buffer *out, bool has_recent)
{
	uint32_t count;

	view_raise_limit(view);
	count = view_count(view);
	if (count == view->told_exists)
		return;
	imap_write_number_line(out, count, "EXISTS");
	if (has_recent)
		imap_write_number_line(out, view_recent_count(view), "RECENT");
	view->told_exists = count;
}

void
view_announce(struct view *view, struct buffer *out, bool may_expunge, bool wants_uid, bool has_recent)
{
	const struct state *state = view->state;

	if (state->phase != STATE_READY)
		return;
	if (view->told_keywords < state->keyword_count)
		view_write_flag_lines(view, out);
	if (may_expunge && view->ghost_count > 0)
		announce_expunges(view, out);
	if (state->flags_modseq > view->told_modseq)
		announce_flags(view, out, wants_uid, has_recent);
	view->told_modseq = state->highest_modseq;
	if (state->uidnext > view->limit_uid)
		announce_new(view, out, has_recent);
}

bool
view_has_news(const struct view *view, bool may_expunge)
{
	const struct state *state = view->state;

	return view->told_keywords < state->keyword_count || (may_expunge && view->ghost_count > 0) ||
	    state->flags_modseq > view->told_modseq || state->uidnext > view->limit_uid;
}
