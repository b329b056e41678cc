/*
 * Users whose mail is still at a server of another kind: the cas logs in there with what the client has given, and that
 * server alone says whether it is right.  Loop thread.
 */
#include "login.h"

static bool
is_insecure(const struct config *config, const struct link_home *home)
{
	for (size_t i = 0; i < config->relay_insecure.count; i++)
		if (span_equals_nocase(span_from_string(config->relay_insecure.at[i]), span_from_string(home->host)))
			return true;
	return false;
}

/* The log has the server and why; the client learns that it may come back. */
static void
answer_unavailable(struct cas_client *client, struct relay_server *server, const char *why)
{
	struct buffer reason = { 0 };

	relays_note_failure(server, why);
	buffer_printf(&reason, "%s: %s", server->name, why);
	verdict_unavailable(client, buffer_string(&reason));
	buffer_free(&reason);
}

static void
on_relayed(const struct link_result *result, void *context)
{
	struct cas_client *client = context;
	struct relay_server *server = client->server;

	client->relay = NULL;
	client->server = result->status == LINK_OK ? server : NULL;
	switch (result->status) {
	case LINK_OK:
		learning_begin(client);
		admission_take(client, result);
		break;
	case LINK_DENIED:
		client_write_untagged(client, result->untagged);
		verdict_failed_with(client, result->text);
		break;
	case LINK_REFUSED:
		log_info("relay-refused", log_text("sid", client->sid), log_span("user", directory_name_span(&client->user)),
		    log_text("rip", client->address), log_text("relay", server->name), log_span("reason", result->text));
		client_write_untagged(client, result->untagged);
		admission_refuse(client, result->text);
		break;
	default:
		answer_unavailable(client, server, result->reason);
	}
}

static struct link_relay_wish
wish_of(struct cas_client *client, const struct link_home *home, const struct link_facts *facts)
{
	const struct cas *cas = client->cas;

	return (struct link_relay_wish){
		.home = home,
		.user = directory_name_span(&client->user),
		.password = sasl_password(client->sasl),
		.facts = facts,
		.ttl = client->ttl - 1,
		.ca_file = cas->parts.config->relay_ca,
		.is_insecure = is_insecure(cas->parts.config, home),
		.timeout_ms = cas->parts.config->relay_timeout_s * 1000,
		.names = cas->parts.names,
		.compute = cas->parts.compute,
	};
}

/* An empty password is none: some servers let everybody in with it. */
void
relay_open(struct cas_client *client)
{
	struct link_facts facts = { .session_id = span_from_string(client->sid),
		.address = span_from_string(client->address), .port = stream_peer_port(client->stream) };
	struct link_home home;
	struct link_relay_wish wish;

	if (link_home_read(buffer_span(&client->home), &home) != NULL) {
		verdict_unavailable(client, "the user's home is no imap://HOST or imaps://HOST");
		return;
	}
	if (client->ttl <= 1) {
		verdict_unavailable(client, "relays go round in a circle");
		return;
	}
	if (sasl_password(client->sasl).length == 0) {
		verdict_failed(client);
		return;
	}
	wish = wish_of(client, &home, &facts);
	client->server = relays_find(client->cas, &home);
	client_enter(client, LINKING);
	client->relay = link_relay(client->cas->parts.link, &wish, on_relayed, client);
}
