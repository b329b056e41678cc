/*
 * What the operator is told of clients, and kicking them.  What stands behind the login is relayed, so of that no more is
 * known here than how many octets it is.  Loop thread.
 */
#include "client.h"
#include "control/session.h"

static const char *
state_of(const struct cas_client *client)
{
	switch (client->state) {
	case SHAKING:
		return "TLS handshake";
	case ANSWERING:
	case VERIFYING:
	case DELAYED:
	case LINKING:
		return "authenticating";
	case FORWARDING:
		return "authenticated";
	default:
		return "not authenticated";
	}
}

/* A name that is not proved yet may be a password that was typed in its place: it is not told. */
static void
tell_user(const struct cas_client *client, struct session_facts *facts)
{
	facts->user = directory_name_span(&client->user);
	facts->by = client_acting(client);
	facts->mechanism = sasl_mechanism_name(client->mechanism);
	facts->relay = client->server == NULL ? NULL : client->server->name;
}

static struct session_facts
facts_of(const struct cas_client *client)
{
	uint64_t active_us = stream_active_us(client->stream);
	struct session_facts facts = {
		.sid = span_from_string(client->sid),
		.address = client->address,
		.port = stream_peer_port(client->stream),
		.client = buffer_span(&client->id),
		.state = state_of(client),
		.began_us = client->began_us,
		.active_us = active_us > client->began_us ? active_us : client->began_us,
		.in = stream_octets_in(client->stream) - client->octets_in,
		.out = stream_octets_out(client->stream) - client->octets_out,
		.is_at_cas = true,
	};
	struct tls_facts tls;

	stream_tls_facts(client->stream, &tls);
	facts.tls = tls.version;
	if (client->state == FORWARDING)
		tell_user(client, &facts);
	facts.plain_in = facts.in;
	facts.plain_out = facts.out;
	return facts;
}

uint64_t
cas_walk_sessions(struct cas *cas, bool is_logged_in, uint64_t after, session_each *each, void *context)
{
	const struct list *list = is_logged_in ? &cas->users : &cas->strangers;

	LIST_FOREACH(list, link) {
		const struct cas_client *client = LIST_ENTRY(link, struct cas_client, link);
		struct session_facts facts;

		if (client->place <= after)
			continue;
		facts = facts_of(client);
		if (!each(&facts, context))
			return client->place;
	}
	return SESSION_WALK_END;
}

static bool
is_meant_by(const struct cas_client *client, session_each *is_meant, void *context)
{
	struct session_facts facts = facts_of(client);

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
