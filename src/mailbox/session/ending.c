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

static void
write_highest_modseq(struct session *session, struct buffer *out)
{
	buffer_printf(out, "HIGHESTMODSEQ %llu", (unsigned long long)view_told_modseq(session->view));
	session->view->owes_modseq = false;
}

static void
say_highest_modseq(struct session *session)
{
	buffer_add_string(&session->out, "* OK [");
	write_highest_modseq(session, &session->out);
	buffer_add_string(&session->out, "] up to here all is told\r\n");
}

void
session_begin_condstore(struct session *session)
{
	bool is_first = !session->has_condstore;

	session->has_condstore = true;
	if (is_first && session->view != NULL)
		say_highest_modseq(session);
}

/* Whether the command's replies belong to the view. */
static bool
has_view(const struct session *session)
{
	return session->view != NULL && !session_is_closing(session) &&
	    imap_commands[session->line->verb].numbers != IMAP_NUMBERS_START_ANEW;
}

/* What is to be announced before the tagged reply; false: not yet all of it. */
static bool
announce(struct session *session)
{
	const struct view_manner manner = { .may_expunge = session->may_expunge,
		.wants_uid = session->line->is_uid || session->has_condstore,
		.has_modseq = session->has_condstore, .has_recent = session_has_recent(session),
		.octets_max = SESSION_OUTPUT_LOW };

	return !has_view(session) || view_announce(session->view, &session->out, &manner);
}

/*
 * An expunge has a modseq that its reply does not tell.  While it is held back the client must not take a later
 * one of a FETCH for all it has to know; when it was told, HIGHESTMODSEQ says so (RFC 7162 sections 3.2, 3.2.7
 * and 6).
 */
static bool
owes_modseq(const struct session *session)
{
	return session->has_condstore && has_view(session) &&
	    (session->view->owes_modseq || session->view->ghost_count > 0);
}

/* HIGHESTMODSEQ stands in the tagged OK, unless that has a code already. */
static void
write_tagged(struct session *session)
{
	const struct reply_words *words = reply_words(session->ending.reply);
	struct buffer modseq = { 0 };
	struct span code = session->ending.code;

	if (owes_modseq(session)) {
		if (code.length > 0 || words->condition != IMAP_OK) {
			say_highest_modseq(session);
		} else {
			write_highest_modseq(session, &modseq);
			code = buffer_span(&modseq);
		}
	}
	imap_write_condition(&session->out, session->line->tag, words->condition, code,
	    span_from_string(words->text));
	buffer_free(&modseq);
}

void
session_then(struct session *session, void (*on_answered)(struct session *session))
{
	session->on_answered = on_answered;
}

static void
tell_answered(struct session *session)
{
	void (*on_answered)(struct session *session) = session->on_answered;

	session->on_answered = NULL;
	if (on_answered != NULL)
		on_answered(session);
}

static void
end_command(struct session *session)
{
	if (!announce(session)) {
		session_when_room(session, end_command);
		return;
	}
	write_tagged(session);
	imap_command_free(&session->line);
	session->running = NULL;
	session_flush(session);
	if (session_is_closing(session)) {
		session_schedule(session);
		return;
	}
	session_enter(session, SESSION_READY);
	tell_answered(session);
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
	const struct view_manner manner = { .may_expunge = true, .wants_uid = session->has_condstore,
		.has_modseq = session->has_condstore, .has_recent = session_has_recent(session),
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
