/*
 * How a command ends, and what its client is told of changes it did not make: before the tagged reply, and at
 * any time in IDLE.  Loop thread.
 */
#include <assert.h>

#include "../shared/role.h"
#include "budget.h"
#include "counting.h"
#include "ending.h"
#include "ground.h"
#include "limit.h"
#include "net/stream.h"
#include "notify.h"
#include "pipeline.h"
#include "protocol.h"

#define PROGRESS_US (10 * UINT64_C(1000000))	/* RFC 9585 section 4: every 10 to 15 seconds */

void
session_say_lost_view(struct session *session)
{
	if (view_is_revoked(session->view) || session->view->state->status == STORE_NOT_FOUND)
		session_bye(session, METRIC_KICKED, NULL, "the selected mailbox was deleted");
	else
		session_bye(session, METRIC_STORAGE_FAILED, "UNAVAILABLE", "storage failed, come again");
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
	if (is_first && session->view != NULL) {
		view_keep_known(session->view);
		say_highest_modseq(session);
	}
}

/* Whether the command's replies belong to the view. */
static bool
has_view(const struct session *session)
{
	return session->view != NULL && !session_is_closing(session) &&
	    imap_commands[session->line->verb].numbers != IMAP_NUMBERS_START_ANEW;
}

/* How this client is told of its view. */
static struct view_manner
manner_of(const struct session *session, bool may_expunge, size_t octets_max)
{
	struct notify_manner notify = notify_manner(session);

	return (struct view_manner){ .may_expunge = may_expunge,
		/* RFC 5465 section 5.1; RFC 9051 section 7.5.2 */
		.wants_uid = session->has_condstore || session->notify != NULL || session->is_rev2,
		.has_modseq = session->has_condstore, .has_vanished = session->has_qresync || session->is_uid_only,
		.is_uid_only = session->is_uid_only,
		.has_recent = session_has_recent(session),
		.keeps_messages = !notify.tells_messages, .keeps_flags = !notify.tells_flags,
		.octets_max = octets_max };
}

/* What is to be announced before the tagged reply; false: not yet all of it. */
static bool
announce(struct session *session)
{
	struct view_manner manner = manner_of(session, session->may_expunge, SESSION_OUTPUT_LOW);

	notify_look(session);
	manner.wants_uid |= session->line->is_uid;
	manner.keeps_messages |= pipeline_keeps_numbers(session);
	return !has_view(session) || view_announce(session->view, &session->out, &manner);
}

/*
 * A message that comes or goes has a modseq that EXISTS and EXPUNGE do not tell.  While an expunge is held back the
 * client must not take a later one of a FETCH for all it has to know; when it was told, HIGHESTMODSEQ says so (RFC
 * 7162 sections 3.2, 3.2.7 and 6).  Without it a client takes what it appended itself for changed when it comes again.
 */
static bool
owes_modseq(const struct session *session)
{
	return session->has_condstore && has_view(session) &&
	    (session->view->owes_modseq || session->view->ghost_count > 0);
}

/*
 * MESSAGELIMIT stands in the tagged reply, unless that has a code already: EXPUNGEISSUED keeps its place, and any other
 * may as well (RFC 9738 section 3.1).
 */
static void
say_limit(struct session *session, struct span *code, struct buffer *limit)
{
	if (session->ending.lowest_uid == 0)
		return;
	limit_write_code(session->message_limit, session->ending.lowest_uid, limit);
	if (code->length > 0)
		imap_write_condition(&session->out, SPAN("*"), IMAP_NO, buffer_span(limit), SPAN("there is more to do"));
	else
		*code = buffer_span(limit);
}

/* HIGHESTMODSEQ stands in the tagged OK, unless that has a code already. */
static void
write_tagged(struct session *session)
{
	const struct reply_words *words = reply_words(session->ending.reply);
	struct buffer modseq = { 0 }, limit = { 0 };
	struct span code = session->ending.code;
	size_t start;

	count_answer(session, session->ending.reply);
	if (owes_modseq(session)) {
		if (code.length > 0 || words->condition != IMAP_OK) {
			say_highest_modseq(session);
		} else {
			write_highest_modseq(session, &modseq);
			code = buffer_span(&modseq);
		}
	}
	say_limit(session, &code, &limit);
	start = session->out.length;
	imap_write_condition(&session->out, session->line->tag, words->condition, code,
	    span_from_string(words->text));
	session_log_answer(session, session->line, span_without_line_end(span_from(buffer_span(&session->out), start)));
	buffer_free(&modseq);
	buffer_free(&limit);
}

/* Section 4 of RFC 9585: a tag with "]" is not repeated; all that is done needs no word. */
void
session_tell_progress(struct session *session, uint64_t done, uint64_t total)
{
	uint64_t now_us = loop_now_us(session->role->parts.loop);
	struct span tag = session->line->tag;

	if (now_us - session->progress_us < PROGRESS_US || done >= total || !session_can(session, IMAP_CAN_INPROGRESS))
		return;
	session->progress_us = now_us;
	for (; total > UINT32_MAX; total /= 2)		/* both are "number": section 5 */
		done /= 2;
	buffer_add_string(&session->out, "* OK [INPROGRESS (");
	if (span_find(tag, ']') < tag.length)
		buffer_add_string(&session->out, "NIL");
	else
		imap_write_string(&session->out, tag, false);
	buffer_printf(&session->out, " %llu %llu)] still at it\r\n", (unsigned long long)done, (unsigned long long)total);
	session_flush(session);
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
release_line(struct session *session)
{
	if (session->is_line_kept)
		session->line = NULL;
	imap_command_free(&session->line);
	session->is_line_kept = false;
	session->running = NULL;
	session->ending.lowest_uid = 0;
}

static void
end_unasked(struct session *session)
{
	release_line(session);
	session->line = session->idle_line;
	session->idle_line = NULL;
	session->is_unasked = false;
	session_flush(session);
	if (!session_is_closing(session))
		session_enter(session, session->line != NULL ? SESSION_LISTENING : SESSION_READY);
	session_on_change(session);
	session_schedule(session);
}

static void
end_command(struct session *session)
{
	if (session->is_unasked) {
		end_unasked(session);
		return;
	}
	if (!announce(session)) {
		session_when_room(session, end_command);
		return;
	}
	write_tagged(session);
	release_line(session);
	count_state(session);
	if (pipeline_go_on(session))
		return;
	session_flush(session);
	if (session_is_closing(session)) {
		session_schedule(session);
		return;
	}
	session_enter(session, session->incoming == NULL ? SESSION_READY : SESSION_APPENDING);
	tell_answered(session);
	if (session_has_lost_view(session))
		session_say_lost_view(session);
	else
		session_schedule(session);
	if (session->notify != NULL)
		session_on_change(session);
}

void
session_finish_with(struct session *session, enum reply reply, struct span code)
{
	assert(session->line != NULL);
	session->is_idling = session->is_idling && session->is_unasked;
	pipeline_close(session);
	if (reply == REPLY_CPU_LIMIT || reply == REPLY_SEARCHED_IN_PART)
		budget_log(session);
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
session_finish_beyond_limit(struct session *session, uint32_t lowest_uid)
{
	struct buffer code = { 0 };

	limit_write_code(session_save_limit(session), lowest_uid, &code);
	session_finish_with(session, REPLY_BEYOND_LIMIT, buffer_span(&code));
	buffer_free(&code);
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

/*
 * Run the FETCH that NOTIFY asked for of new messages.  No client has sent it: it ends without a tagged reply, and IDLE
 * goes on behind it.
 */
static void
tell_new_messages(struct session *session)
{
	struct imap_command_line *line = notify_take_fetch(session);

	if (line == NULL)
		return;
	session->idle_line = session->line;
	session->line = line;
	session->is_unasked = true;
	session->may_expunge = false;
	session_enter(session, SESSION_RUNNING);
	session->commands->handlers[line->verb](session);
}

/* Between commands and in IDLE. */
static bool
may_tell(const struct session *session)
{
	return session->phase == SESSION_READY ? session->notify != NULL : session->is_idling &&
	    session->phase == SESSION_LISTENING;
}

/* A piece of what is new; a client that does not take it is told the rest later, as it is then. */
static void
tell_news(struct session *session)
{
	struct notify_manner notify = notify_manner(session);
	const struct view_manner manner = manner_of(session, session->is_idling || notify.may_expunge_at_once,
	    SESSION_NEWS_OCTETS);
	bool is_all = true;

	notify_look(session);
	if (session->view != NULL && (session->is_idling || notify.is_at_once))
		is_all = view_announce(session->view, &session->out, &manner);
	is_all = is_all && notify_write_lines(session, &session->out, SESSION_NEWS_OCTETS);
	session_flush(session);
	if (!is_all)
		deferred_schedule(session->role->parts.loop, &session->news);
	else
		tell_new_messages(session);
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
	if (!may_tell(session))
		return;
	count_untold(session, !session_has_room(session));
	if (session_has_room(session))
		tell_news(session);
}
