/*
 * A client as an operator is told of it.  Loop thread.
 */
#include "client.h"

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
	case MOVING:
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

struct session_facts
client_facts(const struct cas_client *client)
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
	if (client->state == FORWARDING || client->state == MOVING)
		tell_user(client, &facts);
	facts.plain_in = facts.in;
	facts.plain_out = facts.out;
	return facts;
}
