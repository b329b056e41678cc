/*
 * What operators are shown of a session.  Loop thread.
 */
#include "onlook.h"

#include <stdlib.h>
#include <string.h>

#include "../shared/role.h"
#include "base/memory.h"
#include "control/trace.h"
#include "facts.h"
#include "imap/redact.h"

struct onlooker {
	struct imap_redactor replies;
	size_t event_octets;		/* eaten for the command at hand, so far */
};

static void
say(struct session *session, enum trace_from from, struct span text)
{
	struct session_facts facts = session_facts(session);

	traces_say(session->role->parts.traces, &facts, from, text);
}

static void
forget(struct session *session)
{
	if (session->onlooker == NULL)
		return;
	imap_redactor_fini(&session->onlooker->replies);
	free(session->onlooker);
	session->onlooker = NULL;
}

static bool
is_wanted(const struct session *session)
{
	struct session_facts facts;

	if (session->account == NULL || session->stream == NULL || !traces_are_on(session->role->parts.traces))
		return false;
	facts = session_facts(session);
	return traces_want(session->role->parts.traces, &facts);
}

void
session_find_onlookers(struct session *session)
{
	session->is_onlooker_due = false;
	if (!is_wanted(session)) {
		forget(session);
	} else if (session->onlooker == NULL && session->phase == SESSION_RUNNING) {
		session->is_onlooker_due = true;
	} else if (session->onlooker == NULL) {
		session->onlooker = NEW(struct onlooker);
		say(session, TRACE_NOTE, SPAN("what this session says is shown from here on"));
	}
}

static void
say_octets(struct session *session, uint64_t count, const char *what)
{
	struct buffer text = { 0 };

	imap_redact_octets(count, &text);
	buffer_add_string(&text, what);
	say(session, TRACE_CLIENT, buffer_span(&text));
	buffer_free(&text);
}

static void
say_command(struct session *session, const struct imap_command_line *line)
{
	struct buffer text = { 0 };

	if ((line->verb == IMAP_APPEND || line->verb == IMAP_REPLACE))
		return;		/* its messages were shown as they came */
	imap_redact_command(line, &text);
	say(session, TRACE_CLIENT, buffer_span(&text));
	buffer_free(&text);
}

static void
say_message(struct session *session, const struct imap_append_message *message)
{
	struct buffer text = { 0 };

	imap_redact_message(message, &text);
	say(session, TRACE_CLIENT, buffer_span(&text));
	buffer_free(&text);
}

/* What was not understood may be anything, a password that was sent twice among it. */
void
session_show_event(struct session *session, const struct imap_event *event, size_t octets)
{
	struct onlooker *onlooker = session->onlooker;

	onlooker->event_octets += octets;
	switch (event->kind) {
	case IMAP_EVENT_COMMAND:
		say_command(session, event->command);
		break;
	case IMAP_EVENT_MESSAGE_BEGINS:
		say_message(session, &event->message);
		break;
	case IMAP_EVENT_LINE:
		if (span_equals_nocase(event->octets, SPAN("DONE")))
			say(session, TRACE_CLIENT, SPAN("DONE"));
		else
			say_octets(session, event->octets.length, "");
		break;
	case IMAP_EVENT_ERROR:
		say_octets(session, onlooker->event_octets, " that are not understood");
		break;
	default:
		return;
	}
	onlooker->event_octets = 0;
}

static void
on_reply(struct span line, void *context)
{
	say(context, TRACE_SERVER, line);
}

void
session_show_output(struct session *session, struct span octets)
{
	imap_redactor_feed(&session->onlooker->replies, octets, on_reply, session);
}

static void
say_end(struct session *session)
{
	struct session_facts facts = session_facts(session);
	struct buffer text = { 0 };

	buffer_printf(&text, "the session is over: %llu octets from the client, %llu to it",
	    (unsigned long long)facts.plain_in, (unsigned long long)facts.plain_out);
	say(session, TRACE_NOTE, buffer_span(&text));
	buffer_free(&text);
}

/* A cas in this process goes on with the client, and knows when that is over. */
static void
end_traces(struct session *session)
{
	struct session_facts facts = session_facts(session);

	if (strcmp(stream_peer_address(session->stream), "pair") != 0)
		traces_end_session(session->role->parts.traces, &facts);
}

void
session_end_onlook(struct session *session)
{
	bool is_told = session->account != NULL && session->stream != NULL &&
	    traces_are_on(session->role->parts.traces);

	if (is_told && session->onlooker != NULL)
		say_end(session);
	forget(session);
	session->is_onlooker_due = false;
	if (is_told)
		end_traces(session);
}
