/*
 * What the operator is told of sessions, and kicking them.  Loop thread.
 */
#include <string.h>

#include "../session/facts.h"
#include "../session/onlook.h"
#include "base/map.h"
#include "life.h"

#define KICK_MS 5000	/* for the command under way */

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
		facts = session_facts(session);
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
		session_add_facts(session, facts);
}

static void
kick_if_meant(struct session *session, struct session_kick *kick)
{
	struct session_facts facts = session_facts(session);

	if (session->is_leaving || !kick->is_meant(&facts, kick->context))
		return;
	session_leave_within(session, KICK_MS, "The operator has ended this session");
	kick->count++;
}

uint64_t
mailbox_role_kick(struct mailbox_role *role, uint64_t after, struct session_kick *kick)
{
	LIST_FOREACH(&role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);
		uint64_t place = session->place;

		if (place <= after || !is_foreign(session))
			continue;
		kick_if_meant(session, kick);
		if (--kick->looks == 0)
			return place;
	}
	return SESSION_WALK_END;
}

void
mailbox_role_onlook(struct mailbox_role *role)
{
	LIST_FOREACH(&role->sessions, link)
		session_find_onlookers(LIST_ENTRY(link, struct session, link));
}

void
role_end_user(struct mailbox_role *role, struct span user, const char *why)
{
	LIST_FOREACH(&role->sessions, link) {
		struct session *session = LIST_ENTRY(link, struct session, link);

		if (session->user != NULL && (span_equals(span_from_string(session->user), user) ||
		    (session->prover != NULL && span_equals(span_from_string(session->prover), user))))
			session_bye(session, METRIC_KICKED, NULL, why);
	}
}

void
mailbox_role_end_user(struct mailbox_role *role, struct span user)
{
	role_end_user(role, user, "Logged out by the administrator");
}
