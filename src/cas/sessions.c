/*
 * What the operator is told of clients, and kicking them.  What stands behind the login is relayed, so of that no more is
 * known here than how many octets it is.  Loop thread.
 */
#include "client.h"

uint64_t
cas_walk_sessions(struct cas *cas, bool is_logged_in, uint64_t after, session_each *each, void *context)
{
	const struct list *list = is_logged_in ? &cas->users : &cas->strangers;

	LIST_FOREACH(list, link) {
		const struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);
		struct session_facts facts;

		if (client->place <= after)
			continue;
		facts = client_facts(client);
		if (!each(&facts, context))
			return client->place;
	}
	return SESSION_WALK_END;
}

static bool
is_meant_by(const struct cas_client *client, session_each *is_meant, void *context)
{
	struct session_facts facts = client_facts(client);

	return is_meant(&facts, context);
}

uint64_t
cas_kick(struct cas *cas, session_each *is_meant, void *context)
{
	uint64_t count = 0;

	LIST_FOREACH(&cas->users, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (client->is_leaving || !is_meant_by(client, is_meant, context))
			continue;
		timer_start_ms(&client->patience_timer, STOP_GRACE_MS);
		pipe_leave(client, METRIC_KICKED, NULL, "The operator has ended this session");
		count++;
	}
	LIST_FOREACH(&cas->strangers, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);

		if (!is_meant_by(client, is_meant, context))
			continue;
		client_bye(client, METRIC_KICKED, NULL, "The operator has ended this session");
		count++;
	}
	return count;
}
