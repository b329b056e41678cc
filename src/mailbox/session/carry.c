/*
 * Which sessions can be carried, and what of them.  What a client cannot see is not: it is found again.  Loop thread.
 */
#include "carry.h"

#include <stdlib.h>

#include "../shared/role.h"
#include "base/log.h"
#include "ground.h"
#include "link/link.h"
#include "net/deflate.h"
#include "net/stream.h"
#include "onlook.h"
#include "pipeline.h"
#include "protocol.h"

#define FACTS_OCTETS 64		/* of the names of facts about DEFLATE */

/* Nothing of a command has come, or nothing behind IDLE. */
static bool
is_between_commands(const struct session *session)
{
	bool is_idle = session->is_idling && session->phase == SESSION_LISTENING && imap_parser_cancel_line(session->parser);

	if (session->phase != SESSION_READY && !is_idle)
		return false;
	return session->jobs == 0 && session->on_room == NULL && session->incoming == NULL && list_is_empty(&session->whole) &&
	    !pipeline_is_holding(session) && imap_parser_is_idle(session->parser);
}

/* Mailboxes of others are not where the user goes. */
static bool
can_carry_view(const struct view *view)
{
	return view == NULL || (view->who == NULL && view->state->phase == STATE_READY && view->state->overlay == NULL);
}

static bool
can_be_carried(const struct session *session)
{
	return session->may_carry && session->return_word != NULL && session->stream != NULL && !session->is_leaving &&
	    !session->has_ended && session->cut_us == 0 && session->notify == NULL && is_between_commands(session) &&
	    can_carry_view(session->view);
}

static void
describe_view(const struct session *session, struct arena *arena, struct carried *carried)
{
	const struct view *view = session->view;

	carried->mailbox_id = view->state->mailbox_id;
	carried->uidvalidity = view->state->uidvalidity;
	carried->name = session->selected_name;
	carried->is_examined = view->is_examined;
	carried->saved = session->saved;
	view_remember(view, arena, &carried->view);
}

/* DEFLATE comes last: behind it nothing can be said to the client here any more. */
static bool
take_deflate(const struct session *session, struct carried *carried, struct buffer *text_out)
{
	struct buffer window = { 0 }, unread = { 0 };
	size_t octets = DEFLATE_WINDOW_MAX + stream_input_length(session->stream);
	bool is_good = text_out->length + octets / 3 * 4 + FACTS_OCTETS <= CARRIED_OCTETS_MAX &&
	    stream_take_deflate(session->stream, &window, &unread);

	carried->is_deflated = is_good;
	carried->window = buffer_span(&window);
	carried->unread = buffer_span(&unread);
	buffer_clear(text_out);
	carried_write(carried, text_out);
	buffer_free(&window);
	buffer_free(&unread);
	return is_good;
}

bool
session_carry(const struct session *session, struct span account, struct buffer *text_out)
{
	struct arena *arena;
	struct carried carried;
	bool is_good;

	if (!can_be_carried(session))
		return false;
	arena = arena_new();
	carried = (struct carried){
		.account = account,
		.is_rev2 = session->is_rev2,
		.has_utf8 = session->has_utf8,
		.has_condstore = session->has_condstore,
		.has_qresync = session->has_qresync,
		.is_uid_only = session->is_uid_only,
		.message_limit = session->message_limit,
		.save_limit = session->save_limit,
		.quiet_ms = (loop_now_us(session->role->parts.loop) - session->active_us) / 1000,
		.id = buffer_span(&session->id),
		.is_idling = session->is_idling,
		.idle_tag = session->is_idling ? session->line->tag : SPAN(""),
	};
	if (session->view != NULL)
		describe_view(session, arena, &carried);
	carried_write(&carried, text_out);
	is_good = stream_is_deflated(session->stream) ? take_deflate(session, &carried, text_out) :
	    text_out->length <= CARRIED_OCTETS_MAX;
	arena_free(&arena);
	return is_good;
}

void
session_hand_over(struct session *session, struct span text)
{
	log_info("session-carried", log_text("sid", session->sid), log_text("user", session->user),
	    log_span("mailbox", session->selected_name));
	session_flush(session);
	session_end_onlook(session);
	session_log_end(session);
	link_hand_over(session->role->parts.link, &session->stream, span_from_string(session->return_word), text);
	session_begin_closing(session, METRIC_LOGOUT);
}

void
session_take_words(struct session *session, const struct carried *carried)
{
	buffer_clear(&session->id);
	buffer_add_span(&session->id, carried->id);
}

void
session_take_manner(struct session *session, const struct carried *carried)
{
	uint64_t now_us = loop_now_us(session->role->parts.loop);

	session->is_rev2 = carried->is_rev2;
	session->has_utf8 = carried->has_utf8;
	session->has_condstore = carried->has_condstore;
	session->has_qresync = carried->has_qresync;
	session->is_uid_only = carried->is_uid_only;
	session->message_limit = carried->message_limit;
	session->save_limit = carried->save_limit;
	session->active_us = carried->quiet_ms < now_us / 1000 ? now_us - carried->quiet_ms * 1000 : 0;
	imap_parser_set_utf8(session->parser, session_is_utf8(session));
	imap_parser_set_rev2(session->parser, session->is_rev2);
}

void
session_take_wire(struct session *session, const struct carried *carried)
{
	if (carried->is_deflated && session->stream != NULL)
		stream_resume_deflate(session->stream, session->role->parts.compute, carried->window, carried->unread);
}

bool
session_take_view(struct session *session, const struct carried *carried, struct state *state)
{
	if (state->phase != STATE_READY || state->uidvalidity != carried->uidvalidity) {
		state_release(&state);
		return false;
	}
	session->view = view_resume(state, carried->is_examined, &carried->view, session_on_change, session);
	if (session->view == NULL)
		return false;
	if (session->has_condstore)
		view_keep_known(session->view);
	session->selected_name = span_of(memory_copy_span(carried->name), carried->name.length);
	session_save_search(session, carried->saved.ranges, carried->saved.count);
	return true;
}
