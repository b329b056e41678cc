/*
 * What comes of a client, event by event of the parser: a command to its handler, the message of an APPEND and a line to
 * those that wait for them, and what is wrong is answered.  Loop thread.
 */
#include "dispatch.h"

#include <string.h>

#include "base/crash.h"
#include "budget.h"
#include "counting.h"
#include "ground.h"
#include "pipeline.h"
#include "protocol.h"

#define BAD_COMMANDS_MAX 20

static bool
is_legal(const struct session *session)
{
	unsigned now = session->account == NULL ? IMAP_STATE_NOT_LOGGED_IN
	    : session->view == NULL		? IMAP_STATE_LOGGED_IN
						: IMAP_STATE_SELECTED;

	return (imap_commands[session->line->verb].states & now) != 0 &&
	    session->commands->handlers[session->line->verb] != NULL;
}

static void
run(struct session *session)
{
	crash_note(imap_commands[session->line->verb].name, session->sid);
	budget_begin(session);
	session->commands->handlers[session->line->verb](session);
	crash_note_end();
}

static void
on_command(struct session *session, struct imap_command_line *line)
{
	session_begin_line(session, line);
	session_enter(session, SESSION_RUNNING);
	if (!is_legal(session)) {
		session->commands->forget_message(session);
		session_finish(session, REPLY_BAD_STATE);
		return;
	}
	session->bad_commands = 0;
	if (session->is_uid_only && imap_command_has_numbers(line)) {
		session->commands->forget_message(session);
		session_finish(session, REPLY_UID_REQUIRED);
		return;
	}
	run(session);
}

static void
answer_error(struct session *session, const struct imap_error *error, enum imap_condition condition)
{
	size_t start = session->out.length;

	imap_write_condition(&session->out, error->tag, condition,
	    error->code == NULL ? (struct span){ NULL, 0 } : span_from_string(error->code), span_from_string(error->text));
	session_log_answer(session, NULL, span_without_line_end(span_from(buffer_span(&session->out), start)));
}

static void
on_error(struct session *session, const struct imap_error *error)
{
	enum imap_condition condition = error->status == IMAP_ERROR_NO ? IMAP_NO : IMAP_BAD;

	session->commands->forget_message(session);
	if (session->phase == SESSION_APPENDING)
		session_enter(session, SESSION_READY);
	if (error->code != NULL && strcmp(error->code, "TOOBIG") == 0)
		metric_count(METRIC_LIMIT_HITS, METRIC_MESSAGE_SIZE, 0);
	if (!error->is_foreign && session->account != NULL)
		metric_count(METRIC_COMMANDS, METRIC_COMMAND_UNKNOWN, condition);
	if (!error->is_foreign)
		answer_error(session, error, condition);
	if (error->is_foreign)
		session_close(session, METRIC_BAD_COMMANDS);
	else if (error->is_fatal)
		session_bye(session, METRIC_BAD_COMMANDS, error->code, "what follows cannot be understood");
	else if (error->is_syntax && ++session->bad_commands >= BAD_COMMANDS_MAX)
		session_bye(session, METRIC_BAD_COMMANDS, NULL, "too many bad commands");
}

void
session_expect_line(struct session *session, size_t max_octets,
    void (*on_line)(struct session *session, struct span line))
{
	session->on_line = on_line;
	imap_parser_expect_line(session->parser, max_octets);
	session_enter(session, SESSION_LISTENING);
	session_flush(session);
	session_schedule(session);
}

static void
on_listened(struct session *session, struct span line)
{
	session_enter(session, SESSION_RUNNING);
	session->on_line(session, line);
}

/* The message of an APPEND, by the parser's events; append.c tells how it goes on. */
static void
on_message_begins(struct session *session, const struct imap_append_message *message)
{
	session_enter(session, SESSION_RUNNING);
	session->commands->message_begins(session, message);
}

void
session_resume_append(struct session *session)
{
	if (session->phase == SESSION_RUNNING)
		session_enter(session, SESSION_APPENDING);
	session_schedule(session);
}

void
session_refuse_append(struct session *session, struct span tag, enum reply reply)
{
	const char *code = reply_words(reply)->code;

	session_refuse_append_with(session, tag, reply, code == NULL ? (struct span){ NULL, 0 } : span_from_string(code));
}

void
session_refuse_append_with(struct session *session, struct span tag, enum reply reply, struct span code)
{
	const struct reply_words *words = reply_words(reply);

	count_reply(session, IMAP_APPEND, reply);
	imap_write_condition(&session->out, tag, words->condition, code, span_from_string(words->text));
	session_flush(session);
	if (session_is_closing(session))
		return;
	imap_parser_skip_command(session->parser, false);
	session_enter(session, SESSION_READY);
	session_schedule(session);
}

void
dispatch_event(struct session *session, const struct imap_event *event)
{
	if (session->phase == SESSION_RUNNING) {
		pipeline_take(session, event);
		return;
	}
	switch (event->kind) {
	case IMAP_EVENT_NEED_MORE:
	case IMAP_EVENT_MESSAGE_ENDS:
		break;
	case IMAP_EVENT_CONTINUE:
		buffer_add_string(&session->out, "+ OK\r\n");
		break;
	case IMAP_EVENT_COMMAND:
		on_command(session, event->command);
		break;
	case IMAP_EVENT_MESSAGE_BEGINS:
		on_message_begins(session, &event->message);
		break;
	case IMAP_EVENT_MESSAGE_OCTETS:
		session->commands->message_octets(session, event->octets);
		break;
	case IMAP_EVENT_LINE:
		on_listened(session, event->octets);
		break;
	case IMAP_EVENT_ERROR:
		on_error(session, &event->error);
		break;
	}
}
