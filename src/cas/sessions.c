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

static void
kick_if_meant(struct cas_client *client, bool is_logged_in, struct session_kick *kick)
{
	struct session_facts facts = client_facts(client);

	if (client->is_leaving || !kick->is_meant(&facts, kick->context))
		return;
	if (is_logged_in) {
		timer_start_ms(&client->patience_timer, STOP_GRACE_MS);
		pipe_leave(client, METRIC_KICKED, NULL, "The operator has ended this session");
	} else {
		client_bye(client, METRIC_KICKED, NULL, "The operator has ended this session");
	}
	kick->count++;
}

uint64_t
cas_kick(struct cas *cas, bool is_logged_in, uint64_t after, struct session_kick *kick)
{
	LIST_FOREACH(is_logged_in ? &cas->users : &cas->strangers, link) {
		struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);
		uint64_t place = client->place;

		if (place <= after)
			continue;
		kick_if_meant(client, is_logged_in, kick);
		if (--kick->looks == 0)
			return place;
	}
	return SESSION_WALK_END;
}
