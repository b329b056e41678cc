/*
 * What a client is told of changes it did not make: RFC 9051 sections 5.2 and 7.5, RFC 3501 section 7.3.
 * Numbers of EXPUNGE count as those before them are gone already.  Loop thread.
 */
#include <string.h>

#include "imap/flags.h"
#include "imap/writer.h"
#include "view.h"

#define VANISHED_OCTETS 1000	/* of one line, about */

/* RFC 4314 section 5.1.1: those that the rights let change. */
static void
write_permanent_flags(const struct view *view, struct buffer *out)
{
	const struct imap_keywords *keywords = &view->state->keywords->all;

	if (view->is_read_only) {
		buffer_add_string(out, "()");
	} else if ((view->rights & IMAP_RIGHT_WRITE) == 0) {
		imap_flags_write(out, view_flags_of(view->rights), NULL, false);
	} else {
		imap_flags_write_permitted(out, view_flags_of(view->rights), keywords);
		if (keywords->count < STORE_KEYWORDS_MAX) {
			out->length--;	/* the parenthesis: new keywords may be made */
			buffer_add_string(out, " \\*)");
		}
	}
}

void
view_write_flag_lines(struct view *view, struct buffer *out)
{
	const struct state *state = view->state;

	buffer_add_string(out, "* FLAGS ");
	imap_flags_write_all(out, &state->keywords->all);
	buffer_add_string(out, "\r\n* OK [PERMANENTFLAGS ");
	write_permanent_flags(view, out);
	buffer_add_string(out, "] what is kept\r\n");
	view->told_keywords = state->keywords->all.count;
	view->owes_flags = false;
}

static bool
is_full(const struct buffer *out, const struct view_manner *manner)
{
	return out->length >= manner->octets_max;
}

/* How many of the ghosts were told. */
static size_t
write_expunges(const struct view *view, struct buffer *out, const struct view_manner *manner)
{
	size_t told;

	for (told = 0; told < view->ghost_count && !is_full(out, manner); told++) {
		size_t number = state_lower_bound(view->state, view->ghosts[told]) + 1;

		imap_write_number_line(out, (uint32_t)number, "EXPUNGE");
	}
	return told;
}

/* RFC 7162 section 3.2.10.2; lines that clients with bounded buffers can read. */
static size_t
write_vanished(const struct view *view, struct buffer *out, const struct view_manner *manner)
{
	size_t told = 0;

	while (told < view->ghost_count && !is_full(out, manner)) {
		struct imap_set_writer set = { .out = out };
		size_t begin = out->length;

		buffer_add_string(out, "* VANISHED ");
		while (told < view->ghost_count && out->length - begin < VANISHED_OCTETS)
			imap_set_writer_add(&set, view->ghosts[told++]);
		imap_set_writer_end(&set);
		buffer_add_string(out, "\r\n");
	}
	return told;
}

static bool
announce_expunges(struct view *view, struct buffer *out, const struct view_manner *manner)
{
	size_t told;

	if (view->ghost_count == 0)
		return true;
	told = manner->has_vanished ? write_vanished(view, out, manner) : write_expunges(view, out, manner);
	if (told == 0)
		return view->ghost_count == 0;
	view->owes_modseq = true;
	view->told_exists -= (uint32_t)told;
	view->ghost_count -= told;
	memmove(view->ghosts, view->ghosts + told, view->ghost_count * sizeof view->ghosts[0]);
	return view->ghost_count == 0;
}

/* A round tells the changes up to the modseq at its begin; what changes meanwhile is for the next one. */
static bool
announce_round(struct view *view, struct buffer *out, const struct view_manner *manner)
{
	const struct state *state = view->state;

	if (view->round_modseq == 0) {
		view->round_modseq = state->highest_modseq;
		view->round_uid = 0;
	}
	for (size_t i = state_lower_bound(state, view->round_uid);
	    (i = state_changed_from(state, i, view->told_modseq)) < state->count && state->messages[i].uid < view->limit_uid; i++) {
		const struct store_message *message = &state->messages[i];

		if (message->modseq <= view->told_modseq)
			continue;
		if (is_full(out, manner)) {
			view->round_uid = message->uid;
			return false;
		}
		imap_write_fetch_flags(out, manner->is_uid_only ? 0 : view_number(view, message->uid),
		    manner->wants_uid || manner->is_uid_only ? message->uid : 0,
		    message->flags, &state->keywords->all,
		    manner->has_recent && view_is_recent(view, message->uid), manner->has_modseq ? message->modseq : 0);
	}
	view->told_modseq = view->round_modseq;
	view->round_modseq = 0;
	return true;
}

static bool
announce_flags(struct view *view, struct buffer *out, const struct view_manner *manner)
{
	while (view->state->flags_modseq > view->told_modseq)
		if (!announce_round(view, out, manner))
			return false;
	view_forget_known(view);
	return true;
}

void
view_write_recent(struct view *view, struct buffer *out)
{
	view->told_recent = view_recent_count(view);
	imap_write_number_line(out, view->told_recent, "RECENT");
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
		view_write_recent(view, out);
	view->told_exists = count;
	view->owes_modseq = true;
}

bool
view_announce(struct view *view, struct buffer *out, const struct view_manner *manner)
{
	const struct state *state = view->state;

	if (state->phase != STATE_READY)
		return true;
	if (view->owes_flags || view->told_keywords < state->keywords->all.count)
		view_write_flag_lines(view, out);
	if (manner->may_expunge && !manner->keeps_messages && !announce_expunges(view, out, manner))
		return false;
	if (!manner->keeps_flags) {
		if (!announce_flags(view, out, manner))
			return false;
		view->told_modseq = state->highest_modseq;
	}
	if (state->uidnext > view->limit_uid && !manner->keeps_messages)
		announce_new(view, out, manner->has_recent);
	/* RFC 3501 section 6.4.3, as corrected: EXPUNGE of recent ones is followed by what is left of them. */
	if (manner->has_recent && !manner->keeps_messages && view_recent_count(view) != view->told_recent)
		view_write_recent(view, out);
	return true;
}

bool
view_has_news(const struct view *view, bool may_expunge)
{
	const struct state *state = view->state;

	return view->owes_flags || view->told_keywords < state->keywords->all.count || (may_expunge && view->ghost_count > 0) ||
	    state->flags_modseq > view->told_modseq || state->uidnext > view->limit_uid;
}

uint64_t
view_told_modseq(const struct view *view)
{
	if (!view_has_news(view, true))
		return view->state->highest_modseq;
	if (view->ghost_count > 0 && view->ghost_modseq <= view->told_modseq)
		return view->ghost_modseq - 1;
	return view->told_modseq;
}
