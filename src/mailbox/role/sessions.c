/*
 * What the operator is told of sessions, and kicking them.  Loop thread.
 */
#include <string.h>

#include "../session/session.h"
#include "base/map.h"
#include "imap/command.h"
#include "life.h"
#include "net/deflate.h"

#define KICK_MS 5000	/* for the command under way */

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

/* All but what the cas knows better. */
static void
add_facts(const struct session *session, struct session_facts *facts)
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

static struct session_facts
facts_of(const struct session *session)
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
	add_facts(session, &facts);
	facts.in = facts.plain_in;
	facts.out = facts.plain_out;
	return facts;
}

/* A stream of this process: there is a client of its cas at the other end. */
static bool
is_foreign(const struct session *session)
{
	return session->user != NULL && session->stream != NULL &&
	    strcmp(stream_peer_address(session->stream), "pair") != 0;
}

uint64_t
mailbox_role_walk_sessions(struct mailbox_role *role, uint64_t after, session_each *each, void *context)
{
	LIST_FOREACH(&role->sessions, link) {
		const struct session *session = LIST_ENTRY(link, struct session, link);
		struct session_facts facts;

		if (session->place <= after || !is_foreign(session))
			continue;
		facts = facts_of(session);
		if (!each(&facts, context))
			return session->place;
	}
	return SESSION_WALK_END;
}

void
mailbox_role_add_facts(const struct mailbox_role *role, struct session_facts *facts)
{
	const struct session *session = map_get(role->by_sid, facts->sid);

	if (session != NULL && session->stream != NULL && !is_foreign(session))
		add_facts(session, facts);
}

uint64_t
mailbox_role_kick(struct mailbox_role *role, session_each *is_meant, void *context)
{
	uint64_t count = 0;

	LIST_FOREACH(&role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);
		struct session_facts facts;

		if (!is_foreign(session) || session->is_leaving)
			continue;
		facts = facts_of(session);
		if (!is_meant(&facts, context))
			continue;
		session_leave_within(session, KICK_MS, "The operator has ended this session");
		count++;
	}
	return count;
}
