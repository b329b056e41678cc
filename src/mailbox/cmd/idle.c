/*
 * IDLE: RFC 9051 section 6.3.13.  While it runs, session_on_change() tells at once what happens.
 */
#include "idle.h"

#include "../session/ground.h"
#include "commands.h"

#define DONE_OCTETS 64

static void
on_line(struct session *session, struct span line)
{
	session_end_idle(session);
	session_finish(session, span_equals_nocase(line, SPAN("DONE")) ? REPLY_DONE : REPLY_BAD_ARGUMENT);
}

void
cmd_idle(struct session *session)
{
	buffer_add_string(session_out(session), "+ idling\r\n");
	session_begin_idle(session);
	session_expect_line(session, DONE_OCTETS, on_line);
}

void
idle_resume(struct session *session, struct span tag)
{
	struct arena *arena = arena_new();
	struct imap_command_line *line = ARENA_NEW(arena, struct imap_command_line);

	line->arena = arena;
	line->tag = arena_copy(arena, tag);
	line->verb = IMAP_IDLE;
	session_begin_line(session, line);
	session_enter(session, SESSION_RUNNING);
	session_begin_idle(session);
	session_expect_line(session, DONE_OCTETS, on_line);
}
