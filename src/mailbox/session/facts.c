/*
 * A session as an operator is told of it.  Loop thread.
 */
#include "facts.h"

#include "imap/command.h"
#include "net/deflate.h"

static bool
is_busy(const struct session *session)
{
	return session->phase == SESSION_RUNNING || session->phase == SESSION_APPENDING || session->phase == SESSION_LISTENING;
}

static const char *
state_of(const struct session *session)
{
	if (session->is_idling)
		return "idle";
	return session->view == NULL ? "authenticated" : "selected";
}

static const char *
command_of(const struct session *session)
{
	if (session->phase == SESSION_APPENDING)
		return "APPEND";
	return session->verb == IMAP_COMMAND_COUNT ? NULL : imap_commands[session->verb].name;
}

void
session_add_facts(const struct session *session, struct session_facts *facts)
{
	facts->client = session->id.length > 0 ? buffer_span(&session->id) : facts->client;
	facts->state = state_of(session);
	facts->mailbox = session->view == NULL ? SPAN("") : session->selected_name;
	facts->command = command_of(session);
	facts->is_busy = is_busy(session);
	facts->is_compressed = stream_is_deflated(session->stream);
	facts->plain_in = stream_octets_in(session->stream) - session->octets_in;
	facts->plain_out = stream_octets_out(session->stream) - session->octets_out;
	facts->is_at_mailbox = true;
}

struct session_facts
session_facts(const struct session *session)
{
	struct session_facts facts = {
		.sid = span_from_string(session->sid),
		.user = span_from_string(session->user),
		.by = session->prover == NULL ? SPAN("") : span_from_string(session->prover),
		.address = session->address,
		.tls = session->tls,
		.began_us = session->began_us,
		.active_us = session->active_us,
	};

	if (session->port != NULL)
		span_to_number(span_from_string(session->port), UINT16_MAX, &facts.port);
	if (session->is_operators)
		facts.client = SPAN("imapctl");
	session_add_facts(session, &facts);
	facts.in = facts.plain_in;
	facts.out = facts.plain_out;
	return facts;
}
