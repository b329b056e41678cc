/*
 * How a command ends, and what its client is told of changes it did not make: before the tagged reply, and at
 * any time in IDLE.  Loop thread.
 */
#include <assert.h>

#include "../shared/role.h"
#include "ending.h"
#include "ground.h"
#include "net/stream.h"

void
session_say_lost_view(struct session *session)
{
	if (session->view->state->status == STORE_NOT_FOUND)
		session_bye(session, NULL, "the selected mailbox was deleted");
	else
		session_bye(session, "UNAVAILABLE", "storage failed, come again");
}

/* What is to be announced before the tagged reply; false: not yet all of it. */
static bool
announce(struct session *session)
{
	const struct view_manner manner = { .may_expunge = session->may_expunge,
		.wants_uid = session->line->is_uid, .has_recent = session_has_recent(session),
		.octets_max = SESSION_OUTPUT_LOW };

	if (session->view == NULL || session_is_closing(session) ||
	    imap_commands[session->line->verb].numbers == IMAP_NUMBERS_START_ANEW)
		return true;
	return view_announce(session->view, &session->out, &manner);
}

static void
end_command(struct session *session)
{
	const struct reply_words *words = reply_words(session->ending.reply);

	if (!announce(session)) {
		session_when_room(session, end_command);
		return;
	}
	imap_write_condition(&session->out, session->line->tag, words->condition, session->ending.code,
	    span_from_string(words->text));
	imap_command_free(&session->line);
	session->running = NULL;
	session_flush(session);
	if (session_is_closing(session)) {
		session_schedule(session);
		return;
	}
	session_enter(session, SESSION_READY);
	if (session_has_lost_view(session))
		session_say_lost_view(session);
	else
		session_schedule(session);
}

void
session_finish_with(struct session *session, enum reply reply, struct span code)
{
	assert(session->line != NULL);
	session->is_idling = false;
	session->ending.reply = reply;
	session->ending.code = arena_copy(session->line->arena, code);
	end_command(session);
}

void
session_finish(struct session *session, enum reply reply)
{
	const char *code = reply_words(reply)->code;

	session_finish_with(session, reply, code == NULL ? (struct span){ NULL, 0 } : span_from_string(code));
}

void
session_finish_status(struct session *session, enum store_status status)
{
	session_finish(session, reply_for(status));
}

bool
session_set_init(struct session *session, struct view_set *set, struct imap_sequence *sequence)
{
	if (view_set_init(set, session->view, sequence, session->line->is_uid, &session->saved))
		return true;
	session_finish(session, REPLY_BAD_NUMBER);
	return false;
}

/* A piece of what is new; a client that does not take it is told the rest later, as it is then. */
static void
tell_news(struct session *session)
{
	const struct view_manner manner = { .may_expunge = true, .has_recent = session_has_recent(session),
		.octets_max = SESSION_NEWS_OCTETS };
	bool is_all = session->view == NULL || view_announce(session->view, &session->out, &manner);

	session_flush(session);
	if (!is_all)
		deferred_schedule(session->role->parts.loop, &session->news);
}

void
session_on_news(void *context)
{
	struct session *session = context;

	if (session_is_closing(session))
		return;
	if (session_has_lost_view(session) && session->phase != SESSION_RUNNING) {
		session_say_lost_view(session);
		return;
	}
	if (session->is_idling && session_has_room(session))
		tell_news(session);
}
